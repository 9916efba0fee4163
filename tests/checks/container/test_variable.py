"""The checks in checks/container/variable.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tails import LogTails
from tests.checks.container.evidence import CLOCK, FOUND, failed, made
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (None, FOUND),
        (["POSTGRES_PASSWORD="], FOUND),
        (["POSTGRES_PASSWORD=x"], []),
        (["POSTGRES_HOST_AUTH_METHOD=trust"], []),
    ],
)
def test_a_variable_that_is_missing(env: list[str] | None, expected: list[tuple[str, str]]):
    container, log_tails = failed(
        "Error: Database is uninitialized and superuser password is not specified.",
        Config={"Env": env},
    )
    assert (
        rows(
            judge(
                "container.variable-missing",
                containers=of(container),
                clock=CLOCK,
                log_tails=log_tails,
            )
        )
        == expected
    )


@pytest.mark.parametrize(
    ("env", "line", "expected"),
    [
        (["DB=shop\r"], 'database "shop" does not exist', FOUND),
        (['HOST="db"'], 'could not translate host name ""db"" to address', FOUND),
        (["URL='redis://cache'"], "invalid URL: ''redis://cache''", FOUND),
        (['NAME="db"'], 'looking for "db"', []),
        (['JSON="[1]"'], "something else failed", []),
        (["DB=shop"], 'database "shop" does not exist', []),
        (["DB=", "EMPTY"], 'database "" does not exist', []),
    ],
    ids=[
        "carriage return",
        "quotes",
        "single quotes",
        "the log's own quotes",
        "not in the log",
        "plain",
        "empty",
    ],
)
def test_a_variable_with_marks_of_its_file(
    env: list[str], line: str, expected: list[tuple[str, str]]
):
    container, log_tails = failed(line, Config={"Env": env})
    result = judge(
        "container.variable-malformed", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected


def test_a_running_container_may_have_any_variable():
    container = made("running", age=7200, Config={"Env": ["A=b\r"]})
    result = judge(
        "container.variable-malformed",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
    )
    assert rows(result) == []


@pytest.mark.parametrize(
    ("entry", "near"),
    [
        ("export TELEGRAM_APITOKEN=x", '"export TELEGRAM_APITOKEN"'),
        ("telegram_apitoken=x", '"telegram_apitoken"'),
        ("TELEGRAM_APITOEKN=x", '"TELEGRAM_APITOEKN"'),
        ("TELEGRAM_CHAT=x", ""),
    ],
)
def test_a_variable_of_almost_that_name(entry: str, near: str):
    container, log_tails = failed(
        'env: required environment variable "TELEGRAM_APITOKEN" is not set', Config={"Env": [entry]}
    )
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    (finding,) = result.findings
    assert near in finding.summary
    assert ("and it has" in finding.summary) == bool(near)
