"""The check in checks/container/host_jobs/cron_lacks_program.py."""

from __future__ import annotations

import re

import pytest

from diagnose.evidence.machine.cron_calls import LostProgram, LostPrograms, lost_programs
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Json, Unavailable
from tests.hosts import Made
from tests.judging import judge, rows

PATH = "/etc/cron.d/backup"
CASES = {
    "elsewhere": (
        "docker-compose",
        "/usr/local/bin/docker-compose",
        False,
        "/usr/local/bin/docker-compose",
    ),
    "a plugin in its place": ("docker-compose", "", True, "docker compose"),
    "nothing in its place": ("docker-compose", "", False, None),
    "docker elsewhere": ("docker", "/usr/local/bin/docker", True, "/usr/local/bin/docker"),
}


@pytest.mark.parametrize(("program", "found_at", "has_plugin", "given"), CASES.values(), ids=CASES)
def test_programs(program: str, found_at: str, has_plugin: bool, given: str | None) -> None:
    lost = LostProgram(PATH, 3, program, "/usr/bin:/bin", found_at, has_plugin)
    result = judge("container.cron-lacks-program", lost_programs=LostPrograms((lost,)))
    assert rows(result) == [("warning", "host")]
    edit = result.findings[0].variables.get("edit")
    assert (given in edit if given else edit is None) if edit else given is None
    assert not edit or re.match(r"3s#", edit)


def test_a_host_without_docker_itself() -> None:
    lost = LostProgram(PATH, 3, "docker", "/usr/bin:/bin")
    assert not judge("container.cron-lacks-program", lost_programs=LostPrograms((lost,))).findings


COMPOSE = "/usr/local/bin/docker-compose"
CRONS: dict[str, tuple[list[Json], str, str, int]] = {
    "Debian's cron": (["/usr/sbin/cron", "-f"], "/usr/bin:/bin", COMPOSE, 1),
    "Ubuntu's cron": (["/usr/sbin/cron", "-f", "-P"], "/usr/bin:/bin", COMPOSE, 0),
    "a path in the crontab": (["/usr/sbin/cron", "-f", "-P"], "/usr/bin", COMPOSE, 1),
    "a program that is nowhere": (["/usr/sbin/cron", "-f", "-P"], "/usr/bin:/bin", "", 1),
}


@pytest.mark.parametrize(("words", "folders", "found_at", "count"), CRONS.values(), ids=CRONS)
def test_kinds_of_cron(words: list[Json], folders: str, found_at: str, count: int) -> None:
    lost: dict[str, Json] = {
        "path": PATH,
        "line": 3,
        "program": "docker-compose",
        "folders": folders,
        "found_at": found_at,
    }
    host = Made({"host.docker-jobs": {"lost": [lost]}, "process": {"pid": 7, "cmdline": words}})
    found = lost_programs(host, Processes((Process(pid=7, comm="cron"),)))
    assert not isinstance(found, Unavailable)
    assert len(found) == count
