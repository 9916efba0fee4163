"""WebSockets that a real nginx ends because nothing is said; and their healthy twin."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, site_of

CHECK = "network.quiet-connections-cut"
_BROKER = """
import socket, threading
server = socket.create_server(("0.0.0.0", 9001))
def serve(client):
    client.recv(4000)
    client.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n")
    while client.recv(4000):
        ANSWER
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""
_CLIENT = """
import socket, sys, time
while True:
    try:
        client = socket.create_connection((sys.argv[1], int(sys.argv[2])))
        client.settimeout(float(sys.argv[3]))
        client.sendall(b"GET /mqtt HTTP/1.1\\r\\nHost: broker\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n")
        while True:
            try:
                if not client.recv(4000):
                    break
            except TimeoutError:
                client.sendall(b"ping")
    except OSError:
        pass
    time.sleep(0.5)
"""
_PASSED = (
    "proxy_pass http://broker{number}:9001; proxy_http_version 1.1; proxy_read_timeout 5s; "
    'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
)


def _broker(box: Box, number: int, answer: str, ping_s: int) -> None:
    """A broker behind nginx, which waits 5 seconds for a word, and two clients."""
    net, name = f"net{number}", f"broker{number}"
    box.docker("network", "create", net)
    program = ("/usr/bin/python3", "-uc", _BROKER.replace("ANSWER", answer))
    box.docker(
        "run", "-d", f"--name={name}", f"--network={net}", *SAFE, *MACHINE, "bb:1.36", *program
    )
    passed = _PASSED.format(number=number)
    publish = ("-p", f"{8000 + number}:80", f"--network={net}")
    site_of(box, f"edge{number}", f"listen 80; location / {{ {passed} }}", *publish)
    port = str(8000 + number)
    for _ in range(2):
        box.provider.spawn([sys.executable, "-c", _CLIENT, BOX_ADDRESS, port, str(ping_s)])


def _ended(box: Box, number: int) -> int:
    return str(box.docker("logs", f"edge{number}").stdout).count('" 101 ')


@fault(CHECK, subject="container:edge41")
def websockets_that_nginx_ends(box: Box) -> None:
    """Clients of a broker say nothing for longer than nginx waits, and come again each time."""
    _broker(box, 41, "pass", 600)
    box.wait_for(lambda: _ended(box, 41) > 9, what="ended connections")


@healthy()
def websockets_with_a_sign_of_life(box: Box) -> None:
    """The same nginx, and clients that the broker answers each two seconds."""
    _broker(box, 42, "client.sendall(b'pong')", 2)
    box.sh("sleep 20", timeout=30)
    assert _ended(box, 42) == 0
