"""`diagnose mcp`: the SDK's own client lists and calls every tool; no secret of a host leaves."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose.mcp import tools
from diagnose.questions.run import Options
from diagnose.recording.recorder import RecordedAnswer
from diagnose.ticket import create
from tests.tickets import KNOWN, opener_of, recorded

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "fixtures/demo"
needs_sdk = pytest.mark.skipif(
    importlib.util.find_spec("mcp") is None, reason="the SDK is missing: pip install 'mcp>=2'"
)

CALLS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("list_checks", {}),
    ("list_checks", {"checks": ["dns", "network.*"]}),
    ("diagnose", {}),
    ("diagnose", {"checks": ["container"], "since": "2h"}),
    ("explain", {"page": "storage.disk-full"}),
    ("explain", {"page": "no space left on device"}),
    ("explain", {"page": "storage.disk-full", "here": True}),
    ("path", {"begin": "host", "end": "host:22"}),
    ("timeline", {}),
    ("timeline", {"since": "7d"}),
)


def called(
    arguments: Iterable[str], calls: Iterable[tuple[str, Mapping[str, Any]]]
) -> tuple[list[Any], list[tuple[bool, str]]]:
    """The tools that a server lists, and its answers: whether each is an error, and its text."""
    from mcp import Client, StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "diagnose", "mcp", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    async def talk() -> tuple[list[Any], list[tuple[bool, str]]]:
        async with Client(server, read_timeout_seconds=90) as client:
            listed = (await client.list_tools()).tools
            answers = []
            for name, given in calls:
                result = await client.call_tool(name, dict(given))
                answers.append((bool(result.is_error), result.content[0].text))
            return listed, answers

    return asyncio.run(talk())


def test_the_list_of_all_checks_is_no_answer_that_is_cut() -> None:
    rows = [
        {"id": check.id, "severity": check.severity, "title": check.title}
        for check in KNOWN.values()
    ]
    listed = tools.checks_in(json.dumps(rows))
    assert len(listed) <= tools.MOST_CHARACTERS


@needs_sdk
def test_a_real_client_lists_and_calls_every_tool() -> None:
    listed, answers = called(["--from", str(DEMO)], CALLS)
    assert {tool.name for tool in listed} == {name for name, _ in CALLS}
    for tool in listed:
        assert tool.description
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
    for (name, given), (is_error, text) in zip(CALLS, answers, strict=True):
        assert not is_error, (name, given, text)
        assert len(text) <= tools.MOST_CHARACTERS + 200
        assert "redacted" in text.splitlines()[-1], text
    everything = answers[0][1]
    assert all(f"\n{id} (" in f"\n{everything}" for id in KNOWN)
    assert "root 1: critical" in answers[2][1]
    assert "## Fix" in answers[4][1]


HOSTILE = (
    ("diagnose", {"checks": ["--output=/tmp/never"]}),
    ("diagnose", {"containers": ["--output=/tmp/never"]}),
    ("timeline", {"since": "24h --push=s3://x"}),
    ("explain", {"page": "--raw"}),
    ("explain", {"page": "../../etc/passwd"}),
    ("path", {"begin": "--probe", "end": "db:80"}),
    ("path", {"begin": "", "end": "db:80"}),
    ("timeline", {"since": "x" * 400}),
    ("list_checks", {"checks": ["a"] * 21}),
)


@needs_sdk
def test_words_of_a_client_are_never_options() -> None:
    """Each is refused with a sentence, and the server continues."""
    _, answers = called(["--from", str(DEMO)], (*HOSTILE, ("list_checks", {"checks": ["dns"]})))
    assert [is_error for is_error, _ in answers] == [True] * len(HOSTILE) + [False]
    assert all("Traceback" not in text for _, text in answers)
    assert not Path("/tmp/never").exists()


CANARIES = {
    "environment": "canary7Kq9ExMpZ",
    "command": "canary3Wt5RbNvY",
    "log": "canary8Hj2LsQcX",
    "label": "canary4Fg6DkUaW",
    "own": "CUST-90210777",
}


def bundle_with_canaries(folder: Path) -> Path:
    """A bundle of a broken host whose containers hold secrets; the file is redacted."""
    entries = dict(recorded())
    for asked, entry in recorded().items():
        if asked.kind == "api.container" and isinstance(entry.answer, dict):
            config = dict(entry.answer["Config"])
            config["Env"] = [*(config.get("Env") or ()), f"DB_PASSWORD={CANARIES['environment']}"]
            config["Cmd"] = ["mysqladmin", "-uroot", f"-p{CANARIES['command']}", "ping"]
            labels = {"api_token": CANARIES["label"], "owner": CANARIES["own"]}
            config["Labels"] = {**(config.get("Labels") or {}), **labels}
            entries[asked] = RecordedAnswer({**entry.answer, "Config": config}, 0.0)
        if asked.kind == "api.logs" and isinstance(entry.answer, dict):
            text = f"{entry.answer.get('text', '')}\nlogin failed, password={CANARIES['log']}\n"
            entries[asked] = RecordedAnswer({**entry.answer, "text": text}, 0.0)
        if asked.kind == "api.info" and isinstance(entry.answer, dict):
            info = {**entry.answer, "Name": f"host-{CANARIES['own']}"}
            entries[asked] = RecordedAnswer(info, 0.0)
    own = folder / "own.toml"
    own.write_text("[redact.patterns]\ncustomer = 'CUST-[0-9]{8}'\n")
    done = create.take(
        KNOWN,
        Options(config=own),
        began=time.monotonic(),
        max_size=10_000_000,
        open_recorder=opener_of(entries),
    )
    path = folder / "bundle.tar.gz"
    path.write_bytes(done.sealed.data)
    return path


@needs_sdk
def test_no_canary_leaves(tmp_path: Path) -> None:
    path = bundle_with_canaries(tmp_path)
    names = [name for name in tmp_path.iterdir() if name.suffix == ".toml"]
    calls = [*CALLS, ("diagnose", {"checks": ["*"]})]
    _, answers = called([f"--from={path}", f"--config={names[0]}"], calls)
    texts = "\n".join(text for _, text in answers)
    assert "<redacted:customer:" in texts
    assert [name for name, canary in CANARIES.items() if canary in texts] == []


def test_without_the_sdk_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ModuleNotFoundError('none', name='mcp')\n")
    done = subprocess.run(
        [sys.executable, "-m", "diagnose", "mcp"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "Error: `diagnose mcp` needs the package mcp: pip install 'docker-host-diagnose[mcp]'"
    ]


def test_an_answer_is_bounded_and_counted() -> None:
    token = "<redacted:password:abcdef>"
    assert tools.bounded(f"a {token} b {token}").endswith("[2 values redacted]")
    much = "x" * (tools.MOST_CHARACTERS + 5)
    assert "5 characters left out at the end" in tools.bounded(much)
    assert "left out at the beginning" in tools.bounded(f"{much}end", keeps_end=True)
    assert tools.bounded(f"{much}end", keeps_end=True).split("\n")[0].endswith("end")


def test_what_is_asked_was_chosen_by_the_one_who_started_the_server() -> None:
    means = tools.ServerMeans(
        ("--host=tcp://h:1", "--config=/c", "--budget=5"), probe=False, budget_s=5
    )
    assert tools.diagnose([], ["web"], "1h", means) == [
        "all", "--host=tcp://h:1", "--config=/c", "--budget=5", "--no-probe",
        "--container=web", "--format=llm", "--since=1h",
    ]  # fmt: skip
    assert tools.path("a", "b:1", means)[-3:] == ["--", "a", "b:1"]
    assert "--probe" not in tools.path("a", "b:1", means)
    assert tools.list_checks(["dns"], means) == [
        "list",
        "--format=json",
        "--config=/c",
        "--",
        "dns",
    ]
    for text in ("", " ", "a\0b", "x" * 301):
        with pytest.raises(tools.NoAnswerError):
            tools.explain(text, False, means)
