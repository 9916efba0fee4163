"""Queues of interfaces (`tc`) that starve what containers send; and their healthy twins."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.network.helpers import QUIET

CHECK = "network.interface-throttled"
_UPLOAD = """
import socket
while True:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), 5) as server:
            for _ in range(20):
                server.sendall(b"x" * 60000)
    except OSError:
        pass
"""
_DOWNLOAD = "while :; do curl -s --noproxy '*' -m 4 -o /dev/null {url}; sleep 0.1; done"


def _shop(box: Box, name: str, port: int, *options: str) -> None:
    """A shop with a large page."""
    words = ("shop:1.4", "sh", "-c", "exec httpd -f -p 8080 -h /big")
    mount = ("-v", "/usr/bin:/big:ro")
    box.docker(
        "run", "-d", f"--name={name}", *QUIET, "-p", f"{port}:8080", *mount, *options, *words
    )
    url = f"http://{BOX_ADDRESS}:{port}/env"
    box.wait_for(lambda: box.provider.curl(url, check=False), what="the shop")


def _upload(box: Box, port: int) -> None:
    code = f"import sys{_UPLOAD}"
    box.provider.spawn([sys.executable, "-c", code, BOX_ADDRESS, str(port)])


def _dropped(box: Box, show: str) -> bool:
    return "dropped 0," not in box.sh(f"tc -s qdisc show {show} | grep -A1 -e tbf -e htb")


@fault(CHECK, subject="interface:br-slow31")
def bridge_with_a_limit(box: Box) -> None:
    """A script left a limit of 64 kbit a second on the bridge of a network."""
    name = "com.docker.network.bridge.name=br-slow31"
    box.docker("network", "create", "-o", name, "slow31")
    _shop(box, "shop31", 18031, "--network=slow31")
    box.sh("tc qdisc add dev br-slow31 root tbf rate 64kbit burst 4kb latency 400ms")
    _upload(box, 18031)
    box.wait_for(lambda: _dropped(box, "dev br-slow31"), what="lost packets")


@fault(CHECK, subject="container:shop32")
def container_with_a_limit_of_its_own(box: Box) -> None:
    """A tool for bad networks has set a class of 96 kbit a second inside a container."""
    _shop(box, "shop32", 18032)
    enter = f"nsenter -t {box.inspect('shop32')['State']['Pid']} -n"
    box.sh(f"{enter} tc qdisc add dev eth0 root handle 1: htb default 10")
    box.sh(f"{enter} tc class add dev eth0 parent 1: classid 1:10 htb rate 96kbit")
    box.sh(f"{enter} tc qdisc add dev eth0 parent 1:10 handle 10: pfifo limit 5")
    url = f"http://{BOX_ADDRESS}:18032/python3"
    for _ in range(3):
        box.provider.spawn(["sh", "-c", _DOWNLOAD.format(url=url)])
    box.sh("sleep 3")


@healthy()
def uplink_with_a_limit_that_nobody_feels(box: Box) -> None:
    """A limit of 200 Mbit a second on the uplink, as for a line of that speed."""
    _shop(box, "shop33", 18033)
    box.sh("tc qdisc add dev eth0 root tbf rate 200mbit burst 256kb latency 50ms")
    url = f"http://{BOX_ADDRESS}:18033/env"
    box.provider.spawn(["sh", "-c", _DOWNLOAD.format(url=url)])


@healthy()
def bridge_with_a_limit_and_little_traffic(box: Box) -> None:
    """A limit of 2 Mbit a second, and a client that asks for a small page now and then."""
    name = "com.docker.network.bridge.name=br-calm34"
    box.docker("network", "create", "-o", name, "calm34")
    _shop(box, "shop34", 18034, "--network=calm34")
    box.sh("tc qdisc add dev br-calm34 root tbf rate 2mbit burst 32kb latency 400ms")
