"""Scripts of the first start that ended a run."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.init_scripts import init_scripts
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import of

BEGUN = "/entrypoint.sh: running /docker-entrypoint-initdb.d/10-shop.sh"
ROLE = 'psql: error: FATAL:  role "postgres" does not exist'
SCRIPT = b"#!/bin/sh\nset -e\npsql -U postgres -c 'CREATE EXTENSION x'\n"
VOLUME = {
    "Type": "volume",
    "Name": "data",
    "Source": "/v",
    "Destination": "/var/lib/postgresql/data",
}
MOUNTED = {"Type": "bind", "Source": "/srv/sql", "Destination": "/docker-entrypoint-initdb.d"}
LOGS: dict[str, tuple[tuple[str, ...], list[str], list[dict[str, Any]], dict[str, str]]] = {
    "of the image, for another user": (
        (BEGUN, ROLE),
        ["POSTGRES_USER=shop"],
        [{**VOLUME, "RW": True}],
        {
            "set_up": "/var/lib/postgresql/data",
            "fresh_volume": "web-new:/var/lib/postgresql/data",
            "expected_user": "POSTGRES_USER=postgres",
        },
    ),
    "mounted": (
        (BEGUN, ROLE),
        ["POSTGRES_USER=shop"],
        [{**VOLUME, "RW": True}, {**MOUNTED, "RW": False}],
        {"set_up": "/var/lib/postgresql/data", "fresh_volume": "web-new:/var/lib/postgresql/data"},
    ),
    "without a volume": ((BEGUN, ROLE), ["POSTGRES_USER=shop"], [], {}),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "env", "mounts", "steps"), LOGS.values(), ids=LOGS)
def test_init_script(
    lines: tuple[str, ...], env: list[str], mounts: list[dict[str, Any]], steps: dict[str, str]
) -> None:
    container, log_tails = failed_with_log(*lines, Config={"Env": env}, Mounts=mounts)
    host = Made({"api.archive": {"type": "file", "hex": SCRIPT.hex()}})
    script = init_scripts(host, of(container), log_tails).of(container)
    assert script is not None
    assert (script.number, script.user, script.steps) == (3, "postgres", steps)
    assert 'set up for "shop"' in script.clause


OF_S6 = "cont-init: info: running /etc/cont-init.d/10-adduser"
ENDED = {
    "PostgreSQL": (BEGUN, "PostgreSQL init process complete"),
    "s6-overlay 2": (OF_S6, "[cont-init.d] done."),
    "s6-overlay 3": (OF_S6, "cont-init: info: /etc/cont-init.d/10-adduser exited 0"),
}


@pytest.mark.parametrize("lines", ENDED.values(), ids=ENDED)
def test_scripts_that_have_all_ended(lines: tuple[str, ...]) -> None:
    container, log_tails = failed_with_log(*lines, ROLE)
    host = Made({})
    assert init_scripts(host, of(container), log_tails).of(container) is None
    assert not host.asked
