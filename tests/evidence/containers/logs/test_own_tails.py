"""What failed programs, supervisors and what these start wrote into log files of their own."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.inner_failures import inner_failures
from diagnose.evidence.containers.logs.own_files.own_logs import OwnLogs
from diagnose.evidence.containers.logs.own_files.own_tails import own_tails
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed, Json
from diagnose.phrases import rfc3339
from tests.hosts import Made
from tests.inspected import container, of

NOW = 1_800_000_000.0
MOUNT = {"Type": "volume", "Source": "/v/app/_data", "Destination": "/srv/app", "RW": True}
ENDED = container(
    "ended",
    Mounts=[MOUNT],
    State={
        "Status": "exited",
        "ExitCode": 1,
        "StartedAt": rfc3339(NOW - 60),
        "FinishedAt": rfc3339(NOW - 50),
    },
)
REASON = "FATAL config: DATABASE_URL is not set"


def found(written: float, text: str) -> Made:
    row = {"folder": "/v/app/_data", "below": "/log/app.log", "mtime": written, "uid": 0}
    return Made({"log_files": {"written": [row]}, "file.read": {"text": text, "mtime": written}})


ENDS: dict[str, tuple[Made, str]] = {
    "the reason": (found(NOW - 50, f"start\n{REASON}\n"), "/srv/app/log/app.log"),
    "of an earlier run": (found(NOW - 90, f"{REASON}\n"), ""),
    "of another container since": (found(NOW - 5, f"{REASON}\n"), ""),
    "nothing that explains": (found(NOW - 50, "start\n"), ""),
    "not allowed": (Made({"log_files": Failed("forbidden")}), ""),
}


@pytest.mark.parametrize(("host", "path"), ENDS.values(), ids=ENDS)
def test_the_file_of_a_container_that_ended(host: Made, path: str) -> None:
    tails = own_tails(host, [ENDED], None, 3600.0)
    assert [tail.path for tail in tails.values()] == ([path] if path else [])


def test_the_file_of_a_container_that_runs() -> None:
    sick = container("sick")
    lines = (RecentLine(NOW, "looking", "/a.log"), RecentLine(NOW, REASON, "/b.log"))
    host = Made({})
    (tail,) = own_tails(host, [sick], OwnLogs({sick.id: lines}), 3600.0).values()
    assert (tail.path, tail.lines) == ("/b.log", (REASON,))
    assert not host.asked


KEPT = container("kept", Mounts=[MOUNT])
GAVE_UP = "2027-01-15 07:59:00,120 INFO gave up: worker entered FATAL state, too many start retries"
OWN = {
    "/log/supervisord.log": f"2027-01-15 07:58:00,120 INFO spawned\n{GAVE_UP}\n",
    "/log/worker-stderr---supervisor-x1.log": "ModuleNotFoundError: No module named 'shop'\n",
    "/log/other.log": "PermissionError: [Errno 13] Permission denied: '/data'\n",
}


def inner(kept: Container, printed: str, *paths: str) -> list[tuple[str, str, str]]:
    """Program, reason and file of what failed inside."""

    def read(question: Json) -> Json:
        return {"text": OWN[question.path], "mtime": NOW - 60}

    rows = [
        {"folder": "/v/app/_data", "below": path, "mtime": NOW - 60, "uid": 0} for path in paths
    ]
    host = Made({"log_files": {"written": rows}, "file.read": read, "api.logs": {"text": printed}})
    process = Process(pid=1, comm="supervisord", uid=0, container=kept.id, start=1)
    failures = inner_failures(host, of(kept), Processes((process,)), Clock(NOW, 0.0))
    return [(failure.program, failure.reason, failure.path) for failure in failures]


PRINTED = f"{rfc3339(NOW - 60)} {GAVE_UP}"
MODULE = ("worker", "ModuleNotFoundError: No module named 'shop'", "/srv/app" + list(OWN)[1])
KEEPERS: dict[str, tuple[str, tuple[str, ...], list[tuple[str, str, str]]]] = {
    "the program's own file": (PRINTED, tuple(OWN), [MODULE]),
    "all in files": ("", tuple(OWN), [MODULE]),
    "no file has its name": (
        PRINTED,
        ("/log/other.log",),
        [("worker", OWN["/log/other.log"].strip(), "/srv/app/log/other.log")],
    ),
    "no file": (PRINTED, (), [("worker", "", "")]),
    "nothing failed": ("", ("/log/other.log",), []),
}


@pytest.mark.parametrize(("printed", "paths", "expected"), KEEPERS.values(), ids=KEEPERS)
def test_what_a_supervisors_program_wrote(
    printed: str, paths: tuple[str, ...], expected: list[tuple[str, str, str]]
) -> None:
    assert inner(KEPT, printed, *paths) == expected
