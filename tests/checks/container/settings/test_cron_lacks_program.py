"""The check in checks/container/settings/cron_lacks_program.py."""

from __future__ import annotations

import re

import pytest

from diagnose.evidence.machine.cron_calls import LostProgram, LostPrograms
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
