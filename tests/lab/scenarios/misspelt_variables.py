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


_SERVES_AS_USER = """#!/bin/sh
mkdir -p /tmp/config
chown "$USER_ID" /tmp/config
exec httpd -f -p 5800 -u "$USER_ID"
"""


def _browser(box: Box, name: str, *env: str) -> None:
    """A program that runs as the user whose number USER_ID gives it."""
    start = Recipe(
        {"start": (_SERVES_AS_USER.encode(), 0o755)}, ("ENV USER_ID=1000", 'CMD ["/start"]')
    )
    load(box, "browser:23", start)
    options = [f"--env={entry}" for entry in env]
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", *options, "browser:23"
    )
    box.wait_state(name, "running")


def _wait_for_user(box: Box, name: str, number: int) -> None:
    """Wait until the program runs as that user: it begins as root."""
    columns = ("-o", "pid,uid,args")
    box.wait_for(
        lambda: f" {number} " in box.docker("top", name, *columns).stdout,
        60,
        what=f"user {number} in {name}",
    )


@fault(MISSPELT, subject="container:browser73", exit_code=0)
def number_of_a_user_under_another_name(box: Box) -> None:
    """PUID is what other images read: the program runs as the image's own user."""
    _browser(box, "browser73", "PUID=1026", "PGID=100")
    _wait_for_user(box, "browser73", 1000)


@healthy(advice=None)
def numbers_of_users_that_images_read(box: Box) -> None:
    """The right name, and a variable of another kind with the number of a user."""
    _browser(box, "browser74", "USER_ID=1026")
    _wait_for_user(box, "browser74", 1026)
    _browser(box, "browser75", "USER_ID=1027", "PUID=1027")
    _wait_for_user(box, "browser75", 1027)
    _browser(box, "browser76", "HOST_UID=1000")
    _wait_for_user(box, "browser76", 1000)
    assert not box.diagnose("check", MISSPELT, "--format", "json").findings
