"""A telephone server with and without its ports for sound."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE, logs

_SERVER = """
import select, socket
def bound(port):
    taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taker.bind(("0.0.0.0", port))
    return taker
signals, sound = bound(5060), [bound(port) for port in range(16384, 16395)]
while True:
    for taker in select.select([signals, *sound], [], [])[0]:
        data, peer = taker.recvfrom(2000)
        taker.sendto(b"SIP/2.0 200 OK" if taker is signals else data, peer)
        if taker is signals:
            print("call with", peer[0], flush=True)
"""
_PHONE = """
import socket, sys, time
signals, sound = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
while True:
    signals.sendto(b"INVITE", (sys.argv[1], 5060))
    for _ in range(20):
        sound.sendto(bytes(172), (sys.argv[1], 16386))
        time.sleep(0.05)
"""


def _telephone_server(box: Box, name: str, *options: str) -> None:
    python = [*MACHINE, "-p", "5060:5060/udp", *options, "bb:1.36", "/usr/bin/python3", "-c"]
    box.docker("run", "-d", f"--name={name}", *QUIET, *python, _SERVER)
    box.provider.spawn(["/usr/bin/python3", "-c", _PHONE, BOX_ADDRESS])
    box.wait_for(lambda: logs(box, name).count("call with") > 2, what="calls")


@fault("network.udp-clients-missed", subject="container:phone97")
def sound_that_nobody_hears(box: Box) -> None:
    """The port of SIP is published, and those of the sound are not."""
    _telephone_server(box, "phone97")


@healthy(advice=None)
def sound_that_is_heard(box: Box) -> None:
    """The same server with its ports for sound."""
    _telephone_server(box, "phone98", "-p", "16384-16394:16384-16394/udp")
