"""Files that a container's writable layer has otherwise than its image, which something misses."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.lost_files import MOST, lost_files
from diagnose.programs.telling_line import TellingLine
from tests.checks.container.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

DOWN = {"Status": "exited", "Pid": 0, "ExitCode": 2}
WORKER = container("worker", State=DOWN)
NO_SCRIPT = "python3: can't open file '/app/worker.py': [Errno 2] No such file or directory"
NO_TOOL = "/backup.sh: 5: pg_dump: not found"
NO_MODULE = "ModuleNotFoundError: No module named 'redis'; file not found"
DENIED = "[Errno 13] Permission denied: '/app/worker.py'"
PROBE = 'OCI runtime exec failed: exec: "curl": executable file not found in $PATH'
PROBED = container(
    "probed",
    State={
        "Health": {
            "Status": "unhealthy",
            "FailingStreak": 3,
            "Log": [{"ExitCode": -1, "Output": PROBE}],
        }
    },
)
REFUSED = container(
    "refused",
    Path="python3",
    State={
        "Status": "exited",
        "Pid": 0,
        "ExitCode": 127,
        "Error": 'runc create failed: exec: "python3": executable file not found in $PATH',
    },
)
CHANGED, ADDED, DELETED = 0, 1, 2
Changes = list[tuple[int, str]]
CASES: dict[str, tuple[Container, str, Changes, str]] = {
    "a script": (
        WORKER,
        NO_SCRIPT,
        [(CHANGED, "/app"), (DELETED, "/app/worker.py")],
        "/app/worker.py",
    ),
    "the folder above": (WORKER, NO_SCRIPT, [(DELETED, "/app")], "/app"),
    "another folder": (WORKER, NO_SCRIPT, [(DELETED, "/ap")], ""),
    "a script that was added": (WORKER, NO_SCRIPT, [(ADDED, "/app/worker.py")], ""),
    "a program by its name": (WORKER, NO_TOOL, [(DELETED, "/usr/bin/pg_dump")], "/usr/bin/pg_dump"),
    "a file of that name elsewhere": (WORKER, NO_TOOL, [(DELETED, "/srv/pg_dump")], ""),
    "a module": (
        WORKER,
        NO_MODULE,
        [(DELETED, "/usr/lib/python3/dist-packages/redis")],
        "/usr/lib/python3/dist-packages/redis",
    ),
    "a mode": (WORKER, DENIED, [(CHANGED, "/app"), (CHANGED, "/app/worker.py")], "/app/worker.py"),
    "the mode of the folder": (WORKER, DENIED, [(CHANGED, "/app")], "/app"),
    "what else is in the folder": (WORKER, DENIED, [(CHANGED, "/app"), (ADDED, "/app/x")], ""),
    "a socket of its own": (WORKER, "no such file: /run/a.sock", [(DELETED, "/run/a.sock")], ""),
    "the program of a probe": (PROBED, "", [(DELETED, "/usr/bin/curl")], "/usr/bin/curl"),
    "the mode of the probe's program": (PROBED, "", [(CHANGED, "/usr/bin/curl")], "/usr/bin/curl"),
    "the program itself": (REFUSED, "", [(DELETED, "/usr/bin/python3")], "/usr/bin/python3"),
    "the program is not in the image": (REFUSED, "", [(CHANGED, "/usr/bin")], ""),
    "a configuration that every start writes": (
        WORKER,
        'host not found in upstream "api" in /etc/nginx/conf.d/default.conf:3',
        [(CHANGED, "/etc/nginx/conf.d/default.conf")],
        "",
    ),
    "the place of an error": (
        WORKER,
        'open() "/srv/x" failed (13: Permission denied) in /etc/nginx/nginx.conf:30',
        [(CHANGED, "/etc/nginx/nginx.conf"), (DELETED, "/usr/bin/conf")],
        "",
    ),
    "a line of a traceback": (
        WORKER,
        'File "/app/main.py", line 3: PermissionError: Permission denied: /srv/x',
        [(CHANGED, "/app/main.py")],
        "",
    ),
    "an error about no file": (WORKER, "panic: index out of range", [(DELETED, "/app")], ""),
}


def found(container: Container, line: str, changes: Changes, *, runs: bool = False) -> Any:
    """The lost files of a container that says that line, once or again and again."""
    answer = [{"Kind": kind, "Path": path} for kind, path in changes]
    telling = TellingLine(line)
    repeated = (RepeatedError(container, telling, times=4, of=9),) if runs else ()
    return lost_files(
        Made({"api.changes": answer}),
        of(container),
        LogTails({container.id: LogTail((line,))} if line and not runs else {}, {}),
        RepeatedErrors(repeated),
    )


@pytest.mark.parametrize(("container", "line", "changes", "path"), CASES.values(), ids=CASES)
def test_lost_files(container: Container, line: str, changes: Changes, path: str) -> None:
    lost = found(container, line, changes)
    assert [file.path for file in lost] == ([path] if path else [])
    result = judge("container.files-lost", lost_files=lost, log_tails=LogTails({}, {}), clock=CLOCK)
    assert rows(result) == ([("critical", container.name)] if path else [])


def test_of_a_program_that_runs_it_is_a_warning() -> None:
    backup = container("backup")
    lost = found(backup, NO_TOOL, [(DELETED, "/usr/bin/pg_dump")], runs=True)
    result = judge("container.files-lost", lost_files=lost, log_tails=LogTails({}, {}), clock=CLOCK)
    assert rows(result) == [("warning", "backup")]


def test_the_image_is_not_said_to_lack_it() -> None:
    lost = found(REFUSED, "", [(DELETED, "/usr/bin/python3")])
    result = judge("container.entrypoint-missing", containers=of(REFUSED), lost_files=lost)
    assert rows(result) == []


def test_containers_beyond_the_bound_are_unexamined() -> None:
    """A calm word about a container whose layer nobody has looked at would be false."""
    workers = of(
        *(
            container(f"worker{number}", Id=f"{number:064x}", State=DOWN)
            for number in range(MOST + 2)
        )
    )
    tails = LogTails({worker.id: LogTail((NO_SCRIPT,)) for worker in workers}, {})
    changes = [{"Kind": DELETED, "Path": "/app/worker.py"}]
    lost = lost_files(Made({"api.changes": changes}), workers, tails, RepeatedErrors(()))
    result = judge("container.files-lost", lost_files=lost, log_tails=LogTails({}, {}), clock=CLOCK)
    assert len(result.findings) == MOST
    assert [unexamined.subject.name for unexamined in result.unexamined] == ["worker32", "worker33"]
