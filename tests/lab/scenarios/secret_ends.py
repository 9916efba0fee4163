"""Files with a password that are absent, or whose line ends a program takes as a part of it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run

_REFUSED = "container.database-refused"
_SERVER = f"""
echo made-up-horse >/tmp/word
{POSTGRES}/initdb -D /tmp/data -A scram-sha-256 -U shop --pwfile=/tmp/word >/dev/null
echo 'host all all all scram-sha-256' >>/tmp/data/pg_hba.conf
exec {POSTGRES}/postgres -D /tmp/data -k /tmp -c listen_addresses='*'
"""
_CLIENT = """
import os, subprocess, time
path = os.environ["DB_PASSWORD_FILE"]
word = open(path, newline="").read() if os.path.exists(path) else "unset"
print("worker started", flush=True)
while True:
    words = ["%s/psql", "-h", os.environ["HOST"], "-U", "shop", "-d", "postgres", "-c", "select 1"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": word})
    print(done.stderr.strip() or "one job done", flush=True)
    time.sleep(1)
"""


def _client(box: Box, number: int, text: str, *, has_secret: bool = True) -> str:
    """A program that takes its password from a file as it is, and its real database.

    has_secret: whether the file is mounted, which the program is told of in any case.
    """
    load(box, "postgres:15", Recipe())
    name, server = f"taker{number}", f"keeper{number}"
    box.docker("network", "create", f"net-{name}")
    options = ("--memory=256m", "--pids-limit=64", "--user=1000", "--tmpfs=/tmp:mode=1777")
    net = f"--network=net-{name}"
    run(box, server, *options, net, *MACHINE, "postgres:15", "/bin/sh", "-c", _SERVER)
    box.wait_for(lambda: "ready to accept" in logs(box, server), what="PostgreSQL to be ready")
    box.write(f"/srv/{name}.txt", text, 0o644)
    mount = ("-v", f"/srv/{name}.txt:/run/secrets/word:ro") if has_secret else ()
    given = (f"--env=HOST={server}", "--env=DB_PASSWORD_FILE=/run/secrets/word", "--init")
    script = _CLIENT % POSTGRES
    run(
        box, name, *GOOD, net, *mount, *given, *MACHINE, "bb:1.36", "/usr/bin/python3", "-c", script
    )
    box.wait_for(lambda: logs(box, name).count("\n") > 5, what="some calls")
    return name


@fault(_REFUSED, subject="container:taker8", also=["container.errors-in-log"])
def password_with_a_newline(box: Box) -> None:
    """An editor has ended the file with a newline; the command of the report takes it out."""
    name = _client(box, 8, "made-up-horse\n")
    assert "password authentication failed" in logs(box, name)
    box.sh(first_command(box, _REFUSED, name), timeout=30)
    box.wait_for(lambda: "one job done" in logs(box, name), what="the login")
    box.docker("rm", "-f", name, "keeper8")
    box.docker("network", "rm", f"net-{name}")
    _client(box, 8, "made-up-horse\n")


@fault(_REFUSED, subject="container:taker9", also=["container.errors-in-log"])
def password_with_a_carriage_return(box: Box) -> None:
    """The file was written on Windows."""
    name = _client(box, 9, "made-up-horse\r\n")
    assert "has carriage returns" in box.diagnose("check", _REFUSED).out.replace("\n  ", " ")
    assert "password authentication failed" in logs(box, name)


@fault(_REFUSED, subject="container:taker11", also=["container.errors-in-log"])
def password_that_was_not_mounted(box: Box) -> None:
    """The container was made again without the secret that its variable names."""
    _client(box, 11, "made-up-horse", has_secret=False)
    said = box.diagnose("check", _REFUSED).out.replace("\n  ", " ")
    assert "created without its secret" in said, said


@healthy()
def password_without_an_end(box: Box) -> None:
    """The file holds the password alone."""
    assert "one job done" in logs(box, _client(box, 10, "made-up-horse"))
