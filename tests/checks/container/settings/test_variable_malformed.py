"""The check in checks/container/settings/variable_malformed.py, and the evidence that it reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.addresses.misread_addresses import misread_addresses
from diagnose.evidence.containers.compose.blank_references import blank_references
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.variables.carriage_returns import carriage_returns
from diagnose.evidence.run.options import Options
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Severity
from diagnose.programs.telling_line import TellingLine
from diagnose.questions.compose_variables import BlankReference
from tests.checks.container.evidence import CLOCK, FOUND, ON_SHOP, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

QUOTED_URL = 'DB_URL="jdbc:postgresql://shop:word@db:5432/shop"'


@pytest.mark.parametrize(
    ("env", "line", "expected"),
    [
        (["DB=shop\r"], 'database "shop" does not exist', FOUND),
        (['HOST="db"'], 'could not translate host name ""db"" to address', FOUND),
        (["URL='redis://cache'"], "invalid URL: ''redis://cache''", FOUND),
        ([QUOTED_URL], "ERROR: Connection to localhost:5432 refused. Check the hostname", FOUND),
        ([QUOTED_URL], "error: the URL must start with the protocol `postgresql://`", FOUND),
        ([QUOTED_URL], "ERROR: Connection to db:5432 refused. Check the hostname", []),
        ([QUOTED_URL], "FATAL: the queue is gone", []),
        (['URL="amqp://localhost:5672"'], "Connection to localhost:5672 refused", []),
        (['NAME="db"'], 'looking for "db"', []),
        (['JSON="[1]"'], "something else failed", []),
        (
            ['DB="Host=db; Database=shop; Username=shop;"'],
            "System.ArgumentException: Format of the initialization string does not conform",
            FOUND,
        ),
        (["URL='redis://cache:6379'"], "error: unsupported URL scheme", FOUND),
        (["URL='redis://cache:6379'"], "error: disk quota exceeded", []),
        (["DB=shop"], 'database "shop" does not exist', []),
        (["DB=", "EMPTY"], 'database "" does not exist', []),
    ],
    ids=[
        "carriage return",
        "quotes",
        "single quotes",
        "a default instead of a quoted URL",
        "no URL for its program",
        "a quoted URL that its program reads",
        "a quoted URL and another failure",
        "a quoted URL of itself",
        "the log's own quotes",
        "not in the log",
        "around a connection string",
        "around a URL",
        "a complaint about another matter",
        "plain",
        "empty",
    ],
)
def test_a_variable_with_marks_of_its_file(
    env: list[str], line: str, expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log(line, Config={"Env": env})
    result = judge(
        "container.variable-malformed", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected


BLANK = BlankReference(
    "/srv/jobs/compose.yaml", 6, "worker", "command", ["QUEUE"], ["work", "--queue"]
)
OF_JOBS = {
    "com.docker.compose.project": "jobs",
    "com.docker.compose.service": "worker",
    "com.docker.compose.project.working_dir": "/srv/jobs",
    "com.docker.compose.project.config_files": "/srv/jobs/compose.yaml",
}
BLANKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the container has it": ({}, ["QUEUE=mail"]),
    "a secret": ({"Env": ["QUEUE=<redacted:1>"]}, [""]),
    "empty on purpose": ({"Env": []}, []),
    "another command": ({"Cmd": ["work", "--queue", "mail"]}, []),
    "another service": ({"Labels": {**OF_JOBS, "com.docker.compose.service": "db"}}, []),
}


@pytest.mark.parametrize(("own", "lines"), BLANKS.values(), ids=BLANKS)
def test_a_variable_that_compose_replaced_by_nothing(own: dict[str, Any], lines: list[str]):
    config = {"Cmd": BLANK.words, "Env": ["QUEUE=mail"], "Labels": OF_JOBS, **own}
    container, log_tails = failed_with_log("flag needs an argument: --queue", Config=config)
    host = Made({"file.references": [msgspec.to_builtins(BLANK)]})
    options = Options(since_s=10**9)
    blanks = blank_references(host, of(container), CLOCK, options)
    result = judge(
        "container.variable-malformed",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        blank_references=blanks,
    )
    assert [finding.variables.get("dotenv_line", "") for finding in result.findings] == lines


FRONT = ["gunicorn", "--bind", "0.0.0.0:$PORT", "app:app"]
PORT = "Error: '$PORT' is not a valid port number."
UNREPLACED = {
    "a command without a shell": (
        {"Cmd": FRONT, "Env": ["PORT=8000"]},
        PORT,
        {"new_command": "gunicorn --bind 0.0.0.0:8000 app:app"},
    ),
    "a variable that is not set": ({"Cmd": FRONT}, PORT, {}),
    "a value": (
        {"Cmd": ["app"], "Env": ["URL=http://${HOST}/", "HOST=db"]},
        "error: invalid url: http://${HOST}/",
        {"assignment": "URL=http://db/"},
    ),
    "the shell's own script": (
        {"Cmd": ["sh", "-c", "serve $PORT"]},
        "error: invalid port: $PORT",
        None,
    ),
    "another variable": ({"Cmd": FRONT}, "Error: '$PORTS' is not a valid port number.", None),
    "nothing of it in the log": ({"Cmd": FRONT}, "Error: no module named app", None),
}


@pytest.mark.parametrize(("config", "line", "steps"), UNREPLACED.values(), ids=UNREPLACED)
def test_a_variable_that_nothing_replaces(
    config: dict[str, object], line: str, steps: dict[str, str] | None
):
    container, log_tails = failed_with_log(line, Config=config)
    result = judge(
        "container.variable-malformed", containers=of(container), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == ([] if steps is None else FOUND)
    for finding in result.findings:
        names = ("new_command", "assignment")
        assert {
            name: finding.variables[name] for name in names if name in finding.variables
        } == steps


def test_a_running_container_may_have_any_variable():
    container = container_in("running", age=7200, Config={"Env": ["A=b\r"]})
    result = judge(
        "container.variable-malformed",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
    )
    assert rows(result) == []


@pytest.mark.parametrize(
    ("word", "variables"),
    [
        ("made", {"assignment": "DB_URL=jdbc:postgresql://shop:made@db:5432/shop"}),
        ("<redacted:password:1a2b>", {"quoted": "DB_URL"}),
    ],
    ids=["no secret", "a secret"],
)
def test_a_value_that_cannot_be_shown_is_corrected_unseen(
    word: str, variables: dict[str, str]
) -> None:
    container, log_tails = failed_with_log(
        "ERROR: Connection to localhost:5432 refused. Check the hostname",
        Config={"Env": [QUOTED_URL.replace("word", word)]},
    )
    (finding,) = judge(
        "container.variable-malformed", containers=of(container), clock=CLOCK, log_tails=log_tails
    ).findings
    shown = ("assignment", "quoted")
    assert {
        name: finding.variables[name] for name in shown if name in finding.variables
    } == variables


BROKER = container_in("running", name="broker", **ON_SHOP)
REDIS = container_in("running", name="redis", **ON_SHOP)
MISREAD = {
    "no host": ("URL=mqtt:///broker", "URL=mqtt://broker", [("warning", "web")]),
    "a slash before the port": (
        "URL=mqtt://broker/:1883",
        "URL=mqtt://broker:1883",
        [("warning", "web")],
    ),
    "one slash": ("URL=tcp:/broker:80/x", "URL=tcp://broker:80/x", [("warning", "web")]),
    "an address that curl reads": ("URL=http:/broker:80/x", "", []),
    "a volume of that name": ("KEPT=redis:/redis", "", []),
    "quotes around a name": ('HOSTS="broker"', "HOSTS=broker", [("warning", "web")]),
    "quotes around an address": (
        "URL='amqp://broker:5672/'",
        "URL=amqp://broker:5672/",
        [("warning", "web")],
    ),
    "a word that is a name too": ('TITLE="broker"', "", []),
    "a name that nobody has": ('HOSTS="shelf"', "", []),
    "an address as it should be": ("URL=mqtt://broker:1883/x", "", []),
    "a socket": ("URL=unix:/broker/x.sock", "", []),
    "folders": ("FOLDERS=/usr/bin:/broker/bin", "", []),
    "a path": ("URL=http://proxy/broker", "", []),
}


@pytest.mark.parametrize(("entry", "assignment", "expected"), MISREAD.values(), ids=MISREAD)
def test_an_address_that_no_program_reads(
    entry: str, assignment: str, expected: list[tuple[str, str]]
) -> None:
    app = container_in("running", Config={"Env": [entry]}, **ON_SHOP)
    containers, quiet = of(app, BROKER, REDIS), LogTails({}, {})
    misread = misread_addresses(Made({}), containers, quiet)
    result = judge(
        "container.variable-malformed",
        containers=containers,
        clock=CLOCK,
        log_tails=quiet,
        misread_addresses=misread,
    )
    assert rows(result) == expected
    assert [found.variables["assignment"] for found in result.findings] == [
        assignment for _ in expected
    ]


@pytest.mark.parametrize(
    ("entry", "is_unquoted"), [('URL="mqtt://broker"', True), ("URL=http:///broker", False)]
)
def test_only_quotes_are_removed_from_a_compose_file(entry: str, is_unquoted: bool) -> None:
    """The first command for slashes would change nothing there."""
    labels = {
        "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
        "com.docker.compose.project.working_dir": "/srv/shop",
        "com.docker.compose.service": "web",
    }
    app, tails = failed_with_log(
        "cannot connect", Config={"Env": [entry], "Labels": labels}, **ON_SHOP
    )
    containers = of(app, BROKER)
    (finding,) = judge(
        "container.variable-malformed",
        containers=containers,
        clock=CLOCK,
        log_tails=tails,
        misread_addresses=misread_addresses(Made({}), containers, tails),
    ).findings
    assert ("unquoted" in finding.variables) == is_unquoted
    assert finding.variables["assignment"].startswith("URL=")


def test_a_file_has_the_address_that_the_log_repeats() -> None:
    mount = {"Type": "bind", "Source": "/srv/zigbee", "Destination": "/app/data"}
    app, tails = failed_with_log(
        "Connecting to mqtt:///broker", "failed, exiting ()", Mounts=[mount], **ON_SHOP
    )
    made = Made(
        {
            "file.list": {"entries": [{"name": "configuration.yaml"}]},
            "file.read": {"text": only("urls", "mqtt:\n  server: mqtt:///broker\n")},
        }
    )
    containers = of(app, BROKER)
    (finding,) = judge(
        "container.variable-malformed",
        containers=containers,
        clock=CLOCK,
        log_tails=tails,
        misread_addresses=misread_addresses(made, containers, tails),
    ).findings
    assert finding.severity is Severity.critical
    assert finding.variables["settings"] == "/srv/zigbee/configuration.yaml"
    assert finding.variables["correction"] == "s|mqtt:///broker|mqtt://broker|g"
    assert finding.variables["misread"] == "mqtt:///broker"
    assert "variable" not in finding.variables
    linked = Made(
        {**made.answers, "file.stats": {"/srv/zigbee/configuration.yaml": {"type": "link"}}}
    )
    (finding,) = judge(
        "container.variable-malformed",
        containers=containers,
        clock=CLOCK,
        log_tails=tails,
        misread_addresses=misread_addresses(linked, containers, tails),
    ).findings
    assert "/srv/zigbee/configuration.yaml" in finding.summary
    assert not {"settings", "correction"} & finding.variables.keys()


CR_LINES = {
    "named by the errors": ("dbe7\r", 'could not translate host name "dbe7" to address', True),
    "not named": ("dbe7\r", "could not translate host name to address", False),
    "without a carriage return": ("dbe7", 'could not translate host name "dbe7"', False),
}


@pytest.mark.parametrize(("value", "line", "is_found"), CR_LINES.values(), ids=CR_LINES)
def test_a_carriage_return_in_the_value_of_a_running_program(
    value: str, line: str, is_found: bool
) -> None:
    app = container_in("running", Config={"Env": [f"DB_HOST={value}", "MODE=a\r"]})
    error = RepeatedError(app, TellingLine(line), 9, 12)
    result = judge(
        "container.variable-malformed",
        containers=of(app),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        carriage_returns=carriage_returns(RepeatedErrors((error,))),
    )
    assert rows(result) == ([("warning", "web")] if is_found else [])
