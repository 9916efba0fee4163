"""The check container.value-left-empty, and the shapes of values that lack a part."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.compose.emptied_values import EmptiedValues, emptied_values
from diagnose.evidence.containers.variables.cut_values import Cut, cut_of_label, cut_of_variable
from diagnose.evidence.containers.variables.unfilled_values import unfilled_values
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

RULE = "traefik.http.routers.homer.rule"
LABELS = {
    "a name without its end": (RULE, "Host(`homer.`)", Cut.surely),
    "a name without its beginning": (RULE, "Host(`.example.com`) && PathPrefix(`/x`)", Cut.surely),
    "no name": (RULE, "Host(``)", Cut.surely),
    "the second name": (RULE, "Host(`a.example.com`, `b.`)", Cut.surely),
    "a whole name": (RULE, "Host(`homer.example.com`)", Cut.no),
    "a whole name with a dot": (RULE, "Host(`homer.example.com.`)", Cut.no),
    "a name of one word": (RULE, "Host(`homer`)", Cut.no),
    "an expression": (RULE, "HostRegexp(`.+\\.example\\.com`)", Cut.no),
    "caddy": ("caddy", "homer.", Cut.surely),
    "caddy, a wildcard": ("caddy", "*.example.com", Cut.no),
    "caddy, further labels": ("caddy_1.reverse_proxy", "homer.", Cut.no),
    "a link": ("homepage.href", "https://homer.", Cut.surely),
    "another label": ("com.example.note", "ends.", Cut.no),
}


@pytest.mark.parametrize(("label", "value", "expected"), LABELS.values(), ids=LABELS)
def test_labels(label: str, value: str, expected: Cut) -> None:
    assert cut_of_label(label, value).cut is expected


VARIABLES = {
    "no host": ("API_URL", "https:///login", Cut.surely),
    "a host without its end": ("API_URL", "https://app./", Cut.surely),
    "this machine": ("SITE_URL", "http://localhost.:8080/x", Cut.no),
    "a whole host": ("API_URL", "https://app.example.com./", Cut.no),
    "the scheme alone": ("API_URL", "https://", Cut.maybe),
    "a prefix": ("URL_PREFIX", "https://", Cut.no),
    "a place to listen at": ("ASPNETCORE_URLS", "http://:8080", Cut.no),
    "a port alone": ("API_URL", "http://:8080", Cut.maybe),
    "a port and a path": ("OTLP_ENDPOINT", "http://:4318/v1", Cut.maybe),
    "no password and no database": ("DATABASE_URL", "postgres://shop:@db/", Cut.surely),
    "no user and no password": ("DATABASE_URL", "mysql://:@db/shop", Cut.surely),
    "no password": ("DATABASE_URL", "postgres://shop:@db/shop", Cut.maybe),
    "no database": ("DATABASE_URL", "postgres://shop:pw@db/", Cut.maybe),
    "a socket": ("DATABASE_URL", "postgresql:///shop", Cut.no),
    "Redis without a login": ("REDIS_URL", "redis://redis:6379/", Cut.no),
    "Redis with an empty one": ("REDIS_URL", "redis://:@redis:6379/0", Cut.maybe),
    "SQLite": ("DATABASE_URL", "sqlite:////data/shop.db", Cut.no),
    "a file": ("STORE", "file:///data", Cut.no),
    "a mail address": ("MAIL_FROM", "noreply@", Cut.surely),
    "a user of another machine": ("REMOTE_FROM", "backup@", Cut.maybe),
    "a proxy's name": ("VIRTUAL_HOST", "app.", Cut.surely),
    "a proxy's wildcard": ("VIRTUAL_HOST", ".example.com", Cut.no),
    "a word": ("MOTTO", "the end.", Cut.no),
}


@pytest.mark.parametrize(("name", "value", "expected"), VARIABLES.values(), ids=VARIABLES)
def test_variables(name: str, value: str, expected: Cut) -> None:
    assert cut_of_variable(name, value).cut is expected


COMPOSE = {
    "com.docker.compose.project": "media",
    "com.docker.compose.service": "homer",
    "com.docker.compose.project.working_dir": "/media",
    "com.docker.compose.project.config_files": "/srv/compose.yaml",
}
LINE = {"path": "/srv/compose.yaml", "line": 9, "text": "Host(`homer.`)", "names": ["DOMAIN"]}
STEPS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], set[str]]] = {
    "no file": ({RULE: "Host(`homer.`)"}, [], {"setting"}),
    "no value": ({RULE: "Host(`homer.`)", **COMPOSE}, [LINE], {"names", "dotenv", "service"}),
    "another folder has it": (
        {RULE: "Host(`homer.`)", **COMPOSE},
        [LINE | {"given_in": ["/srv/.env"]}],
        {"folder", "compose_service", "compose_file", "project", "env_file"},
    ),
    "given by now": (
        {RULE: "Host(`homer.`)", **COMPOSE},
        [LINE | {"given_in": ["/media/.env"]}],
        {"folder", "compose_service"},
    ),
}


@pytest.mark.parametrize(("labels", "lines", "expected"), STEPS.values(), ids=STEPS)
def test_ways_to_a_value(
    labels: dict[str, str], lines: list[dict[str, Any]], expected: set[str]
) -> None:
    state = {"Status": "running", "Pid": 9, "StartedAt": "2026-01-02T03:04:05Z"}
    homer = container("homer", State=state, Config={"Labels": labels, "Env": ["NOTE=https://"]})
    traefik = container("proxy", State=state, Config={"Image": "traefik:v3.1"})
    found = emptied_values(Made({"file.emptied": lines}), of(homer, traefik))
    [finding] = judge("container.value-left-empty", emptied_values=found).findings
    assert finding.variables.keys() - {"container", "project_file", "project_service"} == expected


EMPTY_LOGIN = {"path": "/srv/compose.yaml", "line": 9, "text": "redis://:@redis", "names": ["PASS"]}
QUIET: dict[str, tuple[dict[str, str], list[str], str, list[dict[str, Any]]]] = {
    "labels for Traefik, and none runs": ({RULE: "Host(`homer.`)"}, [], "nginx:1", []),
    "switched off": (
        {RULE: "Host(`homer.`)", "traefik.enable": "false"}, [], "traefik:v3.1", [],
    ),
    "a label for Caddy, and none runs": ({"caddy": "homer."}, [], "nginx:1", []),
    "a name for nginx-proxy, and none runs": ({}, ["VIRTUAL_HOST=homer."], "nginx:1", []),
    "an empty password that is assigned": (
        COMPOSE, ["REDIS_URL=redis://:@redis"], "nginx:1", [EMPTY_LOGIN | {"is_blank": True}],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("labels", "env", "image", "lines"), QUIET.values(), ids=QUIET)
def test_values_that_nobody_misses(
    labels: dict[str, str], env: list[str], image: str, lines: list[dict[str, Any]]
) -> None:
    state = {"Status": "running", "Pid": 9, "StartedAt": "2026-01-02T03:04:05Z"}
    homer = container("homer", State=state, Config={"Labels": labels, "Env": env})
    other = container("proxy", State=state, Config={"Image": image})
    assert not list(emptied_values(Made({"file.emptied": lines}), of(homer, other)))


UNFILLED: dict[str, tuple[str, bool]] = {
    "a comment": ("PROVIDER=# fallback provider if primary fails", True),
    "a comment behind spaces": ("PROVIDER=   # fallback provider", True),
    "a channel": ("CHANNEL=#ops", False),
    "a colour": ("COLOUR=#aabbcc", False),
    "Markdown": ("MOTD=# Welcome", False),
    "a channel behind a sign": ("SLACK_CHANNEL=# general", False),
    "a file of settings": ("EXTRA_NGINX_CONF=# managed by ansible", False),
    "a variable of each process": ("NODE_ID=${HOSTNAME}", False),
    "its own name, of each process": ("HOSTNAME=${HOSTNAME}", True),
    "several lines": ("RULES=# first\nallow all", False),
    "a placeholder": ("BOT_TOKEN=<your-token>", True),
    "words for a placeholder": ("API_KEY=your_api_key_here", True),
    "crosses": ("BOT_TOKEN=xxxxxxxxxx", True),
    "a working password": ("DB_PASSWORD=changeme", False),
    "a secret": ("BOT_TOKEN=<redacted:token:8d84cd>", False),
    "nothing on purpose": ("LEVEL=<none>", False),
    "an address of mail": ("MAIL_FROM=Shop <shop@lab.test>", False),
    "a reference to itself": ("DB_HOST=${DB_HOST}", True),
    "a reference to nothing": ("DB_URL=${OTHER_URL}", True),
    "a reference to a variable": ("DB_URL=${SHOP_URL}", False),
    "a template": ("LOG_FORMAT=${LEVEL}", False),
}


@pytest.mark.parametrize(("variable", "is_said"), UNFILLED.values(), ids=UNFILLED)
def test_values_that_nobody_has_filled_in(variable: str, is_said: bool) -> None:
    state = {"Status": "running", "Pid": 9, "StartedAt": "2026-01-02T03:04:05Z"}
    bot = container("bot", State=state, Config={"Env": ["SHOP_URL=http://shop", variable]})
    for own_variables, expected in (([], is_said), ([variable], False)):
        image = {"Id": "sha256:1", "Config": {"Env": own_variables}}
        found = unfilled_values(Made({"api.image": image}), of(bot))
        result = judge(
            "container.value-left-empty", emptied_values=EmptiedValues(), unfilled_values=found
        )
        assert bool(result.findings) is expected
