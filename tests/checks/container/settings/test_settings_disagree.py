"""The check in checks/container/settings/settings_disagree.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.variables.unequal_secrets import unequal_secrets
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Result, Verdict
from tests.checks.container.evidence import (
    CLOCK,
    FOUND,
    NOW,
    ON_SHOP,
    QUIET,
    container_in,
    failed_with_log,
)
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

ID = "container.settings-disagree"
WARNED = [("warning", "web")]
BROKER = ("RABBITMQ_DEFAULT_VHOST=shop", "RABBITMQ_DEFAULT_USER=admin")
VHOST = "connection error: NOT_ALLOWED - vhost orders not found, class-id=10"


def _server(*env: str) -> Container:
    return container_in(
        "running", name="queue", Config={"Image": "queue:1", "Env": list(env)}, **ON_SHOP
    )


def _caller(*env: str) -> tuple[Container, LogTails]:
    return failed_with_log(VHOST, Config={"Env": ["AMQP_HOST=queue", *env]}, **ON_SHOP)


@pytest.mark.parametrize(
    ("own", "servers", "expected", "assignment"),
    [
        (["AMQP_VHOST=orders"], BROKER, FOUND, "AMQP_VHOST=shop"),
        ([], BROKER, FOUND, None),
        (["AMQP_VHOST=orders"], ["RABBITMQ_DEFAULT_VHOST=orders"], [], None),
        (["AMQP_VHOST=orders"], ["RABBITMQ_DEFAULT_USER=admin"], [], None),
        (["AMQP_VHOST=orders"], ["A_VHOST=shop", "B_VHOST=orders"], [], None),
        (["AMQP_VHOST=orders"], ["RABBITMQ_DEFAULT_VHOST=<redacted:token:1a2b>"], [], None),
    ],
)
def test_a_name_that_the_server_was_not_made_with(
    own: list[str], servers: list[str], expected: list[tuple[str, str]], assignment: str | None
):
    caller, log_tails = _caller(*own)
    result = judge(ID, containers=of(caller, _server(*servers)), clock=CLOCK, log_tails=log_tails)
    assert rows(result) == expected
    assert [found.variables.get("assignment") for found in result.findings] == [
        assignment for _ in expected
    ]


ISSUER = 'level=info msg="token from untrusted issuer: \\"gitlab\\""'
SAID_BY_THE_SERVER = {
    "an issuer": (ISSUER, "REGISTRY_AUTH_TOKEN_ISSUER=omnibus", 3, FOUND),
    "a bucket": ("error: no such bucket: films", "STORE_BUCKETS=photos", 3, FOUND),
    "an organization": ('organization name "acme" not found', "INIT_ORG=home", 3, FOUND),
    "twice": (ISSUER, "REGISTRY_AUTH_TOKEN_ISSUER=omnibus", 2, []),
    "the same": (ISSUER, "REGISTRY_AUTH_TOKEN_ISSUER=gitlab", 3, []),
    "none": (ISSUER, "REGISTRY_AUTH_TOKEN_REALM=gitlab", 3, []),
    "no name at all": ("The specified bucket does not exist", "STORE_BUCKETS=photos", 3, []),
    "a database, of which another check tells": (
        'database "films" does not exist',
        "STORE_DB=photos",
        3,
        [],
    ),
}


@pytest.mark.parametrize(
    ("line", "setting", "times", "expected"), SAID_BY_THE_SERVER.values(), ids=SAID_BY_THE_SERVER
)
def test_what_a_server_says_of_its_one_caller(
    line: str, setting: str, times: int, expected: list[tuple[str, str]]
):
    server = _server(setting)
    caller = container_in("running", name="web", Config={"Env": ["URL=http://queue"]}, **ON_SHOP)
    lines = tuple(RecentLine(NOW - 9 + at, line) for at in range(times))
    result = judge(
        ID,
        containers=of(server, caller),
        clock=CLOCK,
        log_tails=QUIET,
        recent_logs=RecentLogs({server.id: lines}),
    )
    assert rows(result) == (WARNED if expected else [])


REFUSED = "FTL The as_token was not accepted"
OWN, OTHER = "<redacted:token:1a2b>", "<redacted:token:3c4d>"


@pytest.mark.parametrize(("image", "is_found"), [("acme/runner:1", True), ("other:1", False)])
def test_a_secret_that_is_called_after_the_product_of_both(image: str, is_found: bool) -> None:
    env = [f"ACME_RPC_SECRET={OWN}", "SERVER=queue:9000"]
    caller, tails = failed_with_log(
        "error: Unauthorized", Config={"Env": env, "Image": image}, **ON_SHOP
    )
    config = {"Image": "acme/server:2", "Env": [f"ACME_RPC_SECRET={OTHER}"]}
    server = container_in("running", name="queue", Config=config, **ON_SHOP)
    assert bool(_differing(caller, tails, server, Made({})).findings) is is_found


def _differing(caller: Container, tails: LogTails, server: Container, made: Made) -> Result:
    containers = of(caller, server)
    secrets = unequal_secrets(made, containers, tails, None)
    return judge(ID, containers=containers, clock=CLOCK, log_tails=tails, unequal_secrets=secrets)


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("AGENT_SECRET", OTHER, FOUND),
        ("AGENT_SECRET", OWN, []),
        ("AGENT_SECRET", "", []),
        ("AGENT_NAME", OTHER, []),
        ("SECRET_KEY", OTHER, []),
    ],
)
def test_a_secret_of_the_same_name(name: str, others: str, expected: list[tuple[str, str]]):
    env = [f"{name}={OWN}", "SERVER=queue:9000"]
    caller, tails = failed_with_log("FATAL invalid agent secret", Config={"Env": env}, **ON_SHOP)
    server = _server(*([f"{name}={others}"] if others else []))
    result = _differing(caller, tails, server, Made({}))
    assert rows(result) == expected
    assert [found.variables["equalled"] for found in result.findings] == [name] * len(expected)


WRONG = "Redis Connection failed, retrying... (invalid username-password pair or user is disabled.)"
REFUSES = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN"


@pytest.mark.parametrize(
    ("line", "env", "image", "command", "kept"),
    [
        (WRONG, {"APP_REDIS__PASSWORD": OWN}, "redis:7", f"--requirepass {OTHER}", "kept_option"),
        (WRONG, {"APP_REDIS__PASSWORD": OWN}, "redis:7", f"--requirepass {OWN}", None),
        (
            WRONG,
            {"REDIS_URL": f"redis://:{OWN}@queue:6379"},
            "redis:7",
            f"--requirepass {OTHER}",
            "",
        ),
        (
            WRONG,
            {"REDIS_URL": f"redis://app:{OWN}@queue"},
            "redis:7",
            f"--requirepass {OTHER}",
            None,
        ),
        (
            WRONG,
            {"REDIS_PASSWORD": OWN, "REDIS_USER": "app"},
            "redis:7",
            f"--requirepass {OTHER}",
            None,
        ),
        (WRONG, {"POSTGRES_PASSWORD": OWN}, "redis:7", f"--requirepass {OTHER}", None),
        (WRONG, {"APP_REDIS__PASSWORD": OWN}, "redis:7", "--appendonly yes", None),
        (REFUSES, {"AMQP_USER": "shop", "AMQP_PASSWORD": OWN}, "rabbitmq:3", "", "kept_variable"),
        (REFUSES, {"AMQP_USER": "else", "AMQP_PASSWORD": OWN}, "rabbitmq:3", "", None),
    ],
)
def test_a_login_that_a_server_refuses(
    line: str, env: dict[str, str], image: str, command: str, kept: str | None
) -> None:
    given = [*(f"{name}={value}" for name, value in env.items()), "SERVER=queue:6379"]
    caller, tails = failed_with_log(line, Config={"Env": given}, **ON_SHOP)
    own = [f"RABBITMQ_DEFAULT_PASS={OTHER}", "RABBITMQ_DEFAULT_USER=shop"]
    config = {"Image": image, "Cmd": ["redis-server", *command.split()], "Env": own}
    server = container_in("running", name="queue", Config=config, **ON_SHOP)
    found = _differing(caller, tails, server, Made({})).findings
    assert len(found) == (kept is not None)
    assert all(
        (kept in one.variables) if kept else "replaced" not in one.variables for one in found
    )


@pytest.mark.parametrize(
    ("key", "handed", "expected"),
    [("as_token", OTHER, FOUND), ("as_token", OWN, []), ("api_key", OTHER, [])],
    ids=["another", "the same", "of a service elsewhere"],
)
def test_a_key_of_mounted_files(key: str, handed: str, expected: list[tuple[str, str]]):
    texts = {
        "/srv/bridge/config.yaml": f"{key}: {OWN}\n",
        "/srv/bridge/registration.yaml": f"{key}: {OWN}\n",
        "/srv/synapse/bridge.yaml": f"{key}: {handed}\n",
    }
    bridge = {"Type": "bind", "Source": "/srv/bridge", "Destination": "/data"}
    synapse = {"Type": "bind", "Source": "/srv/synapse", "Destination": "/data"}
    labels = {"Labels": {"com.docker.compose.project": "matrix"}}
    line = REFUSED.replace("as_token", key)
    caller, tails = failed_with_log(line, Mounts=[bridge], Config=labels, **ON_SHOP)
    server = container_in("running", name="synapse", Mounts=[synapse], Config=labels, **ON_SHOP)
    result = _differing(caller, tails, server, _folders(texts))
    assert rows(result) == expected
    twins = [found.variables["twin"] for found in result.findings]
    assert twins == ["/srv/bridge/registration.yaml" for _ in expected]


@pytest.mark.parametrize(
    ("project", "link", "is_copied"),
    [
        ("matrix", "", True),
        ("guest", "", False),
        ("matrix", "/srv/bridge/registration.yaml", False),
    ],
    ids=["one project", "another project", "a link of the container"],
)
def test_a_file_replaces_that_of_another_container_within_a_project(
    project: str, link: str, is_copied: bool
) -> None:
    texts = {
        "/srv/bridge/config.yaml": f"as_token: {OWN}\n",
        "/srv/bridge/registration.yaml": f"as_token: {OWN}\n",
        "/srv/synapse/bridge.yaml": f"as_token: {OTHER}\n",
    }

    def config(name: str) -> dict[str, Any]:
        return {"Labels": {"com.docker.compose.project": name}, "Env": ["HOMESERVER=synapse"]}

    bridge = {"Type": "bind", "Source": "/srv/bridge", "Destination": "/data"}
    synapse = {"Type": "bind", "Source": "/srv/synapse", "Destination": "/data"}
    caller, tails = failed_with_log(REFUSED, Mounts=[bridge], Config=config(project), **ON_SHOP)
    server = container_in(
        "running", name="synapse", Mounts=[synapse], Config=config("matrix"), **ON_SHOP
    )
    made = _folders(texts)
    made.answers = {
        **made.answers,
        "file.stats": lambda question: {
            path: {"type": "link" if path == link else "file"} for path in question.paths
        },
    }
    (finding,) = _differing(caller, tails, server, made).findings
    assert ("twin" in finding.variables) is is_copied


def _folders(texts: dict[str, str]) -> Made:
    """A host with these files, whose folders are listed."""
    folders: dict[str, list[str]] = {}
    for path in texts:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)

    def listing(question: Any) -> Any:
        return {"entries": [{"name": name} for name in folders[question.path]]}

    def text(question: Any) -> Any:
        return {"text": texts[f"{question.root}{question.path}"]}

    return Made({"file.list": listing, "file.read": text})


def test_only_secrets_are_kept_of_a_file():
    text = '# as_token: old\nid: x\n  as_token: abcdefgh12\n  key = "short1"\nport: 80\n'
    assert only("secrets", text).splitlines() == ["as_token: abcdefgh12", 'key = "short1"']


def test_a_log_that_was_not_read_keeps_the_check_from_passing():
    server = _server("A_ISSUER=x")
    result = judge(
        ID,
        containers=of(server),
        clock=CLOCK,
        log_tails=QUIET,
        recent_logs=RecentLogs({}, {server.id: "busy"}),
    )
    assert result.verdict is Verdict.UNKNOWN
