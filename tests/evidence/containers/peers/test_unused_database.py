"""A database beside a program that has a file of SQLite instead."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.peers.unused_database import unused_database
from tests.checks.container.evidence import ON_SHOP, container_in
from tests.inspected import of

LINE = "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: users"
NEEDS_DB = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.depends_on": "db:service_started:false",
}
OF_SHOP = {"com.docker.compose.project": "shop", "com.docker.compose.service": "db"}


@pytest.mark.parametrize(
    ("line", "own", "image", "is_found"),
    [
        (LINE, {"Labels": NEEDS_DB}, "postgres:17", True),
        (LINE, {"Labels": NEEDS_DB, "Env": ["DATABASE_URL=pg://db/shop"]}, "postgres:17", False),
        (LINE, {"Labels": NEEDS_DB}, "redis:7", False),
        (LINE, {"Labels": {"com.docker.compose.project": "shop"}}, "postgres:17", False),
        ('relation "users" does not exist', {"Labels": NEEDS_DB}, "postgres:17", False),
    ],
    ids=["a file", "its settings name it", "a cache", "no dependency", "another database"],
)
def test_a_database_that_no_setting_names(
    line: str, own: dict[str, Any], image: str, is_found: bool
) -> None:
    api = container_in("running", name="api", Config=own, **ON_SHOP)
    config = {"Image": image, "Labels": OF_SHOP}
    db = container_in("running", name="shop-db-1", Config=config, **ON_SHOP)
    assert (unused_database([line], api, of(api, db)) is not None) is is_found
