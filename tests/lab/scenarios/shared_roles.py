"""One name for containers with different work; and their healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE

CHECK = "dns.name-shared-by-roles"
_DATABASE = """
import socket
server = socket.create_server(("0.0.0.0", 5432))
while True:
    client, _ = server.accept()
    client.sendall(b"ANSWER")
    client.close()
"""
_ORDERS = """
import socket, time
while True:
    with socket.create_connection(("NAME", 5432), 3) as database:
        answer = database.recv(80).decode()
    print("INFO order saved" if answer == "saved" else f"ERROR: {answer}", flush=True)
    time.sleep(0.3)
"""
_REFUSED = "cannot execute INSERT in a read-only transaction"


def _python(box: Box, name: str, net: str, code: str, *options: str) -> None:
    words = ("bb:1.36", "/usr/bin/python3", "-uc", code)
    box.docker("run", "-d", f"--name={name}", f"--network={net}", *SAFE, *MACHINE, *options, *words)


def _shop(box: Box, number: int, second: str, answer: str, *options: str) -> None:
    """Two databases with the name store, and a program that writes to it."""
    net, store = f"net{number}", f"store{number}"
    box.docker("network", "create", net)
    alias = f"--network-alias={store}"
    _python(box, f"pg{number}-main", net, _DATABASE.replace("ANSWER", "saved"), alias)
    code = _DATABASE.replace("ANSWER", answer)
    _python(box, f"pg{number}-{second}", net, code, alias, *options)
    variable = f"--env=DATABASE_URL=postgres://shop@{store}:5432/shop"
    _python(box, f"orders{number}", net, _ORDERS.replace("NAME", store), variable)
    box.wait_for(lambda: _said(box, number).count("order saved") > 4, what="orders")


def _said(box: Box, number: int) -> str:
    return str(box.docker("logs", f"orders{number}", check=False).stdout)


@fault(CHECK, subject="network:net51", also=["container.errors-in-log"])
def name_of_a_primary_and_its_copy(box: Box) -> None:
    """A database and its copy, which takes no writes, have one network alias."""
    _shop(box, 51, "replica", _REFUSED)
    box.wait_for(lambda: _said(box, 51).count(_REFUSED) > 2, what="refused writes")
    box.sh(first_command(box, CHECK, "net51"))
    box.sh("sleep 1")
    before = _said(box, 51).count(_REFUSED)
    box.sh("sleep 4")
    assert _said(box, 51).count(_REFUSED) == before
    box.docker("network", "disconnect", "net51", "pg51-replica")
    box.docker("network", "connect", "--alias=store51", "net51", "pg51-replica")
    box.wait_for(lambda: _said(box, 51).count(_REFUSED) > before + 2, what="refused writes again")


@healthy()
def name_of_several_servers_of_one_kind(box: Box) -> None:
    """Two servers of one image and command share a name on purpose, and both take writes."""
    _shop(box, 52, "second", "saved")


@healthy()
def copy_with_a_name_of_its_own(box: Box) -> None:
    """A database and its copy have a name each."""
    box.docker("network", "create", "net53")
    main, copy = "--network-alias=store53", "--network-alias=reads53"
    _python(box, "pg53-main", "net53", _DATABASE.replace("ANSWER", "saved"), main)
    _python(box, "pg53-replica", "net53", _DATABASE.replace("ANSWER", _REFUSED), copy)
    variable = "--env=DATABASE_URL=postgres://shop@store53:5432/shop"
    _python(box, "orders53", "net53", _ORDERS.replace("NAME", "store53"), variable)
    box.wait_for(lambda: _said(box, 53).count("order saved") > 4, what="orders")
