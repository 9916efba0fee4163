"""Programs whose log does not say whom they call, and whose variable says localhost."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.everyday.silent_calls import refused_inside

CHECK = "container.loopback-peer"
_CALLS = (
    "while :; do nc -w 2 $H $P </dev/null && echo job done"
    " || echo 'ERROR worker: job failed: [Errno 111] Connection refused'; sleep 1; done"
)


def _shop(box: Box, number: int, *options: str) -> str:
    """A database, and a worker that calls it; the worker's name."""
    network, worker = f"shop{number}net", f"worker{number}"
    box.docker("network", "create", network)
    serve = ("httpd", "-f", "-p", "5432")
    on = (f"--network={network}", *SAFE)
    box.docker("run", "-d", f"--name=db{number}", "--expose=5432", *on, "bb:1.36", *serve)
    box.docker("run", "-d", f"--name={worker}", *on, *options, "bb:1.36", "sh", "-c", _CALLS)
    return worker


@fault(CHECK, subject="container:worker61")
def worker_whose_variables_say_localhost(box: Box) -> None:
    """DB_HOST says localhost, DB_PORT stands beside it, and the log names neither."""
    called = ("--env=H=127.0.0.1", "--env=P=5432")
    worker = _shop(box, 61, *called, "--env=DB_HOST=localhost", "--env=DB_PORT=5432")
    box.wait_for(lambda: refused_inside(box, worker) >= 5, what="the worker to be refused")
    assert "--env=DB_HOST=db61" in first_command(box, CHECK, worker)


@fault(CHECK, subject="container:worker62")
def worker_whose_url_says_localhost(box: Box) -> None:
    """A program of the host listens at 127.0.0.1, and the container publishes its own port."""
    box.spawn(["python3", "-m", "http.server", "11434", "--bind", "127.0.0.1"])
    called = ("--env=H=127.0.0.1", "--env=P=11434", "--env=MODEL_BASE_URL=http://localhost:11434/")
    run = ("--name=worker62", "--publish=18062:18062", *SAFE, *called)
    box.docker("run", "-d", *run, "bb:1.36", "sh", "-c", _CALLS)
    box.wait_for(lambda: refused_inside(box, "worker62") >= 5, what="the worker to be refused")
    assert "--without publish -- --network=host" in first_command(box, CHECK, "worker62")


_CALLS_BY_URL = (
    "P=${DATABASE_URL#*@}; H=${P%%:*}; while :; do nc -w 2 $H 5432 </dev/null && echo job done"
    ' || echo "ERROR worker: dial tcp $H:5432: connect: connection refused"; sleep 1; done'
)


@fault(CHECK, subject="container:worker66")
def worker_whose_url_has_a_login(box: Box) -> None:
    """The address of the database says localhost behind a user and a password, which the first
    command does not show."""
    box.docker("network", "create", "shop66net")
    on = ("--network=shop66net", *SAFE)
    serve = ("bb:1.36", "httpd", "-f", "-p", "5432")
    box.docker("run", "-d", "--name=db66", "--expose=5432", *on, *serve)
    url = "--env=DATABASE_URL=postgres://shop:made-up-word@localhost:5432/shop"
    box.docker("run", "-d", "--name=worker66", *on, url, "bb:1.36", "sh", "-c", _CALLS_BY_URL)
    box.wait_for(lambda: refused_inside(box, "worker66") >= 5, what="the worker to be refused")
    command = first_command(box, CHECK, "worker66")
    assert r"sed -e 's/@localhost:5432\b/@db66:5432/'" in command
    assert "made-up-word" not in command


@fault("container.errors-in-log", subject="container:worker63")
def worker_with_links_for_browsers(box: Box) -> None:
    """The neighbour refuses, the program's own port did so once, and links for browsers say
    localhost."""
    called = ("--env=H=db63", "--env=P=5433", "--env=SITE_URL=http://localhost:5432")
    worker = _shop(box, 63, *called)
    box.docker("exec", worker, "nc", "-w", "1", "127.0.0.1", "5432", check=False)
    box.wait_for(lambda: box.docker("logs", worker).stdout.count("ERROR") > 4, what="the lines")
