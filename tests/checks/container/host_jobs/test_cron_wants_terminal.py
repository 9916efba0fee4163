"""The check in checks/container/host_jobs/cron_wants_terminal.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.machine.cron_calls import CronCall, CronCalls
from tests.inspected import container, of
from tests.judging import judge, rows

PATH = "/etc/cron.d/backup"
CASES = {
    "a container": ("-it", "db", ("warning", "db"), "3s/ -it / -i /g"),
    "the other order": ("-ti", "db", ("warning", "db"), "3s/ -ti / -i /g"),
    "alone": ("-t", "db", ("warning", "db"), "3s/ -t / /g"),
    "a word": ("--tty", "db", ("warning", "db"), "3s/ --tty / /g"),
    "an image": ("-it", "job:1", ("warning", "host"), "3s/ -it / -i /g"),
}


@pytest.mark.parametrize(("flag", "target", "expected", "edit"), CASES.values(), ids=CASES)
def test_cron_wants_terminal(flag: str, target: str, expected: tuple[str, str], edit: str) -> None:
    call = CronCall(PATH, 3, flag, target, f"0 1 * * * root docker exec {flag} {target} pg_dump")
    result = judge(
        "container.cron-wants-terminal",
        cron_calls=CronCalls((call,)),
        containers=of(container("db")),
    )
    assert rows(result) == [expected]
    assert result.findings[0].variables == {"crontab": PATH, "edit": edit}


def test_a_host_without_such_jobs() -> None:
    result = judge("container.cron-wants-terminal", cron_calls=CronCalls(), containers=of())
    assert rows(result) == []


def test_a_crontab_cannot_put_commands_into_the_edit() -> None:
    call = CronCall(PATH, 3, "-it/x/;1e", "db", "0 1 * * * docker exec -it/x/;1e db")
    result = judge("container.cron-wants-terminal", cron_calls=CronCalls((call,)), containers=of())
    assert result.findings[0].variables == {"crontab": PATH}
