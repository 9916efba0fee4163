"""Secrets in quotes in checks/container/settings/variable_malformed.py, and their evidence."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.variables.quoted_secrets import quoted_secrets
from diagnose.model import CheckResult
from diagnose.programs.telling_line import TellingLine
from diagnose.redact import Redactor
from tests.checks.container.evidence import CLOCK, FOUND, container_in, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows

QUOTED = 'DB_PASSWORD="made-up-Horse-9"'
REFUSED = 'FATAL:  password authentication failed for user "app"'


def _redacted(*env: str) -> list[str]:
    answer = Redactor(b"k" * 32).answer("container", {}, {"Env": list(env)})
    assert isinstance(answer, dict)
    return list(answer["Env"])


def _judged(
    containers: Containers, log_tails: LogTails, errors: tuple[RepeatedError, ...] = ()
) -> CheckResult:
    return judge(
        "container.variable-malformed",
        containers=containers,
        clock=CLOCK,
        log_tails=log_tails,
        quoted_secrets=quoted_secrets(containers, log_tails, RepeatedErrors(errors)),
    )


CASES = {
    "the database refuses it": (QUOTED, REFUSED, True),
    "MySQL refuses it": (QUOTED, "Access denied for user 'app'@'10.0.0.2' (using password: YES)", True),
    "Redis refuses it": (QUOTED, "WRONGPASS invalid username-password pair", True),
    "single quotes": ("API_TOKEN='made-up-Horse-9'", "upstream answered 401 Unauthorized", True),
    "another failure": (QUOTED, "FATAL: the queue is gone", False),
    "no quotes": ("DB_PASSWORD=made-up-Horse-9", REFUSED, False),
    "a quote in it": ('DB_PASSWORD="made-up"Horse-9', REFUSED, False),
    "another variable": ('SHOP_TITLE="made-up-Horse-9"', REFUSED, False),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "line", "is_found"), CASES.values(), ids=CASES)
def test_a_secret_in_quotes(entry: str, line: str, is_found: bool) -> None:
    app, log_tails = failed_with_log(line, Config={"Env": _redacted(entry)})
    result = _judged(of(app), log_tails)
    assert rows(result) == (FOUND if is_found else [])
    for finding in result.findings:
        assert finding.variables["quoted"] == entry.partition("=")[0]
        assert "Horse" not in str(finding)


def test_both_sides_have_the_same_quotes() -> None:
    app, log_tails = failed_with_log(REFUSED, Config={"Env": _redacted(QUOTED)})
    server = _server(QUOTED.replace("DB_", "POSTGRES_"))
    assert rows(_judged(of(app, server), log_tails)) == []
    plain = _server("POSTGRES_PASSWORD=made-up-Horse-9")
    assert rows(_judged(of(app, plain), log_tails)) == FOUND


def _server(entry: str) -> Container:
    return container_in("running", Id="5" * 64, Name="/db", Config={"Env": _redacted(entry)})


def test_a_running_program_is_a_warning() -> None:
    app = container_in("running", Config={"Env": _redacted(QUOTED)})
    error = RepeatedError(app, TellingLine(REFUSED), 9, 12)
    assert rows(_judged(of(app), LogTails({}, {}), (error,))) == [("warning", "web")]


def test_the_marks_of_a_file_stay_outside_of_the_token() -> None:
    marks = ('"made-up-Horse-9"', "'made-up-Horse-9'", "made-up-Horse-9 ", "made-up-Horse-9\r")
    bare, *others = _redacted(*(f"DB_PASSWORD={value}" for value in ("made-up-Horse-9", *marks)))
    token = bare.partition("=")[2]
    assert token.startswith("<redacted:")
    assert [other.partition("=")[2] for other in others] == [
        f'"{token}"', f"'{token}'", f"{token} ", f"{token}\r",
    ]  # fmt: skip
