"""First steps that the line of the log leads to.

diagnose/first_steps/named/line_steps.py and diagnose/evidence/containers/peers/unknown_names.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.run_context import RunContext
from tests.checks.container.evidence import CLOCK, ON_SHOP, OPTIONS, container_in, failed_with_log
from tests.inspected import of
from tests.judging import judge

FILE = {"Type": "bind", "Source": "/srv/app.conf", "Destination": "/etc/app/app.conf"}
FOLDER = {"Type": "bind", "Source": "/srv/conf", "Destination": "/conf"}
BUSY = "sed: can't move '/etc/app/app.confbFhJcA' to '/etc/app/app.conf': Resource busy"
BLOCK = 'nginx: [emerg] "server" directive is not allowed here in /etc/nginx/nginx.conf:1'
PENDING = "You have 2 pending migrations; run bin/rails db:migrate"
LOST = "panic: dial tcp: lookup db on 127.0.0.11:53: no such host"
DENIED = "# Fatal error loading the DB: Permission denied. Exiting."
UNREACHED = "ERROR: Failed to obtain JDBC connection"

STEPS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a file that is mounted alone": (
        BUSY,
        {"Mounts": [FILE]},
        {
            "held": "/etc/app/app.conf",
            "held_source": "/srv/app.conf",
            "held_target": "web:/etc/app/app.conf",
        },
    ),
    "a file that is not mounted": (BUSY, {}, {}),
    "an option of docker run as the command": (
        "# Fatal error, can't open config file '-p'",
        {"Config": {"Cmd": ["-p", "6379:6379"]}},
        {"misplaced": "web"},
    ),
    "the program's own option": (
        "# Fatal error, can't open config file '-p'",
        {"Config": {"Cmd": ["server", "-p", "80"]}},
        {},
    ),
    "a site instead of nginx's main file": (
        BLOCK,
        {"Mounts": [{**FILE, "Destination": "/etc/nginx/nginx.conf"}]},
        {"site": "/etc/nginx/nginx.conf", "site_mount": "/srv/app.conf:/etc/nginx/conf.d/app.conf"},
    ),
    "a main file instead of a site": (BLOCK.replace("server", "events"), {}, {}),
    "a site in the image": (BLOCK, {}, {}),
    "a migration": (
        PENDING,
        {"Config": {"Image": "shop:1"}, "HostConfig": {"NetworkMode": "shop"}},
        {
            "migration": "bin/rails db:migrate",
            "migrated": "web",
            "migrated_network": "shop",
            "migrated_image": "shop:1",
        },
    ),
    "a migration of an unknown program": ("the database needs to be migrated", {}, {}),
    "a file that the line does not name, in the one mount": (
        DENIED,
        {"Mounts": [{**FOLDER, "RW": True}]},
        {"named_folder": "/srv/conf"},
    ),
    "a file that the line does not name, in one of two mounts": (
        DENIED,
        {"Mounts": [{**FOLDER, "RW": True}, {**FILE, "RW": True}]},
        {},
    ),
    "a name in a mounted folder": (
        LOST,
        {"Mounts": [FOLDER], **ON_SHOP},
        {"sought": "db", "sought_in": "/srv/conf"},
    ),
    "a name below the host's root": (LOST, {"Mounts": [{**FOLDER, "Source": "/"}], **ON_SHOP}, {}),
    "a name in a variable that no container has": (
        LOST,
        {"Mounts": [FOLDER], "Config": {"Env": ["DB_HOST=db"]}, **ON_SHOP},
        {"typed": "DB_HOST"},
    ),
    "a name of the settings that no container has": (
        UNREACHED,
        {"Config": {"Env": ["KC_DB_URL=jdbc:postgresql://pg:5432/keycloak"]}, **ON_SHOP},
        {"typed": "KC_DB_URL"},
    ),
}
KEYS = (
    "site",
    "site_mount",
    "held",
    "held_source",
    "held_target",
    "misplaced",
    "migration",
    "migrated",
    "migrated_network",
    "migrated_image",
    "named_folder",
    "sought",
    "sought_in",
    "typed",
)


@pytest.mark.parametrize(("line", "parts", "expected"), STEPS.values(), ids=STEPS)
def test_first_steps(line: str, parts: dict[str, Any], expected: dict[str, str]) -> None:
    container, log_tails = failed_with_log(line, **parts)
    (finding,) = judge(
        "container.exits-at-start",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        context=RunContext(log_tails=log_tails),
    ).findings
    assert {key: value for key, value in finding.variables.items() if key in KEYS} == expected


def test_a_name_like_that_of_another_container() -> None:
    container, log_tails = failed_with_log(LOST.replace("lookup db", "lookup shopdb"), **ON_SHOP)
    (finding,) = judge(
        "container.exits-at-start",
        containers=of(container, container_in("running", name="shop-db", **ON_SHOP)),
        clock=CLOCK,
        options=OPTIONS,
        context=RunContext(log_tails=log_tails),
    ).findings
    assert "shop-db" in str(finding.evidence['"shopdb", in its log'])


def test_a_name_that_a_stopped_container_has() -> None:
    container, log_tails = failed_with_log(LOST, **ON_SHOP)
    (finding,) = judge(
        "container.exits-at-start",
        containers=of(container, container_in("exited", name="db", **ON_SHOP)),
        clock=CLOCK,
        options=OPTIONS,
        context=RunContext(log_tails=log_tails),
    ).findings
    assert not [name for name in finding.evidence if name.startswith('"db"')]
