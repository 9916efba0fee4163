"""DNS servers in containers whose own servers do not answer, or do."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import RECIPES, load
from tests.lab.provider import RESOLVER, WEB, ZONE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE

CHECK = "dns.forwarder-unanswered"
NET = "172.31.7.0/24"
HERE, NEXT = "172.31.7.10", "172.31.7.11"
_ROOT = ["--memory=64m", "--pids-limit=64", "--cap-add=NET_ADMIN", *MACHINE, "--network=names"]
_DNSMASQ = (
    "/usr/sbin/dnsmasq", "--keep-in-foreground", "--pid-file=", "--log-facility=-", "--user=root",
    "--no-resolv", "--no-hosts",
)  # fmt: skip
_RECURSES = """
import socket
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.bind(("", 53))
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    query, _ = here.recvfrom(2000)
    for server in ("198.41.0.4", "199.9.14.201", "192.33.4.12"):
        out.sendto(query, (server, 53))
"""
"""A server that hands each query to servers of the internet, and waits."""


def _server(box: Box, name: str, address: str, *words: str, options: tuple[str, ...] = ()) -> None:
    load(box, f"{name}:1.0", RECIPES["bb:1.36"])
    box.docker(
        "run", "-d", f"--name={name}", f"--ip={address}", *_ROOT, *options, f"{name}:1.0", *words
    )


def _asker(box: Box) -> None:
    """A program whose only DNS server is the one in the container."""
    script = f"while :; do nslookup www.{ZONE} || echo \"bad address 'www.{ZONE}'\"; sleep 1; done"
    box.docker(
        "run", "-d", "--name=asker", *QUIET, "--network=names", f"--dns={HERE}", "bb:1.36", "sh",
        "-c", script,
    )  # fmt: skip


def _names(box: Box) -> None:
    box.docker("network", "create", f"--subnet={NET}", "names")
    box.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")


def _is_silent(box: Box) -> bool:
    asked = ["busybox", "nslookup", f"www.{ZONE}", HERE]
    return box.run(["timeout", "3", *asked], check=False).returncode != 0


_EFFECTS = ["dns.upstream-unreachable", "dns.server-fails", "container.*", "daemon.errors-in-log"]

_UNANSWERED = ("network.call-unanswered", "network.peer-address-stale")


@fault(CHECK, subject="container:pihole", also=_EFFECTS)
def pihole_that_asks_a_port_without_a_server(box: Box) -> None:
    """A Pi-hole passes queries on to port 5053 of a neighbour, which takes them at port 53."""
    _names(box)
    _server(box, "unbound", NEXT, *_DNSMASQ, "--conf-file=/dev/null", f"--server={RESOLVER}")
    upstream = f"--server={NEXT}#5053"
    _server(box, "pihole", HERE, *_DNSMASQ, "--conf-file=/dev/null", upstream)
    _asker(box)
    box.wait_for(lambda: _is_silent(box), what="a query without an answer")
    command = first_command(box, CHECK, "pihole")
    assert f"'--server={NEXT}#53'" in command, command


@fault(CHECK, subject="container:pihole", also=[*_EFFECTS, *_UNANSWERED])
def pihole_whose_neighbour_was_stopped(box: Box) -> None:
    """The server that a Pi-hole asks has a fixed address, and does not run."""
    _names(box)
    _server(box, "unbound", NEXT, *_DNSMASQ, "--conf-file=/dev/null", f"--server={RESOLVER}")
    upstream = ("--conf-file=/dev/null", f"--server={NEXT}")
    _server(box, "pihole", HERE, *_DNSMASQ, *upstream)
    _asker(box)
    box.docker("stop", "-t", "1", "unbound")
    box.wait_for(lambda: _is_silent(box), what="a query without an answer")
    command = first_command(box, CHECK, "pihole")
    assert command == "docker start unbound", command


@fault(CHECK, subject="container:dnsmasq", also=_EFFECTS)
def server_whose_file_names_a_machine_that_is_gone(box: Box) -> None:
    """The settings of a DNS server name one that nobody is any more."""
    _names(box)
    box.write("/srv/dns/dnsmasq.conf", f"# upstream\nserver=/lan/{RESOLVER}\nserver={NEXT}\n")
    mount = ("-v", "/srv/dns/dnsmasq.conf:/etc/dnsmasq.conf:ro")
    _server(box, "dnsmasq", HERE, *_DNSMASQ, options=mount)
    _asker(box)
    box.wait_for(lambda: _is_silent(box), what="a query without an answer")


@fault(CHECK, subject="container:unbound", also=_EFFECTS)
def server_that_asks_the_internet_in_vain(box: Box) -> None:
    """A server that looks names up itself, behind a provider that lets no such query through."""
    _names(box)
    _server(box, "unbound", HERE, "/usr/bin/python3", "-c", _RECURSES)
    _asker(box)
    box.wait_for(lambda: _is_silent(box), what="a query without an answer")


@healthy(advice=None)
def servers_that_are_answered(box: Box) -> None:
    """A server that is answered, and one that knows its own names alone and refuses all others."""
    _names(box)
    _server(box, "unbound", NEXT, *_DNSMASQ, "--conf-file=/dev/null", f"--address=/{ZONE}/{WEB}")
    box.write("/srv/dns/dnsmasq.conf", f"server=/lan/172.31.7.99\nserver={RESOLVER}\n")
    mount = ("-v", "/srv/dns/dnsmasq.conf:/etc/dnsmasq.conf:ro")
    _server(box, "pihole", HERE, *_DNSMASQ, options=mount)
    _asker(box)
    box.wait_for(lambda: not _is_silent(box), what="an answer")
