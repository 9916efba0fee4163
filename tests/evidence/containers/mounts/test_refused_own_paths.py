"""Paths that a running program says it is refused, with what the host shows of them."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.mounts.access.refused_own_paths import (
    RefusedOwnPaths,
    refused_own_paths,
)
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

APP = container("shop", Config={"WorkingDir": "/app"}, State={"Status": "running", "Pid": 77})
SUPERVISED = container(
    "shop",
    Config={"WorkingDir": "/app", "Env": ["PUID=33", "PGID=33"]},
    State={"Status": "running", "Pid": 77},
)
ROOT = "/proc/77/root"
LOG = "/app/storage/logs/laravel.log"
LINE = f'ERROR: The stream or file "{LOG}" could not be opened: Failed to open stream: Permission denied'
FILE = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0}
FOLDER = {"type": "folder", "mode": 0o755, "uid": 0, "gid": 0}
OWN = {"type": "folder", "mode": 0o755, "uid": 33, "gid": 33}
WAY = {"/app": FOLDER, "/app/storage": FOLDER, "/app/storage/logs": OWN}
CLOSED = {**WAY, "/app/storage": {**FOLDER, "mode": 0o770, "gid": 4}, LOG: {**FILE, "uid": 33}}
STATUS = "Gid:\t33\t33\t33\t33\nGroups:\t{}\nCapEff:\t{:016x}\n"
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a file of root": ({**WAY, LOG: FILE}, {}, LOG),
    "a file of the user": ({**WAY, LOG: {**FILE, "uid": 33}}, {}, ""),
    "a file for all": ({**WAY, LOG: {**FILE, "mode": 0o666}}, {}, ""),
    "a file that is to be made": ({**WAY, "/app/storage/logs": FOLDER}, {}, "/app/storage/logs"),
    "one that may be made": (WAY, {}, ""),
    "a folder on the way": ({**WAY, "/app/storage": {**FOLDER, "mode": 0o700}, LOG: FILE}, {}, "/app/storage"),
    "a link on the way": ({**WAY, "/app/storage": {**FOLDER, "link": "/x"}, LOG: FILE}, {}, ""),
    "all as root": ({**WAY, LOG: FILE}, {"uids": (0,)}, ""),
    "the user of PUID, whose program has just ended": (
        {**WAY, LOG: FILE}, {"uids": (0,), "app": SUPERVISED}, LOG),
    "a file of the user of PUID": (
        {**WAY, LOG: {**FILE, "uid": 33}}, {"uids": (0,), "app": SUPERVISED}, ""),
    "users with other numbers": ({**WAY, LOG: FILE}, {"info": Info(security_options=["name=userns"])}, ""),
    "a folder of a group that it is not in": (CLOSED, {"status": STATUS.format("33", 0)}, "/app/storage"),
    "a folder of one of its groups": (CLOSED, {"status": STATUS.format("33 4", 0)}, ""),
    "a group that is not known": (CLOSED, {}, ""),
    "a capability that passes all modes": ({**WAY, LOG: FILE}, {"status": STATUS.format("33", 2)}, ""),
    "a file that is to be removed": (
        {**WAY, "/app/storage/logs": FOLDER, LOG: FILE},
        {"line": f"Error: EACCES: permission denied, unlink '{LOG}'"}, "/app/storage/logs"),
    "a file that its user may remove": (
        {**WAY, LOG: FILE}, {"line": f"Error: EACCES: permission denied, unlink '{LOG}'"}, ""),
    "another error": ({**WAY, LOG: FILE}, {"line": f"ERROR: cannot parse {LOG}"}, ""),
}  # fmt: skip


def refused(files: dict[str, Any], line: str = LINE, **own: Any) -> RefusedOwnPaths:
    uids = own.get("uids", (33, 0))
    app = own.get("app", APP)
    processes = tuple(
        Process(pid=number, comm="php-fpm", uid=uid, container=APP.id, start=number)
        for number, uid in enumerate(uids, 77)
    )

    def stats(question: Any) -> dict[str, object]:
        missing = {"failed": "missing"}
        return {path: files.get(path.removeprefix(ROOT), missing) for path in question.paths}

    logs = RecentLogs({app.id: (RecentLine(5.0, line),) * 4})
    errors = repeated_errors(Containers([app]), logs)
    status = {"file.read": {"text": own["status"]}} if "status" in own else {}
    host = Made({"file.stats": stats, **status})
    return refused_own_paths(host, errors, None, Processes(processes), own.get("info"))


@pytest.mark.parametrize(("files", "own", "path"), CASES.values(), ids=CASES)
def test_what_keeps_a_program_from_a_path(
    files: dict[str, Any], own: dict[str, Any], path: str
) -> None:
    found = refused(files, **own).of(APP)
    assert (found.path if found is not None else "") == path


def test_the_first_command_gives_it_to_the_user() -> None:
    logs = RecentLogs({APP.id: (RecentLine(5.0, LINE),) * 4})
    (finding,) = judge(
        "container.errors-in-log",
        repeated_errors=repeated_errors(Containers([APP]), logs),
        refused_own_paths=refused({**WAY, LOG: FILE}),
    ).findings
    assert finding.variables.items() >= {"refused": LOG, "worker": "33"}.items()
    assert "belongs to 0:0 with mode 644" in finding.summary


def test_a_server_that_answers_with_errors_for_lack_of_a_right() -> None:
    request = (
        '172.18.0.3 - - [28/Nov/2026:04:59:09 +0000] "GET / HTTP/1.1" 500 157 "-" "Firefox/128"'
    )
    answers = tuple(access_lines([RecentLine(0.0, request)] * 3))
    failed = FailedAnswers(APP, answers, of=3, is_most=True, url="", other_lines=(LINE,))
    (finding,) = judge(
        "container.answers-with-errors",
        all_failed_answers=AllFailedAnswers((failed,)),
        containers=of(APP),
        clock=Clock(wall=5.0, booted=0.0),
        refused_own_paths=refused({**WAY, LOG: FILE}),
    ).findings
    assert finding.variables.items() >= {"closed_file": LOG, "worker": "33"}.items()


MEANT: dict[str, tuple[str, dict[str, str]]] = {
    "the whole host": ("/data/srv/shop", {"Source": "/", "Destination": "/data"}),
    "a file of the host": ("/config/shadow", {"Source": "/etc", "Destination": "/config"}),
    "root's home": ("/root/cache/git", {}),
}


@pytest.mark.parametrize(("path", "mount"), MEANT.values(), ids=MEANT)
def test_what_is_closed_for_a_reason_is_given_to_nobody(path: str, mount: dict[str, str]) -> None:
    mounts = [{"Type": "bind", "RW": True, **mount}] if mount else []
    app = container("shop", State={"Status": "running", "Pid": 77}, Id=APP.id, Mounts=mounts)
    line = LINE.replace(LOG, path)
    logs = RecentLogs({APP.id: (RecentLine(5.0, line),) * 4})
    parts = path.strip("/").split("/")
    way = {"/" + "/".join(parts[:depth]): FOLDER for depth in range(1, len(parts))}
    found = refused({**way, path: {**FOLDER, "mode": 0o700}}, line)
    assert found.of(APP) is not None
    (finding,) = judge(
        "container.errors-in-log",
        repeated_errors=repeated_errors(Containers([app]), logs),
        refused_own_paths=found,
    ).findings
    assert "worker" not in finding.variables
