"""Variables that a start script does not read, because of a letter; and those that it does."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

MISSPELT = "container.variable-misspelt"
_SCRIPT = b"""#!/bin/sh
: "${POSTGRES_USER:=postgres}"
echo "database ${POSTGRES_DB:-$POSTGRES_USER} is there"
exec "$@"
"""
"""The official image names the database after its user where no variable does."""


def _database(box: Box, name: str, *env: str) -> None:
    files = {"usr/local/bin/docker-entrypoint.sh": (_SCRIPT, 0o755)}
    entrypoint = 'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]'
    load(box, "postgres:16-lab", Recipe(files, (entrypoint,)))
    options = [f"--env={entry}" for entry in env]
    run(box, name, *GOOD, *options, "postgres:16-lab", "sleep", "1000")
    box.wait_for(lambda: "is there" in logs(box, name), what="the database")


@fault(MISSPELT, subject="container:data71", shareable=True)
def variable_with_swapped_letters(box: Box) -> None:
    """POSTGRES_BD is not read: the database has the name of its user."""
    _database(box, "data71", "POSTGRES_BD=shop")
    assert "database postgres is there" in logs(box, "data71")


@healthy(shareable=True)
def variable_with_its_name(box: Box) -> None:
    """The right name, beside one that only the program itself may know."""
    _database(box, "data72", "POSTGRES_DB=shop", "POSTGRES_USERS=many", "SHOP_DB=x")
    assert "database shop is there" in logs(box, "data72")
