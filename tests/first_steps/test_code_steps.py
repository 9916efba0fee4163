"""What the code in which a program failed is about, and what its container has for that."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.named.code_steps import code_evidence, code_variables
from tests.inspected import container

IN_DATABASE = (
    "TypeError: Cannot read properties of null (reading 'replace')",
    "    at createDatabaseInstance (/app/server/database/sequelize.js:20:20)",
)
IN_CONFIG = (
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "main.loadConfig(0x0)",
    "        /go/exporter/main.go:236 +0x14",
)
ELSEWHERE = (
    "TypeError: Cannot read properties of null (reading 'x')",
    "    at start (/app/index.js:1:2)",
)
KNOWN = ("Error: JWT_SECRET must be set", "    at loadConfig (/app/config.js:1:2)")
WHERE = "where in its own code"
DATABASE = (
    f"{WHERE}: createDatabaseInstance (database/sequelize.js, line 20), which is about its database"
)
VARIABLES = "its variables about its database"
MOUNTED = {"Mounts": [{"Type": "bind", "Source": "/srv/a", "Destination": "/config", "RW": True}]}

CASES: dict[str, tuple[tuple[str, ...], dict[str, Any], list[str], bool]] = {
    "no variable about it": (IN_DATABASE, {}, [DATABASE, f"{VARIABLES}: none is set"], True),
    "an empty one": (
        IN_DATABASE,
        {"Config": {"Env": ["DATABASE_URL=", "DEBUG=1"]}},
        [DATABASE, f"{VARIABLES}: DATABASE_URL (empty)"],
        True,
    ),
    "its configuration": (
        IN_CONFIG,
        MOUNTED,
        [
            f"{WHERE}: main.loadConfig (exporter/main.go, line 236), which is about its configuration",
            "mounted from the host: /srv/a -> /config",
        ],
        False,
    ),
    "nothing that has a name": (ELSEWHERE, {}, [f"{WHERE}: start (app/index.js, line 1)"], False),
    "the log says what is wrong": (KNOWN, {}, [], False),
}


@pytest.mark.parametrize(("lines", "fields", "told", "shown"), CASES.values(), ids=CASES)
def test_the_code_in_which_it_failed(
    lines: tuple[str, ...], fields: dict[str, Any], told: list[str], *, shown: bool
) -> None:
    app, tail = container("app", **fields), LogTail(lines)
    assert [f"{name}: {value}" for name, value in code_evidence(app, tail).items()] == told
    assert (code_variables(app, tail).get("asked") == "app") == shown
