"""Neighbours on one bridge whose packets meet a rule that translates everything."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.programs.helpers import MACHINE

_LIMITS = ("--memory=64m", "--pids-limit=64")
_DATABASE = """
import socket
server = socket.create_server(("0.0.0.0", 3306))
while True:
    client, (host, _) = server.accept()
    with client:
        refused = f"(1130, \\"Host '{host}' is not allowed to connect to this MySQL server\\")\\n"
        answer = refused if host.endswith(".1") else f"connected from {host}\\n"
        client.sendall(answer.encode())
"""
"""Knows the addresses of its clients, and not that of the gateway."""
_ALL = "-m addrtype ! --dst-type LOCAL -j MASQUERADE"


def _shop(box: Box, number: int, line: str) -> None:
    """A database, and a program that says what the database answers."""
    network = f"shopnet{number}"
    box.docker("network", "create", f"--subnet=10.239.{number}.0/24", network)
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=1")
    serve = (*MACHINE, "--expose=3306", "bb:1.36", "/usr/bin/python3", "-c", _DATABASE)
    named = (f"--name=base{number}", f"--network={network}")
    box.docker("run", "-d", *named, *_LIMITS, *serve)
    script = "while :; do nc -w 1 $DB_HOST 3306 </dev/null; sleep 2; done"
    app = (f"--name=app{number}", f"--network={network}", f"--env=DB_HOST=base{number}")
    box.docker("run", "-d", *app, *_LIMITS, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.docker("logs", f"app{number}").stdout.count(line) > 3, what="calls")


@fault("firewall.neighbours-translated", subject="container:app41", also=["container.*"])
def neighbours_behind_a_rule_for_everything(box: Box) -> None:
    """A rule like that of kubenet masquerades what neighbours send each other, and a database
    refuses the gateway's address."""
    box.sh(f"iptables -t nat -A POSTROUTING ! -d 10.0.0.0/9 {_ALL}")
    _shop(box, 41, "Host '10.239.41.1' is not allowed")


@healthy()
def neighbours_beside_a_rule_for_the_uplink(box: Box) -> None:
    """The same rule for the uplink alone, and a program that says who its neighbour is."""
    box.sh(f"iptables -t nat -A POSTROUTING -o eth0 {_ALL}")
    _shop(box, 42, "connected from 10.239.42.3")
