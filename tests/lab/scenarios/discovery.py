"""Programs that look for devices of the local network: from a bridge, and from the host itself."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import RECIPES, load
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE

_SEEKS = """
import http.server, socket, struct, threading, time
GROUPS = (("224.0.0.251", 5353), ("239.255.255.250", 1900))
page = http.server.ThreadingHTTPServer(("", 8123), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=page.serve_forever, daemon=True).start()
sockets = []
for group, port in GROUPS:
    seeker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    seeker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    seeker.bind(("", port))
    member = struct.pack("4s4s", socket.inet_aton(group), bytes(4))
    seeker.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    seeker.setblocking(False)
    sockets.append(seeker)
while True:
    for seeker, place in zip(sockets, GROUPS):
        seeker.sendto(bytes(30), place)
    time.sleep(1)
"""
_ANNOUNCES = """
import socket, time
speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("{own}"))
while True:
    for _ in range(3):
        speaker.sendto(bytes(30), ("224.0.0.251", 5353))
    time.sleep(1)
"""
_IMAGE = "home-assistant:2026.11"


def _seeker(box: Box, name: str, *options: str) -> None:
    """Home automation that asks for devices each second, and a speaker on the local network."""
    load(box, _IMAGE, RECIPES["bb:1.36"])
    box.docker(
        "run", "-d", f"--name={name}", *QUIET, *MACHINE, *options, _IMAGE,
        "/usr/bin/python3", "-c", _SEEKS,
    )  # fmt: skip
    box.provider.spawn(["/usr/bin/python3", "-c", _ANNOUNCES.format(own="192.0.2.80")])
    box.wait_for(lambda: _counters(box, name)["OutMcastPkts"] > 5, what="questions to groups")


def _counters(box: Box, name: str) -> dict[str, int]:
    pid = box.inspect(name)["State"]["Pid"]
    names, numbers = box.sh(f"grep ^IpExt: /proc/{pid}/net/netstat").splitlines()
    pairs = zip(names.split()[1:], numbers.split()[1:], strict=True)
    return {counter: int(number) for counter, number in pairs}


@fault("network.discovery-unheard", subject="container:hass70", shareable=True)
def home_automation_on_a_bridge(box: Box) -> None:
    """Home automation publishes its web page, and hears none of the devices."""
    _seeker(box, "hass70", "-p", "18123:8123")
    counted = _counters(box, "hass70")
    assert counted["InMcastPkts"] <= counted["OutMcastPkts"], counted


@healthy(args=("--budget", "60"))
def home_automation_on_the_hosts_network(box: Box) -> None:
    """The same program on the host's network, where it hears the speaker."""
    _seeker(box, "hass71", "--network=host")


@healthy(args=("--budget", "60"))
def home_automation_beside_a_reflector(box: Box) -> None:
    """The same program on a bridge, into which a reflector of the host passes the speaker's packets
    on."""
    _seeker(box, "hass72")
    box.spawn(["/usr/bin/python3", "-c", _ANNOUNCES.format(own="172.17.0.1")])

    def hears() -> bool:
        counted = _counters(box, "hass72")
        return counted["InMcastPkts"] > counted["OutMcastPkts"]

    box.wait_for(hears, what="packets of the speaker")
