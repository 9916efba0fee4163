"""Ports that are published for another protocol than clients use, with twins."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET

_SERVES = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", {port}))
while True:
    data, client = server.recvfrom(4096)
    server.sendto(data, client)
"""
_ASKS = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
client.connect(("{address}", {port}))
try:
    client.send(b"hello")
    print(client.recv(4096))
except OSError as error:
    print(error)
"""
_SENDS = """
import socket, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    client.sendto(b"hello", ("{address}", {port}))
    time.sleep(1)
"""


def _runs(box: Box, name: str, *options: str) -> None:
    box.docker("run", "-d", f"--name={name}", *QUIET, *options, "bb:1.36", "sleep", "1000")


def _serves(box: Box, name: str, port: int, *protocols: str) -> None:
    """A program of a container listens at a port over these protocols."""
    enter = box.in_netns(name)
    if "tcp" in protocols:
        box.sh("mkdir -p /srv/www")
        box.spawn([*enter, "busybox", "httpd", "-f", "-p", str(port), "-h", "/srv/www"])
    if "udp" in protocols:
        box.spawn([*enter, sys.executable, "-c", _SERVES.format(port=port)])
    sockets = [*enter, "ss", "-lntuH", f"sport = :{port}"]
    box.wait_for(
        lambda: len(box.run(sockets).stdout.splitlines()) == len(protocols), what="sockets"
    )


def _answer(box: Box, port: int) -> str:
    """What a client on another machine gets over UDP: the answer, or the error."""
    code = _ASKS.format(address=BOX_ADDRESS, port=port)
    return box.provider.run([sys.executable, "-c", code]).stdout


def _sends_on(box: Box, port: int) -> None:
    """A client on another machine keeps sending, as players and log senders do."""
    box.provider.spawn([sys.executable, "-c", _SENDS.format(address=BOX_ADDRESS, port=port)])


@fault("network.udp-not-published", subject="container:hole50", shareable=True)
def dns_published_for_tcp_alone(box: Box) -> None:
    """A DNS server was published without /udp: it answers over TCP, and no client asks so."""
    _runs(box, "hole50", "-p", "18050:53")
    _serves(box, "hole50", 53, "tcp", "udp")
    assert "refused" in _answer(box, 18050)


@fault("network.udp-not-published", subject="container:arena51", shareable=True)
def game_whose_players_come_over_udp(box: Box) -> None:
    """A game server listens over both protocols, and its players' packets meet a closed port."""
    _runs(box, "arena51", "-p", "18051:27015")
    _serves(box, "arena51", 27015, "tcp", "udp")
    assert "refused" in _answer(box, 18051)
    _sends_on(box, 18051)


@healthy(shareable=True)
def game_without_players_over_udp(box: Box) -> None:
    """The same port, and nobody asks over UDP: the program may use it for something else."""
    _runs(box, "arena52", "-p", "18052:27015")
    _serves(box, "arena52", 27015, "tcp", "udp")


@healthy(shareable=True)
def web_server_whose_clients_try_udp_first(box: Box) -> None:
    """A web server offers HTTP/3, and is published for TCP: browsers try UDP and take TCP."""
    _runs(box, "web53", "-p", "18053:443")
    _serves(box, "web53", 443, "tcp", "udp")
    assert "refused" in _answer(box, 18053)


@healthy(shareable=True)
def dns_of_two_containers(box: Box) -> None:
    """One container serves DNS over TCP, and another one over UDP at the same port of the host."""
    _runs(box, "dot54", "-p", "18054:53")
    _serves(box, "dot54", 53, "tcp", "udp")
    _runs(box, "dou54", "-p", "18054:53/udp")
    _serves(box, "dou54", 53, "udp")
    assert "hello" in _answer(box, 18054)


@fault("network.published-port-not-listening", subject="container:pbx55", shareable=True)
def published_for_udp_and_served_over_tcp(box: Box) -> None:
    """A port was published for UDP, and its program speaks TCP."""
    _runs(box, "pbx55", "-p", "18055:5060/udp")
    _serves(box, "pbx55", 5060, "tcp")
    box.sh("sleep 21", timeout=30)


@fault("network.published-port-not-listening", subject="container:log56", shareable=True)
def log_server_that_takes_nothing(box: Box) -> None:
    """A log server does not listen for its senders, whose packets come."""
    _runs(box, "log56", "-p", "18056:514/udp")
    box.sh("sleep 21", timeout=30)
    assert "hello" not in _answer(box, 18056)
    _sends_on(box, 18056)


@healthy(shareable=True)
def port_for_udp_that_nobody_uses_yet(box: Box) -> None:
    """A port is published for calls that come later: nothing listens there, and nobody asks."""
    _runs(box, "call57", "-p", "18057:3478/udp")
    box.sh("sleep 21", timeout=30)


@fault("network.udp-port-differs", subject="container:vpn81", shareable=True)
def published_at_the_port_that_clients_are_told(box: Box) -> None:
    """A VPN's port was changed on both sides of the colon, and the program listens at the old one;
    the report's first command leads the same port of the host there."""
    _runs(box, "vpn81", "-p", "18081:18081/udp", "--expose=51820/udp")
    _serves(box, "vpn81", 51820, "udp")
    assert "refused" in _answer(box, 18081)
    box.sh("sleep 21", timeout=30)
    command = first_command(box, "network.udp-port-differs", "vpn81")
    assert "--publish=18081:51820/udp" in command, command


@fault("network.udp-port-differs", subject="container:vpn82", shareable=True)
def range_without_the_port_of_wireguards_file(box: Box) -> None:
    """Twenty ports are published, and the file of WireGuard names another one."""
    box.sh("mkdir -p /srv/vpn82")
    box.write("/srv/vpn82/wg0.conf", "[Interface]\nAddress = 10.9.0.1/24\nListenPort = 51713\n")
    _runs(box, "vpn82", "-p=18420-18439:51820-51839/udp", "-v=/srv/vpn82:/etc/wireguard")
    _serves(box, "vpn82", 51713, "udp")
    box.sh("sleep 21", timeout=30)


@healthy(shareable=True)
def ports_for_calls_beside_an_inner_one(box: Box) -> None:
    """A telephone server opens its published ports for calls, and is called by neighbours at its
    own."""
    _runs(box, "pbx83", "-p=18440-18455:16440-16455/udp", "--expose=5060/udp")
    _serves(box, "pbx83", 5060, "udp")


@healthy(shareable=True)
def vpn_client_with_a_port_of_the_kernel(box: Box) -> None:
    """A client of a VPN has a port that the kernel chose, and publishes one that is served; another
    listens for devices and publishes one that opens when it is needed."""
    _runs(box, "vpn84", "-p", "18084:6881/udp")
    _serves(box, "vpn84", 6881, "udp")
    _serves(box, "vpn84", 45_123, "udp")
    _runs(box, "cast85", "-p", "18085:9777/udp")
    _serves(box, "cast85", 5353, "udp")
