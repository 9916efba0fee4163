"""The check in checks/container/settings/variable_missing.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.variables.variable_faults import asked_together
from tests.checks.container.evidence import CLOCK, FOUND, failed_with_log
from tests.inspected import container, of
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
    container, log_tails = failed_with_log(
        "Error: Database is uninitialized and superuser password is not specified.",
        Config={"Env": env},
    )
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected


COUCHDB = (
    'ERROR: CouchDB 3.0+ will no longer run in "Admin Party"',
    '       "-e COUCHDB_USER=admin -e COUCHDB_PASSWORD=password"',
)
TOGETHER = {
    "both are missing": ([], {"all_typed": "COUCHDB_USER COUCHDB_PASSWORD"}),
    "one of them is set": (["COUCHDB_PASSWORD=made-up"], {"typed": "COUCHDB_USER"}),
}


def test_alternatives_are_not_asked_for_together() -> None:
    line = (
        "You need to specify one of MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD and "
        "MYSQL_RANDOM_ROOT_PASSWORD"
    )
    bare, _ = failed_with_log(line)
    assert asked_together([line], bare, "MYSQL_ROOT_PASSWORD") == ()
    both = line.replace("one of ", "")
    assert len(asked_together([both], bare, "MYSQL_ROOT_PASSWORD")) == 2


@pytest.mark.parametrize(("env", "steps"), TOGETHER.values(), ids=TOGETHER)
def test_variables_that_are_asked_for_together(env: list[str], steps: dict[str, str]):
    container, log_tails = failed_with_log(*COUCHDB, Config={"Env": env})
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert result.findings[0].variables.items() >= steps.items()


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("Please accept the Minecraft EULA at", {"consent": "EULA=TRUE"}),
        (
            "The SQL Server End-User License Agreement (EULA) must be accepted",
            {"consent": "ACCEPT_EULA=Y"},
        ),
    ],
)
def test_a_licence_is_accepted_by_the_value_that_its_program_takes(
    line: str, steps: dict[str, str]
) -> None:
    container, log_tails = failed_with_log(line, Config={"Env": []})
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert result.findings[0].variables.items() >= steps.items()


LISTED = {
    "the second of two": (
        "When using --http, PAPERLESS_URL and API_KEY environment variables must be set.",
        ["PAPERLESS_URL=http://paperless:8000"],
        ["API_KEY"],
    ),
    "the last of three": (
        "FATAL: SMTP_HOST, SMTP_USER and SMTP_FROM are required",
        ["SMTP_HOST=mail", "SMTP_USER=x"],
        ["SMTP_FROM"],
    ),
    "one of several is enough": (
        "Error: either DB_HOST or DB_SOCKET must be set",
        ["DB_HOST=db"],
        [],
    ),
    "all are set": ("Error: DB_HOST and DB_PORT must be set", ["DB_HOST=db", "DB_PORT=1"], []),
    "in German": ("FEHLER: Die Umgebungsvariable DB_NAME ist nicht gesetzt", [], ["DB_NAME"]),
    "in Spanish": ("Error: la variable de entorno API_URL no está definida", [], ["API_URL"]),
}


@pytest.mark.parametrize(("line", "env", "missing"), LISTED.values(), ids=LISTED)
def test_the_variable_of_a_list_that_is_not_set(
    line: str, env: list[str], missing: list[str]
) -> None:
    container, log_tails = failed_with_log(line, Config={"Env": env})
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert [finding.variables["variable"] for finding in result.findings] == missing


PHOENIX = "** (RuntimeError) environment variable SECRET_KEY_BASE is missing."
GIVEN = {
    "any secret will do": (
        (PHOENIX, "You can generate one by calling: mix phx.gen.secret"),
        {"generated": "SECRET_KEY_BASE"},
    ),
    "nothing is said of a new one": ((PHOENIX,), {"typed": "SECRET_KEY_BASE"}),
    "another one's key": (
        ("environment variable STRIPE_SECRET_KEY is missing; generate one in your account",),
        {"typed": "STRIPE_SECRET_KEY"},
    ),
}


@pytest.mark.parametrize(("lines", "steps"), GIVEN.values(), ids=GIVEN)
def test_how_a_variable_of_compose_gets_its_value(lines: tuple[str, ...], steps: dict[str, str]):
    """The command heals: to run compose again without an edit of its file changes nothing."""
    labels = {
        "com.docker.compose.project.working_dir": "/srv/shop",
        "com.docker.compose.service": "web",
    }
    container, log_tails = failed_with_log(*lines, Config={"Labels": labels})
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    given = {**steps, "folder": "/srv/shop", "compose_service": "web"}
    assert result.findings[0].variables.items() >= given.items()


def test_a_secret_that_another_container_has_is_typed() -> None:
    """The web server and its workers of one program share it."""
    web, log_tails = failed_with_log(*GIVEN["any secret will do"][0])
    worker = container("worker", Config={"Env": ["SECRET_KEY_BASE=made-up"]})
    result = judge(
        "container.variable-missing", containers=of(web, worker), clock=CLOCK, log_tails=log_tails
    )
    assert result.findings[0].variables["typed"] == "SECRET_KEY_BASE"


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
    container, log_tails = failed_with_log(
        'env: required environment variable "TELEGRAM_APITOKEN" is not set', Config={"Env": [entry]}
    )
    result = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    (finding,) = result.findings
    assert near in finding.summary
    assert ("although" in finding.summary) == bool(near)


BOTH = (
    "DB_HOST and DB_USER must be set",
    "You must set DB_HOST and DB_USER",
    "please specify DB_HOST & DB_USER",
    "[ERROR] DB_HOST, DB_USER are not set",
)


@pytest.mark.parametrize("line", BOTH)
def test_a_sentence_that_asks_for_two_settings(line: str) -> None:
    container, log_tails = failed_with_log(line)
    (finding,) = judge(
        "container.variable-missing", containers=of(container), clock=CLOCK, log_tails=log_tails
    ).findings
    assert "needs the settings DB_" in finding.summary
    assert set(finding.variables["all_typed"].split()) == {"DB_HOST", "DB_USER"}
