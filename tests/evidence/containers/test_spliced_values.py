"""A place in an address whose login is not shown."""

from __future__ import annotations

import subprocess

import pytest

from diagnose.evidence.containers.addresses.loopback_words import with_host
from diagnose.evidence.containers.settings.changed_words import with_text
from tests.checks.container.evidence import container_in

SECRET = "<redacted:password:0123456789abcdef>"
CASES = {
    "a host": (f"postgres://shop:{SECRET}@dbb:5432/shop", "dbb", "db", "s/@dbb\\b/@db/"),
    "a port": (
        f"postgres://shop:{SECRET}@db:5433/shop",
        "db:5433",
        "db:5432",
        "s/@db:5433\\b/@db:5432/",
    ),
    "a host that is also the user": (f"amqp://mq:{SECRET}@mq", "mq", "rabbit", "s/@mq\\b/@rabbit/"),
    "a longer host": (f"postgres://shop:{SECRET}@db-old:5432/shop", "db", "pg", ""),
    "two hosts": (f"kafka://a:{SECRET}@db:1,b:{SECRET}@db:2", "db", "pg", ""),
    "the database alone": (f"postgres://shop:{SECRET}@pg/db", "db", "shop", ""),
}


@pytest.mark.parametrize(("value", "old", "new", "expected"), CASES.values(), ids=CASES)
def test_a_place_behind_a_login(value: str, old: str, new: str, expected: str) -> None:
    app = container_in("exited", name="app", Config={"Env": [f"DATABASE_URL={value}"]})
    found = with_text(app, old, new)
    assert found == ({"spliced": "DATABASE_URL", "splice": expected} if expected else {})
    if expected:
        shown = subprocess.run(["sed", "-e", expected], input=value, capture_output=True, text=True)
        assert shown.stdout == value.replace(f"@{old}", f"@{new}")


NAMES = {"LDAP_URL": True, "database_url": True, "HOMEPAGE_DB": True}
NAMES |= dict.fromkeys(("PATH", "LD_PRELOAD", "PYTHONPATH", "DOCKER_HOST", "a b", "A;id"), False)


@pytest.mark.parametrize(("name", "is_offered"), NAMES.items())
def test_variables_of_the_shell_are_left_alone(name: str, is_offered: bool) -> None:
    env = [f"{name}=postgres://shop:{SECRET}@dbb:5432/shop"]
    app = container_in("exited", name="app", Config={"Env": env})
    assert bool(with_text(app, "dbb", "db")) == is_offered


LOOPBACK = {
    "with its port": (f"postgres://u:{SECRET}@localhost:5432/x", "s/@localhost:5432\\b/@db:5432/"),
    "without a port": (f"postgres://u:{SECRET}@127.0.0.1/x", "s/@127\\.0\\.0\\.1\\b/@db/"),
    "with another port": (f"postgres://u:{SECRET}@localhost:6432/x", ""),
}


@pytest.mark.parametrize(("value", "expected"), LOOPBACK.values(), ids=LOOPBACK)
def test_loopback_behind_a_login(value: str, expected: str) -> None:
    app = container_in("running", name="app", Config={"Env": [f"DATABASE_URL={value}"]})
    found = with_host(app, 5432, "db")
    assert found == ({"spliced": "DATABASE_URL", "splice": expected} if expected else {})
