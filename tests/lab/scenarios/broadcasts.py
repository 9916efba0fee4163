"""Programs that serve or wake machines by broadcast: on a bridge, on the host's network, and behind
a relay."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import RECIPES, load
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE, logs

_ASKS = """
import os, socket, struct, sys, time
target, relay = sys.argv[1:]
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"uplink\\0")
client.bind(("", 67 if relay != "0.0.0.0" else 68))
while True:
    head = struct.pack(">BBBB4sHH", 1, 1, 6, 0, os.urandom(4), 0, 0x8000)
    addresses = bytes(12) + socket.inet_aton(relay)
    machine = bytes.fromhex("5c521e9727a3").ljust(208, bytes(1))
    discover = bytes.fromhex("6382536335010137020103ff")
    client.sendto((head + addresses + machine + discover).ljust(300, bytes(1)), (target, 67))
    time.sleep(1)
"""
"""A client of DHCP that asks all machines of its wire, or a relay that asks one for it."""
_WAKES = """
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
while True:
    sender.sendto(b"\\xff" * 6 + bytes.fromhex("10c37b000001") * 16, ("255.255.255.255", 9))
    print("Sending magic packet to 255.255.255.255 MAC 10:C3:7B:00:00:01 port 9", flush=True)
    time.sleep(1)
"""


def _server(box: Box, name: str, *options: str) -> None:
    """A real dnsmasq that gives addresses of the local network."""
    load(box, "pihole/pihole:2026.11", RECIPES["bb:1.36"])
    limits = ("--memory=64m", "--pids-limit=64", "--cap-add=NET_ADMIN")
    addresses = ("--dhcp-range=192.0.2.100,192.0.2.150,1h", "--dhcp-leasefile=/tmp/leases")
    box.docker(
        "run", "-d", f"--name={name}", *limits, *MACHINE, *options, "pihole/pihole:2026.11",
        "/usr/sbin/dnsmasq", "-k", "--user=root", "--pid-file=", "--log-facility=-", "--log-dhcp",
        "--port=0", "--conf-file=/dev/null", *addresses,
    )  # fmt: skip


def _asked(box: Box, name: str, says: str, target: str, relay: str = "0.0.0.0") -> None:
    box.provider.spawn(["/usr/bin/python3", "-c", _ASKS, target, relay])
    box.wait_for(lambda: logs(box, name).count(says) > 2, what=f"{says} in the log of {name}")


@fault("network.broadcast-unheard", subject="container:dhcp80")
def dhcp_server_on_a_bridge(box: Box) -> None:
    """Clients of the local network ask all machines for an address, and the server is on a bridge:
    what docker-proxy hands over seems to come from the bridge."""
    box.docker("network", "create", "dhcp80")
    _server(box, "dhcp80", "--net=dhcp80", "-p", "67:67/udp")
    _asked(box, "dhcp80", "no address range available", "255.255.255.255")
    assert "DHCPOFFER" not in logs(box, "dhcp80")


@healthy(advice=None)
def dhcp_server_on_the_hosts_network(box: Box) -> None:
    """The same server, and it hears the clients."""
    _server(box, "dhcp81", "--net=host")
    _asked(box, "dhcp81", "DHCPOFFER", "255.255.255.255")


@healthy(advice=None)
def dhcp_server_behind_a_relay(box: Box) -> None:
    """The same server on a bridge, and the router passes the questions of its clients on."""
    _server(box, "dhcp82", "-p", "67:67/udp")
    _asked(box, "dhcp82", "DHCPOFFER", BOX_ADDRESS, GATEWAY)


def _waker(box: Box, name: str, *options: str) -> None:
    load(box, "upsnap:4.2", RECIPES["bb:1.36"])
    python = ("upsnap:4.2", "/usr/bin/python3", "-c", _WAKES)
    box.docker("run", "-d", f"--name={name}", *QUIET, *MACHINE, *options, *python)
    box.wait_for(lambda: "magic packet" in logs(box, name), what="a packet")


@fault("network.broadcast-unheard", subject="container:wake83", shareable=True)
def program_that_wakes_machines_from_a_bridge(box: Box) -> None:
    """Each packet to wake a machine ends at the bridge, and the program says that it is sent."""
    _waker(box, "wake83")


@healthy(shareable=True)
def program_that_wakes_machines_from_the_hosts_network(box: Box) -> None:
    """The same program on the host's network."""
    _waker(box, "wake84", "--network=host")
