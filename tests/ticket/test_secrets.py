"""What is tested for secrets is the bundle's bytes: a host full of them, and of what only looks
like one."""

from __future__ import annotations

import base64
import json
import os
import random
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from diagnose import session
from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.questions.question import policies
from diagnose.questions.run import Options
from diagnose.recording.recorder import RecordedAnswer
from diagnose.redact import Redactor
from diagnose.ticket.bundle import LeakError
from tests import corpus
from tests.corpus import Case, fresh
from tests.questions import question
from tests.tickets import made, opener_of, taken, unpacked

SECRETS = corpus.cases("secrets.txt", 11)
LOOKALIKES = corpus.cases("lookalikes.txt", 12)


def forms(value: str) -> set[bytes]:
    """How a value may be in bytes: as it is, in JSON (also twice), as JSON without blanks, in a
    URL, and inside base64 wherever it begins there."""
    plain = value.encode()
    once = json.dumps(value)[1:-1]
    found = {
        plain,
        without_blanks(value).encode(),
        once.encode(),
        json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        json.dumps(once)[1:-1].encode(),
    }
    found |= {urllib.parse.quote(value, safe=safe).encode() for safe in ("", "/")}
    found.add(urllib.parse.quote_plus(value).encode())
    for before in range(3):
        whole = base64.b64encode(b"x" * before + plain + b"xxx")
        first, last = (before * 8 + 5) // 6, (before + len(plain)) * 8 // 6
        found |= {whole[first:last], whole[first:last].replace(b"+", b"-").replace(b"/", b"_")}
    return found


def without_blanks(value: str) -> str:
    """A value that is JSON as the answers have it; any other as it is."""
    try:
        return json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return value


def stands_in(files: Mapping[str, bytes], needles: Iterable[bytes]) -> list[str]:
    return [name for name, data in files.items() if any(needle in data for needle in needles)]


def is_plain_word(secret: str) -> bool:
    """`postgres` as a password is also an image and a user: it is looked for with its name only."""
    return len(secret) < 8 or secret.isalpha() or not any(c.isdigit() for c in secret)


def host(cases: Sequence[Case]) -> dict[AnyQuestion, RecordedAnswer]:
    """A host whose answers hold the text of each case, a container each where the case is about
    one."""
    answers: dict[AnyQuestion, Any] = {}
    listed, logs = [], []
    for number, case in enumerate(cases):
        id = f"{number:064x}"
        match case.question:
            case "api.container":
                answers[question("api.container", id=id)] = {
                    **case.answer,
                    "Id": id,
                    "Name": f"/c{number}",
                }
                listed.append({"Id": id, "Names": [f"/c{number}"]})
            case "file.read":
                path = f"/{number}{case.args['path']}"
                answers[question("file.read", path=path)] = {**case.answer, "path": path}
            case "text":
                logs.append(case.answer)
                answers[question("fs.usage", path=f"/{number}")] = Failed("refused", case.answer)
            case kind:
                known = kind if kind in policies() else "api.info"
                answers[question(known, case=number)] = case.answer
    answers[question("api.logs", id="0" * 64, tail=200)] = {
        "text": "\n".join(logs),
        "truncated": False,
    }
    answers[question("api.containers", all=True)] = listed
    return made(answers)


def bundled(cases: Sequence[Case]) -> dict[str, bytes]:
    """The files of a bundle that holds every answer of that host, whether a check asks for it or
    not."""
    entries = host(cases)

    def all_asked(
        asked: Options, selected: Sequence[str], began: float, redactor: Redactor
    ) -> session.LiveHost:
        live = opener_of(entries)(asked, selected, began, redactor)
        assert len(list(live.recorder.ask_many(entries))) == len(entries)
        return live

    _, sealed = taken({}, open_recorder=all_asked)
    assert not sealed.shed
    return unpacked(sealed.data)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return bundled([*SECRETS, *LOOKALIKES])


@pytest.mark.fuzz
def test_recall_and_precision_over_the_bytes(
    files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
):
    leaked: dict[str, Any] = {}
    total = 0
    for case in SECRETS:
        for secret in case.secrets:
            total += 1
            if found := stands_in(files, forms(case.text if is_plain_word(secret) else secret)):
                leaked[f"{case.name} {case.text}"] = found
    hurt = [case.text for case in LOOKALIKES if not stands_in(files, forms(case.text))]
    with capsys.disabled():
        print(
            f"\nthe bundle's bytes: recall {100 * (total - len(leaked)) / total:.1f} % of {total} secrets, "
            f"precision {100 * (len(LOOKALIKES) - len(hurt)) / len(LOOKALIKES):.1f} % of {len(LOOKALIKES)} look-alikes, "
            f"{sum(map(len, files.values())) / 1e6:.1f} MB in {len(files)} files"
        )
    assert not leaked
    assert len(hurt) <= len(LOOKALIKES) // 100, hurt


@pytest.mark.fuzz
def test_fresh_secrets_over_the_bytes(capsys: pytest.CaptureFixture[str]):
    """Values and shapes that are new in each run: what is missed is printed, and belongs into the
    corpus."""
    seed = int(os.environ.get("CORPUS_SEED", random.SystemRandom().randrange(10**9)))
    cases = list(fresh.cases(seed, 300))
    files = bundled(cases)
    missed = [
        case
        for case in cases
        for secret in case.secrets
        if stands_in(files, forms(case.text if is_plain_word(secret) else secret))
    ]
    with capsys.disabled():
        print(
            f"\nfresh secrets in the bundle's bytes, seed {seed}: missed {len(missed)} of {len(cases)}"
        )
        for case in missed:
            print(f"  {case.name}: {case.question} {case.place} {case.text!r}")
    assert len(cases) == 300


def test_the_search_finds_what_is_there():
    """The search itself can fail: in a bundle made without redaction it finds nearly everything."""
    raw = {
        "answers.json": json.dumps(
            [entry.answer for entry in host(SECRETS).values()], default=str
        ).encode()
    }
    found = sum(
        bool(stands_in(raw, forms(case.text if is_plain_word(secret) else secret)))
        for case in SECRETS
        for secret in case.secrets
    )
    assert found > 0.95 * sum(len(case.secrets) for case in SECRETS)


ENCODED = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in the middle": lambda text: base64.b64encode(f"ab{text}cd".encode()).decode(),
    "JSON in JSON": lambda text: json.dumps({"env": [text]}),
}


@pytest.mark.parametrize("name", ENCODED)
def test_the_proof_sees_an_encoded_secret(name: str):
    """A value redacted by name, and standing encoded in a text where no rule looks for it: found,
    whatever the encoding."""
    secret = 'Kq7"w+Ex9pM/z'
    inspect = {"Id": "f" * 64, "Name": "/web", "Config": {"Env": [f"DB_PASSWORD={secret}"]}}
    answers = {
        question("api.containers", all=True): [{"Id": "f" * 64, "Names": ["/web"]}],
        question("api.container", id="f" * 64): inspect,
        question("api.info"): {"OperatingSystem": "x " + ENCODED[name](secret)},
    }
    said, files = proven(answers)
    assert "answers/api.info.json" in said or files
    assert secret not in said
    assert not stands_in(files, forms(secret))


def proven(answers: Mapping[AnyQuestion, Any]) -> tuple[str, dict[str, bytes]]:
    """What the proof said, or the files of the bundle that passed it."""
    try:
        return "", unpacked(taken(made(answers))[1].data)
    except LeakError as error:
        return str(error), {}
