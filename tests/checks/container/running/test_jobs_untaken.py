"""container.jobs-untaken: what a scheduler and its workers have logged."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.untaken_jobs import untaken_jobs
from diagnose.evidence.machine.clock import Clock
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_767_348_000.0
FOUND = [("warning", "beat")]
INFO = "[x: INFO/MainProcess] "
READY = INFO + "celery@w ready."
SENT = INFO + "Scheduler: Sending due task remind-all (mail.remind)"
TAKEN = INFO + "Task mail.remind[3f2b8c1d-7a41-4d3e-9b60-1a2b3c4d5e6f] received"
OTHER = TAKEN.replace("remind", "sweep")
ENDED = OTHER.replace("INFO/MainProcess", "INFO/ForkPoolWorker-1").replace(
    "received", "succeeded in 3s: None"
)
BROKER = "- ** ---------- .> transport:   redis://:x@redis:6379/1"
BEAT = "    . broker -> redis://redis:6379/0"


def _service(name: str, *command: str) -> Container:
    marks = {"com.docker.compose.project": "mail", "com.docker.compose.service": name}
    return container(
        name, Path="celery", Args=["-A", "mail", *command], Config={"Labels": marks},
        State={"StartedAt": "2026-01-01T00:00:00Z"},
    )  # fmt: skip


def _log(texts: list[str]) -> dict[str, str]:
    """Lines of the last minutes, ten seconds apart."""
    times = (NOW - 10.0 * (len(texts) - at) for at in range(len(texts)))
    moments = (
        f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%FT%T}.000000000Z" for at in times
    )
    return {"text": "".join(f"{at} {text}\n" for at, text in zip(moments, texts, strict=True))}


def _judge(beat: list[str], worker: list[str], *command: str) -> Any:
    services = _service("beat", "beat"), _service("worker", "worker", *command)
    logs = {services[0].id: _log(beat), services[1].id: _log(worker)}
    host = Made({"api.logs": lambda question: logs[question.id]})
    items = untaken_jobs(host, of(*services), Clock(wall=NOW, booted=0.0))
    return judge("container.jobs-untaken", untaken_jobs=items, clock=Clock(wall=NOW, booted=0.0))


CASES: dict[str, tuple[list[str], list[str], list[tuple[str, str]]]] = {
    "nobody takes them": ([SENT] * 4, [READY] * 5, FOUND),
    "the worker takes them": ([SENT] * 4, [READY, TAKEN], []),
    "sent once": ([SENT], [READY] * 3, []),
    "sent before the worker's first line": ([SENT, SENT, "x", "x", "x", "x"], [READY], []),
    "a worker that logs only warnings": ([SENT] * 4, ["WARNING"] * 5, []),
    "nothing is due": ([INFO + "beat: Starting..."], [READY], []),
    "the worker is busy": ([SENT] * 3, [READY, OTHER, "x", "x", "x", "x"], []),
    "its task has ended": ([SENT] * 3, [READY, OTHER, ENDED, "x", "x", "x"], FOUND),
    "another task is taken": ([SENT] * 4, [READY] * 4 + [TAKEN.replace("remind", "sweep")], FOUND),
}


@pytest.mark.parametrize(("beat", "worker", "expected"), CASES.values(), ids=CASES)
def test_logs(beat: list[str], worker: list[str], expected: list[tuple[str, str]]) -> None:
    assert rows(_judge(beat, worker)) == expected


def test_why() -> None:
    (finding,) = _judge([SENT] * 4, [READY] * 5, "-Q", "letters,pictures").findings
    assert 'reads no other queue than "letters" and "pictures" (-Q)' in finding.summary
    assert finding.variables["read"] == "letters,pictures"
    assert finding.variables.get("default_queue") == "celery"
    (finding,) = _judge([SENT] * 4, [READY] * 5, "-Q", "celery,pictures").findings
    assert "default_queue" not in finding.variables
    (finding,) = _judge([BEAT, *[SENT] * 4], [BROKER, *[READY] * 6]).findings
    assert "redis://redis:6379/0, and" in finding.summary
    assert "reads redis://redis:6379/1" in finding.summary
