"""What a bundle without names is judged to be, and what its bytes hold."""

from __future__ import annotations

import json
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose.document import document
from diagnose.judgement import engine
from diagnose.questions import AnyQuestion
from diagnose.questions.run import Options
from diagnose.recording import source
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.ticket import vocabulary, write
from diagnose.ticket.anonymize import Renaming
from tests.questions import question
from tests.ticket.anonymized import KEY
from tests.ticket.anonymized_shop import SHOP, restored
from tests.tickets import DATA, KNOWN, opener_of, taken, unpacked

ROOT = Path(__file__).parents[2]


def judged(entries: Mapping[AnyQuestion, RecordedAnswer]) -> dict[str, Any]:
    what = engine.Run(KNOWN, tuple(KNOWN))
    return document(
        engine.run(Replay(entries), what, began=0.0, budget=Budget(time.monotonic() + 60))
    )


def essence(report: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal up to the renaming; words in any order, since lists are in the order of
    their names."""

    def loose(value: Any) -> Any:
        if isinstance(value, str):
            return sorted(re.split(r"[\s,]+", value))
        if isinstance(value, list):
            return sorted(json.dumps(loose(child), sort_keys=True) for child in value)
        if isinstance(value, dict):
            return {key: loose(child) for key, child in value.items()}
        return value

    findings = {
        f["key"]: {
            name: loose(f[name]) for name in ("severity", "summary", "evidence", "fix", "root")
        }
        for f in report["findings"]
    }
    checks = {
        c["id"]: (c["verdict"], loose(c["why"]), c["examined"], loose(c["unexamined"]))
        for c in report["checks"]
    }
    return {**findings, **checks}


def firewalled(name: str) -> dict[AnyQuestion, RecordedAnswer]:
    """The recorded host with the packet filter of another recording, native rules and sets
    included."""
    entries = dict(source.read(DATA / "fifteen-faults-28.5.2.tar.gz")[0])
    rules = json.loads((ROOT / f"tests/data/firewall/{name}.json").read_text())
    entries[question("nftables")] = RecordedAnswer(rules["nftables"])
    return entries


RECORDINGS = {
    "fifteen faults": lambda: source.read(DATA / "fifteen-faults-28.5.2.tar.gz")[0],
    "the demo": lambda: source.read(ROOT / "fixtures/demo")[0],
    "native sets": lambda: firewalled("28.5-native-sets"),
    "a subnet dropped": lambda: firewalled("26.1-docker-user-drops-a-subnet"),
    "a shop": lambda: SHOP,
}


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.fuzz
def test_findings_are_equal_up_to_the_renaming(name: str, seed: int):
    entries = RECORDINGS[name]()
    renaming = Renaming(entries, seed.to_bytes(32, "big"))
    plain, renamed = judged(entries), judged(renaming.recording(entries))
    assert essence(restored(renaming.names, renaming.addresses.seen, renamed)) == essence(plain)


@pytest.mark.parametrize("name", ["fifteen faults", "the demo"])
@pytest.mark.fuzz
def test_no_old_name_is_in_the_bytes(name: str):
    entries = RECORDINGS[name]()
    _, sealed = taken(entries, anonymize=True)
    files = unpacked(sealed.data)
    renaming = Renaming(entries, KEY)
    long = [name for name in renaming.names if len(name) > 3]
    telling = [name for name in long if name not in vocabulary.known_words()]
    # the tool's own words grow with it, and a host's name that is one of them may stay
    assert len(telling) > len(long) / 2
    assert len(long) >= 20
    head = json.loads(files["manifest.json"])
    assert head["anonymized"] == {"checks_that_say_something_else": []}
    assert head["host"].startswith("host")
    # in what the tool says, "report" and "store" are words of its own
    ours = ("report.md", "report.json", "report.html", "manifest.json", "answers/options.json")
    whole = b"\n".join(data for name, data in files.items() if name not in ours).decode()
    drawn = re.findall(r"<text [^>]*>([^<]*)</text>", files["report.html"].decode())
    assert len(drawn) > 20
    # the time line names checks, and the outside has a name too
    whole += "\n".join(
        label for label in drawn if "." not in label and label not in ("other hosts", "outside")
    )
    left = [
        word
        for word in telling
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", whole)
    ]
    assert left == []


def test_the_names_are_kept_only_where_the_user_asks(tmp_path: Path):
    for name, order in {
        "without": write.Order(tmp_path / "a.tar.gz", anonymize=True),
        "with": write.Order(tmp_path / "b.tar.gz", anonymize=True, map=tmp_path / "names.json"),
    }.items():
        write.deliver(
            KNOWN, Options(), order, began=time.monotonic(), open_recorder=opener_of(SHOP)
        )
        assert (tmp_path / "names.json").exists() == (name == "with")
    names = json.loads((tmp_path / "names.json").read_text())
    assert names["names"]["buildhost7"] == "host01"
    assert "172.23.7.5" in names["addresses"]
    assert stat.S_IMODE((tmp_path / "names.json").stat().st_mode) == 0o600
    assert b"buildhost7" not in b"".join(unpacked((tmp_path / "b.tar.gz").read_bytes()).values())


def test_no_map_is_left_where_the_bundle_could_not_be_written(tmp_path: Path):
    order = write.Order(tmp_path / "x.tar.gz", anonymize=True, map=tmp_path / "names.json")

    def late(*given: Any) -> Any:
        (tmp_path / "x.tar.gz").write_bytes(b"mine")
        return opener_of(SHOP)(*given)

    with pytest.raises(write.NotWrittenError):
        write.deliver(KNOWN, Options(), order, began=time.monotonic(), open_recorder=late)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz"]
