"""Wrong words, files and settings: one clear sentence, exit 3, and nothing written by mistake."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from diagnose import session
from diagnose.questions.run import Options
from diagnose.redact import Redactor
from diagnose.session import InvalidRequestError
from tests.commands.no_engine import run

WRONG = {
    "no such check": (["check", "container.oom-kiled"], "container.oom-killed"),
    "no such command": (["nothing"], "No such command 'nothing'"),
    "a mistyped command": (["timelin"], "No such command 'timelin'; did you mean timeline?"),
    "a container that a bundle lacks": (
        ["recreate", "nope", "--from", "demo"],
        "cannot inspect container 'nope': not in this bundle",
    ),
    "no such option": (["all", "--nosuch"], "nosuch"),
    "a budget that is not a number": (["all", "--budget", "soon"], "'soon' is not a duration"),
    "a budget of nothing": (["all", "--budget", "0"], "out of range"),
    "a budget without end": (["all", "--budget", "inf"], "out of range"),
    "nothing to replay": (["all", "--from", "/nonexistent"], "/nonexistent"),
    "a foreign folder": (["all", "--from", "/etc"], "/etc"),
    "no page": (["explain", "nosuch.page"], "nosuch.page"),
    "an empty source": (["all", "--from", ""], "it is empty"),
    "an empty output": (["all", "-o", ""], "it is empty"),
    "a check without its command": (
        ["container.oom-killed"],
        "did you mean diagnose check container.oom-killed?",
    ),
    "a word of an id": (["check", "oom"], "did you mean container.oom-killed"),
    "a word that several ids begin with": (
        ["check", "restart"],
        "did you mean container.restart-loop, container.restart",
    ),
    "the beginning of an id": (["check", "container.oom"], "did you mean container.oom-killed"),
    "an address that is none": (
        ["all", "-H", "ftp://engine"],
        "none of unix, tcp and ssh: ftp://engine",
    ),
    "a docker context that is none": (
        ["all", "--context", "nosuch"],
        "there is no docker context 'nosuch'",
    ),
    "a glob that matches nothing": (
        ["check", "dsn.*"],
        "no check matches 'dsn.*'; did you mean dns",
    ),
    "two engines": (
        ["all", "-H", "unix:///x", "--context", "y"],
        "-H and --context name two endpoints",
    ),
    "a recording and an engine": (
        ["all", "--from", "demo", "-H", "unix:///x"],
        "does not go with --from",
    ),
    "a recording and a span": (
        ["all", "--from", "demo", "--since", "1h"],
        "does not go with --from",
    ),
    "a recording and no probe": (
        ["all", "--from", "demo", "--no-probe"],
        "does not go with --from",
    ),
    "a recording and a name": (
        ["check", "dns", "--from", "demo", "--resolve", "x.test"],
        "does not go with --from",
    ),
    "a name and no query": (
        ["all", "--resolve", "x.test", "--no-probe"],
        "does not go with --no-probe",
    ),
    "a source that is not a bundle": (
        ["all", "--from", "/etc/passwd"],
        "neither a bundle nor a recorded folder",
    ),
    "no selector": (["check"], "SELECTOR"),
    "an output that exists": (["all", "-o", "/etc/passwd"], "/etc/passwd"),
    "a missing configuration": (
        ["all", "--config", "/nonexistent.toml"],
        "cannot read /nonexistent.toml",
    ),
    "a missing configuration of a list": (
        ["list", "--config", "/nonexistent.toml"],
        "cannot read /nonexistent.toml",
    ),
    "an empty bundle": (["bundle", "-o", ""], "it is empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input_is_one_clear_sentence_and_exit_3(name: str):
    args, hint = WRONG[name]
    done = run(*args)
    assert done.returncode == 3
    assert done.stdout == ("exit 1\n" if args[0] == "recreate" else "")
    assert hint in done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


WRONG_SITES = {
    "an unknown key": ('[site]\nrack = "b12"\n', "site has no key 'rack'"),
    "a label that is not text": ("[site]\nlabels = { rack = 12 }\n", "labels is a table of texts"),
    "a label without end": (f'[site]\nlabels = {{ rack = "{"x" * 200}" }}\n', "at most 20 labels"),
    "no table": ("site = 1\n", "site is a table"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_SITES.values(), ids=WRONG_SITES)
def test_a_wrong_site_is_one_clear_sentence(folder: Path, tmp_path: Path, text: str, words: str):
    config = tmp_path / "site.toml"
    config.write_text(text)
    done = run("all", "--from", str(folder), "--config", str(config))
    assert done.returncode == 3
    assert words in done.stderr


def test_an_error_leaves_no_empty_report(tmp_path: Path):
    target = tmp_path / "report.txt"
    assert run("all", "--from", "/nonexistent", "-o", str(target)).returncode == 3
    assert not target.exists()


def test_a_context_that_is_gone_says_nothing_about_the_files_of_this_host(tmp_path: Path):
    env = {"DOCKER_HOST": "", "DOCKER_CONTEXT": "nosuch", "HOME": str(tmp_path)}
    done = run("all", "--no-probe", "--format", "json", env=env)
    report = json.loads(done.stdout)
    assert (done.returncode, report["findings"]) == (3, [])
    whys = {check["why"] for check in report["checks"] if check["verdict"] == "unknown"}
    assert any("there is no docker context 'nosuch' (DOCKER_CONTEXT)" in why for why in whys)


def test_a_missing_package_is_no_silent_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    with pytest.raises(InvalidRequestError, match="no Python package httptools"):
        session.live(Options(), (), time.monotonic(), Redactor())


@pytest.mark.parametrize("option", ["--from", "--config"])
def test_a_name_with_escapes_does_nothing_to_a_terminal(option: str) -> None:
    name = "/nope\x1b]0;title\x07\x1b[31m\u202e\x9b"
    done = run("all", option, name)
    assert done.returncode == 3
    assert "/nope?]0;title??[31m??: No such file or directory" in done.stderr


def test_a_name_without_end_fits_on_a_screen() -> None:
    done = run("explain", "a" * 100_000)
    assert done.returncode == 3
    assert len(done.stderr) < 3000
    assert "more characters" in done.stderr
