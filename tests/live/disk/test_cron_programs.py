"""Programs that jobs of cron call by their bare names."""

from __future__ import annotations

import pytest

from diagnose.live.disk.jobs.cron_programs import (
    calls_in_crontab,
    calls_in_script,
    scripts_in_crontab,
)

SYSTEM, USER = "/etc/cron.d/backup", "/var/spool/cron/crontabs/root"
COMPOSE = ("docker-compose", "/usr/bin:/bin")
CASES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "of a user": (USER, "0 3 * * * docker-compose -f /srv/a.yml down", [COMPOSE]),
    "of the system": (SYSTEM, "0 3 * * * root docker-compose up -d", [COMPOSE]),
    "after a change of folder": (USER, "@daily cd /srv/shop && docker-compose pull", [COMPOSE]),
    "with a variable": (USER, "@daily A=b docker exec db dump", [("docker", "/usr/bin:/bin")]),
    "by its path": (USER, "@daily /usr/local/bin/docker-compose pull", []),
    "a path of the crontab": (
        USER,
        "PATH=/usr/local/bin:/bin\n@daily docker-compose pull",
        [("docker-compose", "/usr/local/bin:/bin")],
    ),
    "a failure that is taken": (USER, "@daily docker-compose pull || docker compose pull", []),
    "a login": (USER, "@daily bash -lc 'docker-compose pull'", []),
    "a path of its own": (USER, "@daily PATH=/usr/local/bin:$PATH docker-compose pull", []),
    "on another host": (USER, "@daily ssh a docker-compose pull", []),
    "an argument": (USER, "@daily echo docker-compose is old", []),
    "a folder": (USER, "@daily cd /srv/docker && ls", []),
    "a comment": (USER, "# 0 3 * * * docker-compose pull", []),
}


@pytest.mark.parametrize(("path", "text", "expected"), CASES.values(), ids=CASES)
def test_lines_of_crontabs(path: str, text: str, expected: list[tuple[str, str]]) -> None:
    found = [(call.program, call.folders) for call in calls_in_crontab(path, text)]
    assert found == expected


SCRIPTS: dict[str, tuple[str, list[int]]] = {
    "a call": ("#!/bin/bash\ncd /srv\ndocker-compose down\n", [3]),
    "in a condition": ("#!/bin/sh\nif docker-compose ps; then :; fi\n", [2]),
    "a path of its own": ("#!/bin/sh\nPATH=/usr/local/bin:/bin\ndocker-compose down\n", []),
    "another file": ("#!/bin/sh\n. /etc/profile\ndocker-compose down\n", []),
    "no shell": ("#!/usr/bin/python3\ndocker-compose down\n", []),
}


@pytest.mark.parametrize(("text", "lines"), SCRIPTS.values(), ids=SCRIPTS)
def test_lines_of_scripts(text: str, lines: list[int]) -> None:
    assert [call.line for call in calls_in_script(text, "/usr/bin:/bin")] == lines


def test_scripts_that_crontabs_run() -> None:
    text = "0 3 * * * root /root/backup.sh >/dev/null\n0 4 * * * root docker ps\n"
    assert [*scripts_in_crontab(SYSTEM, text)] == [("/root/backup.sh", "/usr/bin:/bin")]
