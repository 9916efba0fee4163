"""Crontab lines that call docker with a terminal."""

from __future__ import annotations

import pytest

from diagnose.live.disk.jobs.cron_lines import calls_with_terminal, volume_prunes

ROWS = {
    "as people type it": (
        "*/5 * * * * root docker exec -it db pg_dump shop > /b.sql",
        ("-it", "db"),
    ),
    "the other order": ("@daily /usr/bin/docker exec -ti db sh -c 'a'", ("-ti", "db")),
    "two options": ("0 1 * * * docker exec -i -t db pg_dump", ("-t", "db")),
    "with a user": ("0 1 * * * docker exec -u postgres -it db pg_dump", ("-it", "db")),
    "words": ("0 1 * * * docker container exec --interactive --tty db x", ("--tty", "db")),
    "behind another command": ("0 1 * * * cd /x && docker run --rm -it job:1", ("-it", "job:1")),
    "a variable": ("0 1 * * * docker exec -it $DB pg_dump", ("-it", "")),
    "input alone": ("0 1 * * * docker exec -i db pg_dump", None),
    "a terminal alone": ("0 1 * * * docker exec -t db pg_dump", None),
    "in the background": ("0 1 * * * docker run -dit job:1", None),
    "with a terminal of its own": ("0 1 * * * script -qc 'docker exec -it db x' /dev/null", None),
    "in a session of its own": ("@reboot /usr/bin/screen -dmS a docker exec -it db x", None),
    "on another host": ("0 1 * * * ssh -tt web docker exec -it db x", None),
    "a comment": ("# docker exec -it db pg_dump", None),
    "an option of the command": ("0 1 * * * docker exec db tool -it", None),
    "no docker": ("0 1 * * * /root/backup.sh -it", None),
}


@pytest.mark.parametrize(("line", "expected"), ROWS.values(), ids=ROWS)
def test_a_line_that_needs_a_terminal(line: str, expected: tuple[str, str] | None) -> None:
    calls = [(call.flag, call.target) for call in calls_with_terminal(line)]
    assert calls == ([expected] if expected else [])


def test_arguments_of_the_program_stay_in_the_file() -> None:
    line = "0 1 * * * root docker exec -it db sh -c 'curl -u admin:made-up-7 http://x'"
    (call,) = calls_with_terminal(line)
    assert call.text == "docker exec -it db sh"


PRUNES = {
    "0 3 * * * root docker volume prune -af >/dev/null 2>&1": [
        ("docker volume prune -af", "volume", True)
    ],
    "0 3 * * * docker system prune -af --volumes && docker volume prune -f": [
        ("docker system prune -af --volumes", "system", False),
        ("docker volume prune -f", "volume", False),
    ],
    "0 3 * * * /usr/bin/docker volume prune --force --filter all=1; true": [
        ("docker volume prune --force --filter all=1", "volume", True)
    ],
    "0 3 * * * docker volume prune -af --filter label=temporary": [],
    "0 3 * * * docker system prune -af": [],
    "0 3 * * * docker image prune -af": [],
    "# 0 3 * * * docker volume prune -af": [],
    "0 3 * * * docker exec db prune -a": [],
}


@pytest.mark.parametrize(("line", "expected"), PRUNES.items(), ids=PRUNES)
def test_a_line_that_removes_volumes(line: str, expected: list[tuple[str, str, bool]]) -> None:
    assert [tuple(call) for call in volume_prunes(line)] == expected
