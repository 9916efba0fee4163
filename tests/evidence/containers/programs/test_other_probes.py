"""A probe by a tool that the container has."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.other_probes import (
    connecting_probe,
    other_probe,
    other_probes,
)
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of

URL = "http://127.0.0.1:8080/health"
PROBES: dict[str, tuple[str, set[str], str]] = {
    "wget for curl": (f"curl -f {URL} || exit 1", {"wget", "sh"}, f"wget -q -O /dev/null {URL}"),
    "curl for wget": (f"wget -q --spider {URL}", {"curl"}, f"curl -fsS -o /dev/null {URL}"),
    "python": (f"curl -f {URL}", {"python3", "bash"}, f"python3 -c \"import urllib.request as r; r.urlopen('{URL}', timeout=5)\""),
    "bash connects": (f"curl -f {URL}", {"bash"}, "bash -c ': >/dev/tcp/127.0.0.1/8080'"),
    "no tool": (f"curl -f {URL}", set(), ""),
    "a header": (f"curl -H 'Host: shop' {URL}", {"wget"}, ""),
    "a variable": ("curl -f http://127.0.0.1:$PORT/", {"wget"}, ""),
    "two calls": (f"curl -f {URL} && curl -f {URL}2", {"wget"}, ""),
    "no call": ("pg_isready -U shop", {"wget"}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("command", "present", "other"), PROBES.values(), ids=PROBES)
def test_another_tool(command: str, present: set[str], other: str):
    assert other_probe(command, present) == other


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ({"nc"}, "nc -z 127.0.0.1 3003"),
        ({"nc", "bash"}, "bash -c ': >/dev/tcp/127.0.0.1/3003'"),
        ({"python3"}, "create_connection(('127.0.0.1', 3003), 5)"),
        ({"node"}, "connect(3003, '127.0.0.1'"),
        ({"curl"}, ""),
    ],
)
def test_a_probe_that_only_connects(present: set[str], words: str):
    probe = connecting_probe(3003, present)
    assert words in probe
    assert bool(probe) == bool(words)


@pytest.mark.parametrize(
    ("code", "output", "expected"),
    [
        (127, "/bin/sh: curl: not found", f"wget -q -O /dev/null {URL}"),
        (7, "connection refused", None),
        (0, "curl: not found, but wget is there", None),
    ],
)
def test_only_a_probe_that_could_not_run(code: int, output: str, expected: str | None):
    log = [{"Start": "", "End": "", "ExitCode": code, "Output": output}]
    container = container_in(
        "running",
        State={"Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": log}},
        Config={"Healthcheck": {"Test": ["CMD-SHELL", "curl -f http://localhost:8080/health"]}},
    )

    def file(question: Question[Any]) -> Json | Failed:
        is_there = question.args["path"] == "/usr/bin/wget"
        return {"type": "file", "mode": 0o755} if is_there else Failed("gone", "404")

    host = Made({"api.archive": file})
    assert other_probes(host, of(container)).by_id.get(container.id) == expected
    assert expected or not host.asked
