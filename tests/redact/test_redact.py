"""Secrets are replaced wherever they stand, and what looks like one stays."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from diagnose.evidence.engine.daemon_json.refusals import faults_of
from diagnose.redact import Redactor, is_token
from diagnose.ticket.proof import leaks
from tests import corpus
from tests.corpus import Case, fresh
from tests.redact.redacting import KEY

TOKEN = re.compile(r"<redacted:[a-z0-9-]+:[0-9a-f]{6,24}>")


SECRETS = corpus.cases("secrets.txt", 1)


LOOKALIKES = corpus.cases("lookalikes.txt", 2)


def redacted(case: Case) -> Any:
    redactor = Redactor(KEY)
    if case.question == "text":
        return redactor.text(case.answer)
    return redactor.answer(case.question, case.args, case.answer)


def missed(case: Case) -> list[str]:
    """The secrets of a case that still stand where they stood."""
    same = set(corpus.strings(corpus.template(case.question)))
    before = list(corpus.strings(case.answer))
    after = list(corpus.strings(redacted(case)))
    if len(before) != len(after):
        return ["the answer has lost its shape"]
    return [
        secret
        for secret in case.secrets
        if any(
            secret in old and old not in same and new.count(secret) >= old.count(secret)
            for old, new in zip(before, after, strict=True)
        )
    ]


def test_the_corpus_is_large_enough() -> None:
    assert sum(len(case.secrets) for case in SECRETS) >= 200
    assert len({case.text for case in LOOKALIKES}) >= 200
    assert all(case.secrets for case in SECRETS)
    assert not any(case.secrets for case in LOOKALIKES)


def test_recall_and_precision(say: Callable[[str], None]) -> None:
    lost = {case.name: (case.text, missed(case)) for case in SECRETS if missed(case)}
    hurt = {
        case.name: (case.text, redacted(case))
        for case in LOOKALIKES
        if redacted(case) != case.answer
    }
    total = sum(len(case.secrets) for case in SECRETS)
    kept = sum(len(secrets) for _, secrets in lost.values())
    say(
        f"redaction recall {100 * (total - kept) / total:.1f} % of {total} secrets in {len(SECRETS)} answers, "
        f"precision {100 * (len(LOOKALIKES) - len(hurt)) / len(LOOKALIKES):.1f} % of {len(LOOKALIKES)} look-alikes"
    )
    assert not lost
    assert len(hurt) <= len(LOOKALIKES) // 100, hurt


def test_only_the_value_goes() -> None:
    """What stands around a secret stays, so that a reader sees which setting it was."""
    for case in SECRETS:
        text = "\n".join(corpus.strings(redacted(case)))
        around = "\n".join(corpus.strings(case.around))
        assert re.sub(r"\s", "", TOKEN.sub("", text)) == re.sub(r"\s", "", around), case.name


def test_fresh_secrets_are_found(say: Callable[[str], None]) -> None:
    """Values and shapes that are new in each run: what is missed is printed, and belongs into the
    corpus."""
    seed = int(os.environ.get("CORPUS_SEED", random.SystemRandom().randrange(10**9)))
    made = list(fresh.cases(seed, 300))
    lost = [case for case in made if missed(case)]
    say(f"fresh secrets, seed {seed}: missed {len(lost)} of {len(made)}")
    for case in lost:
        say(f"  {case.name}: {case.question} {case.place} {case.text!r}")
    assert len(made) == 300


def test_the_bytes_of_a_whole_run_hold_no_secret() -> None:
    """All cases in one run, in one archive: what was met by name in one answer is gone from every
    other."""
    redactor = Redactor(KEY)
    answers = [
        redactor.text(case.answer)
        if case.question == "text"
        else redactor.answer(case.question, case.args, case.answer)
        for case in [*SECRETS, *LOOKALIKES]
    ]
    data = json.dumps([redactor.settle(answer) for answer in answers], ensure_ascii=False).encode()
    assert sum(redactor.counts.values()) > 200
    assert len(list(redactor.secrets)) > 200
    assert leaks([("answers.json", data)], redactor.secrets, redactor.phrases) == []


def test_the_same_secret_gets_the_same_token_and_another_key_another() -> None:
    redactor, other = Redactor(KEY), Redactor()
    env = ["DB_PASSWORD=k0mplizierT", "URL=redis://:k0mplizierT@cache", "DB_PASSWORD_OLD=and3rsWo"]
    first, second, third = redactor.answer("api.container", {}, {"Config": {"Env": env}})["Config"][
        "Env"
    ]
    token = first.partition("=")[2]
    assert is_token(token) == "password"
    assert second == f"URL=redis://:{token}@cache"
    assert is_token(third.partition("=")[2]) == "password"
    assert token not in third
    assert other.text(env[0]) != first


@pytest.mark.parametrize("options", ["", "?sslmode=require&application_name=shop"])
def test_the_token_of_an_escaped_password_says_so(options: str) -> None:
    """`s3cret%40Wort` is the password `s3cret@Wort`, whose own token is another one."""
    texts = [
        f"postgres://app:{password}@db/app{options}" for password in ("s3cret%40Wort", "s3cretWort")
    ]
    kinds = [TOKEN.findall(Redactor(KEY).text(text))[0].split(":")[1] for text in texts]
    assert kinds == ["url-password-escaped", "url-password"]


def test_redacting_twice_changes_nothing() -> None:
    for case in SECRETS:
        once = redacted(case)
        if case.question == "text":
            again = Redactor().text(once)
        else:
            again = Redactor().answer(case.question, case.args, once)
        assert again == once, case.name


def test_an_answer_is_not_changed_in_place_and_a_clean_one_is_the_same_object() -> None:
    for case in SECRETS:
        before = json.dumps(case.answer)
        redacted(case)
        assert json.dumps(case.answer) == before
    for case in LOOKALIKES:
        if isinstance(case.answer, (dict, list)):
            assert Redactor(KEY).answer(case.question, case.args, case.answer) == case.answer


def test_a_text_of_two_bytes_a_character_is_read() -> None:
    """What an editor on Windows saves, and what some programs log."""
    for wide in ("D\0B\0_\0", "\0D\0B\0_"):
        inner = "PASSWORD=s3cretWort\n"
        text = wide + "".join(f"\0{c}" if wide[0] == "\0" else f"{c}\0" for c in inner)
        new = Redactor(KEY).answer("file.read", {"path": "/srv/.env"}, {"text": text})["text"]
        plain = new.replace("\0", "")
        assert plain.startswith("DB_PASSWORD=<redacted:password:")
        assert "s3cretWort" not in plain
    calm = "".join(f"{c}\0" for c in "LANG=C\n")
    assert Redactor(KEY).text(calm) == calm


def test_a_follow_up_question_gets_the_value_back() -> None:
    redactor = Redactor(KEY)
    answer = redactor.answer("api.info", {}, {"HttpProxy": "http://svc:s3cretWort@proxy:3128"})
    assert "s3cretWort" not in json.dumps(answer)
    assert redactor.restore({"url": answer["HttpProxy"], "n": [1, None]}) == {
        "url": "http://svc:s3cretWort@proxy:3128",
        "n": [1, None],
    }
    assert redactor.restore("<redacted:password:000000>") == "<redacted:password:000000>"


def test_a_value_learned_by_name_goes_from_text_that_does_not_name_it() -> None:
    redactor = Redactor(KEY)
    assert "hunter2hunter" in redactor.text("argument hunter2hunter was refused")
    redactor.answer("api.container", {}, {"Config": {"Env": ["DB_PASSWORD=hunter2hunter"]}})
    token = redactor.text("DB_PASSWORD=hunter2hunter").partition("=")[2]
    assert redactor.text("argument hunter2hunter was refused") == f"argument {token} was refused"
    assert "hunter2hunter" not in json.dumps(
        redactor.answer("api.logs", {}, {"text": "app hunter2hunter"})
    )
    assert redactor.settle(["early: hunter2hunter"]) != ["early: hunter2hunter"]


def test_of_many_known_secrets_the_one_in_an_earlier_answer_goes() -> None:
    redactor = Redactor(KEY)
    secrets = [f"s3cret{number}Wort" for number in range(100)]
    redactor.answer("api.container", {}, {"Config": {"Env": [f"A_PASSWORD={s}" for s in secrets]}})
    early, harmless = [{"early: s3cret77Wort": ["two"]}], [{"early": ["s3cret and Wort"]}]
    assert "s3cret77Wort" not in json.dumps(redactor.settle(early))
    assert redactor.settle(harmless) is harmless


def test_an_ordinary_word_as_a_password_is_gone_where_it_is_one_and_stays_elsewhere() -> None:
    redactor = Redactor(KEY)
    answer = redactor.answer(
        "api.container",
        {},
        {
            "Name": "/postgres",
            "Config": {"Env": ["POSTGRES_USER=postgres", "POSTGRES_PASSWORD=postgres"]},
        },
    )
    assert answer["Config"]["Env"][0] == "POSTGRES_USER=postgres"
    assert is_token(answer["Config"]["Env"][1].partition("=")[2]) == "password"
    assert redactor.text("database postgres is up") == "database postgres is up"
    assert list(redactor.phrases) == [("password", "POSTGRES_PASSWORD=postgres")]
    given = (redactor.secrets, redactor.phrases)
    assert leaks([("f", json.dumps(answer).encode())], *given) == []


def test_a_password_that_is_also_a_containers_name_does_not_hide_the_container() -> None:
    redactor = Redactor(KEY)
    answer = redactor.answer(
        "api.container", {}, {"Name": "/shop-db-1", "Config": {"Env": ["DB_PASSWORD=shop-db-1"]}}
    )
    assert answer["Name"] == "/shop-db-1"
    assert redactor.text("container shop-db-1 exited") == "container shop-db-1 exited"
    assert list(redactor.phrases) == [("password", "DB_PASSWORD=shop-db-1")]


def test_a_key_that_is_a_secret_itself_is_replaced() -> None:
    answer = Redactor(KEY).answer("x", {}, {"https://bob:s3cretWort@reg/": {"n": 1}})
    assert "s3cretWort" not in json.dumps(answer)
    assert list(answer.values()) == [{"n": 1}]


def test_the_size_of_a_folder_is_no_secret_whatever_it_is_called() -> None:
    """A volume that is called app_password made the answer about all folders unreadable."""
    walked = {"by": {"volumes/app_password": 4096, "secrets": 1024}, "files": {"tmp/tmp.pwAw22": 2}}
    assert Redactor(KEY).answer("fs.walk", {}, walked) == walked
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    hidden = Redactor(KEY).answer("fs.walk", {}, {"by": {f"cache/{token}@x": 7}})
    assert isinstance(hidden, dict)
    ((path, size),) = hidden["by"].items()
    assert token not in path
    assert size == 7


def test_a_file_keeps_its_notation() -> None:
    text = '{\n    "proxies": {"http-proxy": "http://a:s3cretWort@p"},\n    "ünit": 1\n}\n'
    answer = Redactor(KEY).answer(
        "file.read", {"path": "/etc/docker/daemon.json"}, {"text": text, "size": 9}
    )
    assert json.loads(answer["text"])["ünit"] == 1
    assert answer["text"].startswith('{\n    "proxies"')
    assert answer["size"] == 9
    assert "s3cretWort" not in answer["text"]


NOTATIONS = {
    "uneven lines": '{"dns": ["192.0.2.1",\n "192.0.2.2"],   "proxies":\n\n  {"http-proxy": "http://a:s3cretWort@p"},\n"x\\u0041": 1}',
    "one line": '{"proxies":{"http-proxy":"http://a:s3cretWort@p"},"debug":true}',
    "a key twice": '{\n "debug": true, "proxies": {"http-proxy": "http://a:s3cretWort@p"},\n "debug": false\n}',
    "a secret under a key that is there twice": '{"password": "s3cretWort",\n\n"password": "and3rsWortXy"\n}',
    "no JSON": '{\n "proxies": {"http-proxy": "http://a:s3cretWort@p"},\n "debug": true,\n}',
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_place_in_a_file_stays_where_it_was(name: str) -> None:
    """Lines, the order of keys and doubled keys are what a fault in the file is named by."""
    text = NOTATIONS[name]
    new = Redactor(KEY).answer("file.read", {"path": "/etc/docker/daemon.json"}, {"text": text})[
        "text"
    ]
    assert "s3cretWort" not in new
    assert "and3rsWortXy" not in new
    blank = re.compile(r"s3cretWort|and3rsWortXy|<redacted:[^>]*>")
    assert blank.sub("", new) == blank.sub("", text)


PLACES = {
    "on another line": (
        '{"proxies": {"http-proxy": "http://a:s3cretWort@p"},\n "debug": tru}',
        (2, 11),
    ),
    "before the secret": (
        '{"debug": tru, "proxies": {"http-proxy": "http://a:s3cretWort@p"}}',
        (1, 11),
    ),
    "behind the secret": (
        '{"proxies": {"http-proxy": "http://a:s3cretWort@p"}, "debug": tru}',
        (1, 0),
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_fault_is_named_where_it_is_in_the_file_or_without_its_column(name: str) -> None:
    text, place = PLACES[name]
    new = Redactor(KEY).answer("file.read", {"path": "/etc/docker/daemon.json"}, {"text": text})[
        "text"
    ]
    assert "s3cretWort" not in new
    (fault,) = faults_of(new, 28)
    assert (fault.line, fault.column) == place


def test_an_address_without_its_host_keeps_no_password() -> None:
    assert "k0mplizierT" not in Redactor().text("REDIS_URL=redis://:k0mplizierT@:6379/0")
