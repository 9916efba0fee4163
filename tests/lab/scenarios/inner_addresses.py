"""Servers of calls that tell clients the address inside Docker; and the healthy twin."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE

CHECK = "network.inner-address-announced"
_BRIDGE = """
import os, socket, time
media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
media.bind(("0.0.0.0", 10000))
own = os.environ.get("JVB_ADVERTISE_IPS") or socket.gethostbyname(socket.gethostname())
while True:
    outcome = "failed" if own.startswith("172.") else "validated"
    print(f"JVB INFO: [1] Pair {outcome}: {own}:10000/udp/host -> 192.168.3.13:53994/udp/host "
          "(stream-8ffcbd9d.RTP)", flush=True)
    time.sleep(0.5)
"""
"""A stand-in for Jitsi's bridge, with the bridge's own lines."""


def _bridge(box: Box, number: int, *options: str) -> None:
    box.docker("network", "create", f"meet{number}")
    box.docker("tag", "bb:1.36", "jitsi/jvb:stable-9000")
    words = ("jitsi/jvb:stable-9000", "/usr/bin/python3", "-uc", _BRIDGE)
    places = (f"--network=meet{number}", "-p", f"{10000 + number}:10000/udp")
    box.docker("run", "-d", f"--name=jvb{number}", *places, *SAFE, *MACHINE, *options, *words)
    box.wait_for(lambda: _said(box, number).count("Pair ") > 4, what="paths")


def _said(box: Box, number: int) -> str:
    return str(box.docker("logs", f"jvb{number}").stdout)


@fault(CHECK, subject="container:jvb54")
def bridge_that_tells_its_inner_address(box: Box) -> None:
    """Jitsi's bridge was not told this host's address: people join, and see nobody."""
    box.docker("run", "--rm", "bb:1.36", "true")
    _bridge(box, 54)
    assert "Pair failed: 172." in _said(box, 54)
    command = first_command(box, CHECK, "jvb54")
    assert "--env=JVB_ADVERTISE_IPS=192.0.2.10" in command, command


@healthy()
def bridge_that_knows_the_hosts_address(box: Box) -> None:
    """The same with the variable."""
    box.docker("run", "--rm", "bb:1.36", "true")
    _bridge(box, 55, "-e", "JVB_ADVERTISE_IPS=192.0.2.10")
    assert "Pair validated: 192.0.2.10" in _said(box, 55)
