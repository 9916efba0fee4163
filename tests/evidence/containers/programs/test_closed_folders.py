"""Folders that a web framework writes at each request, and that its workers may not."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.programs.closed_folders import closed_folders
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

PHP = container("shop", Config={"WorkingDir": "/app"}, State={"Status": "running", "Pid": 77})
ROOT = "/proc/77/root"
FILE = {"type": "file", "mode": 0o755, "uid": 0, "gid": 0}
ROOTS = {"type": "folder", "mode": 0o755, "uid": 0, "gid": 0}
OWN = {"type": "folder", "mode": 0o755, "uid": 33, "gid": 33}
FOR_ALL = {"type": "folder", "mode": 0o777, "uid": 0, "gid": 0}
OF_A_GROUP = {"type": "folder", "mode": 0o775, "uid": 0, "gid": 33}
LARAVEL = {"/app/artisan": FILE, "/app/storage": ROOTS, "/app/storage/logs": ROOTS}
SYMFONY = {"/var/www/html/bin/console": FILE, "/var/www/html/var": OWN}
FAILED = '172.18.0.3 - - [28/Nov/2026:04:59:09 +0000] "GET / HTTP/1.1" {} 157 "-" "Firefox/128"'

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "Laravel's": (LARAVEL, {}, "/app/storage"),
    "one below it": ({**LARAVEL, "/app/storage": OWN}, {}, "/app/storage/logs"),
    "Symfony's cache": (
        {**SYMFONY, "/var/www/html/var/cache": ROOTS},
        {},
        "/var/www/html/var/cache",
    ),
    "the workers' own": (SYMFONY, {}, ""),
    "a folder for all": (
        {**LARAVEL, "/app/storage": FOR_ALL, "/app/storage/logs": FOR_ALL},
        {},
        "",
    ),
    "a group that the workers may be in": (
        {**LARAVEL, "/app/storage": OF_A_GROUP, "/app/storage/logs": OF_A_GROUP},
        {},
        "",
    ),
    "no framework": ({"/app/storage": ROOTS}, {}, ""),
    "a bad gateway": (LARAVEL, {"status": 502}, ""),
    "a log that says why": (
        LARAVEL,
        {"lines": ("PHP Fatal error: Uncaught Error: no such table",)},
        "",
    ),
    "one worker that may": (LARAVEL, {"uids": (33, 0)}, "/app/storage"),
    "all as root": (LARAVEL, {"uids": (0,)}, ""),
    "users with other numbers": (LARAVEL, {"info": Info(security_options=["name=userns"])}, ""),
}


@pytest.mark.parametrize(("files", "own", "path"), CASES.values(), ids=CASES)
def test_a_folder_that_the_workers_may_not_write(
    files: dict[str, Any], own: dict[str, Any], path: str
) -> None:
    line = RecentLine(0.0, FAILED.format(own.get("status", 500)))
    answers = tuple(access_lines([line] * 3))
    failed = FailedAnswers(
        PHP, answers, of=3, is_most=True, url="", other_lines=own.get("lines", ())
    )
    processes = Processes(
        tuple(
            Process(pid=number, comm="php-fpm8.2", uid=uid, container=PHP.id, start=number)
            for number, uid in enumerate(own.get("uids", (33,)), 77)
        )
    )
    host = Made(
        {
            "file.stats": lambda question: {
                asked: files.get(asked.removeprefix(ROOT), {"failed": "missing"})
                for asked in question.paths
            }
        }
    )
    closed = closed_folders(host, AllFailedAnswers((failed,)), processes, own.get("info"))
    (finding,) = judge(
        "container.answers-with-errors",
        all_failed_answers=AllFailedAnswers((failed,)),
        containers=of(PHP),
        clock=Clock(wall=5.0, booted=0.0),
        closed_folders=closed,
    ).findings
    cure = {"closed": path, "worker": "33"} if path else {}
    assert {
        key: finding.variables[key] for key in ("closed", "worker") if key in finding.variables
    } == cure
