"""Programs whose log does not say whom they call, and whose variable says localhost."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.everyday.silent_calls import refused_inside
from tests.lab.scenarios.programs.helpers import MACHINE

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


_CELERY = r"""
import os, socket, time
store = os.environ["CELERY_RESULT_BACKEND"]
host = store.split("/")[2].split(":")[0] if "://" in store else "localhost"
addresses = ["127.0.0.1", "::1"] if host == "localhost" else [host]
while True:
    for address in addresses:
        try:
            socket.create_connection((address, 6379), 2).close()
            error = None
            break
        except OSError as caught:
            error = caught
    if error:
        print(f"kombu.exceptions.OperationalError: Error {error.errno} connecting to {host}:6379. "
              f"{error.strerror}.")
    time.sleep(1)
"""


def _celery(box: Box, number: int) -> str:
    """A store, and a worker without IPv6 whose variable names only the kind of the store."""
    network, worker = f"celery{number}net", f"celery{number}"
    box.docker("network", "create", network)
    on = (f"--network={network}", *SAFE)
    serve = ("nc", "-ll", "-p", "6379", "-e", "cat")
    box.docker("run", "-d", f"--name=store{number}", "--expose=6379", *on, "bb:1.36", *serve)
    without_ipv6 = "--sysctl=net.ipv6.conf.all.disable_ipv6=1"
    store = "--env=CELERY_RESULT_BACKEND=redis"
    words = (*MACHINE, "bb:1.36", "/usr/bin/python3", "-uc", _CELERY)
    box.docker("run", "-d", f"--name={worker}", *on, without_ipv6, store, *words)
    box.wait_for(
        lambda: box.docker("logs", worker).stdout.count("Error 99 connecting") > 3,
        what="the worker to find no address",
    )
    return worker


@fault(CHECK, subject="container:celery67")
def worker_whose_store_has_no_host(box: Box) -> None:
    """Celery takes localhost for a store without a host; ::1 is the last address that it tries."""
    command = first_command(box, CHECK, _celery(box, 67))
    assert "--env=CELERY_RESULT_BACKEND=redis://store67" in command


@healthy()
def worker_whose_store_was_given_a_host(box: Box) -> None:
    """The same, after the report's own command was typed."""
    worker = _celery(box, 68)
    typed(box, first_command(box, CHECK, worker))
    box.wait_state(worker, "running")
    assert "Error" not in box.docker("logs", worker).stdout
