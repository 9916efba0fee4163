"""Game servers that enter themselves in a list of servers, by a program in their place."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE

CHECK = "network.listed-port-differs"
_GAME = """
import socket
ends = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ends.bind(("0.0.0.0", 9877))
print("SteamPlatformSystem - Server connected to Steam", flush=True)
while True:
    data, client = ends.recvfrom(2000)
    ends.sendto(b"I" + data, client)
"""
_ASK = """
import socket, sys
asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asks.settimeout(1)
asks.sendto(b"T", (sys.argv[1], int(sys.argv[2])))
try:
    print(asks.recv(100))
except OSError:
    print("silent")
"""


def _game(box: Box, published: str) -> None:
    words = ("bb:1.36", "/usr/bin/python3", "-uc", _GAME)
    box.docker("run", "-d", "--name=game41", "-p", published, *SAFE, *MACHINE, *words)
    box.wait_for(lambda: "connected" in box.docker("logs", "game41").stdout, what="the game")


def _answer(box: Box, port: int) -> str:
    ask = ["/usr/bin/python3", "-c", _ASK, BOX_ADDRESS, str(port)]
    return box.provider.run(ask).stdout.strip()


@fault(CHECK, subject="container:game41")
def game_behind_another_port(box: Box) -> None:
    """Players come in by the host's port, and the list names the one inside."""
    _game(box, "27016:9877/udp")
    assert _answer(box, 27016) == "b'IT'"
    assert _answer(box, 9877) == "silent"


@healthy(args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def game_behind_its_own_port(box: Box) -> None:
    """The same port outside and inside."""
    _game(box, "9877:9877/udp")
    assert _answer(box, 9877) == "b'IT'"
