"""What `diagnose.live.network.waiting_clients` reads: real connections of this namespace."""

from __future__ import annotations

import os
import socket
import time

import pytest

from diagnose.live import Live
from diagnose.live.network import process
from tests.live.netns import root
from tests.questions import question

FAMILIES = {"IPv4": ("127.0.0.1", socket.AF_INET), "IPv6": ("::1", socket.AF_INET6)}


@root
@pytest.mark.parametrize(("address", "family"), FAMILIES.values(), ids=FAMILIES)
def test_who_waits_for_an_answer(live: Live, address: str, family: socket.AddressFamily) -> None:
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]

        def connected(request: bytes = b"GET\n") -> socket.socket:
            connection = socket.create_connection((address, port))
            connection.sendall(request)
            return connection

        served, left, read, _unread, queued, _idle = [
            *(connected() for _ in range(5)),
            connected(b""),
        ]
        accepted = [server.accept()[0] for _ in range(4)]
        connected(b"").close()
        for connection in accepted[:3]:
            connection.recv(100)
        accepted[0].sendall(b"200")
        left.close()
        time.sleep(1.2)
        answer = process.ask(live, question("netns.waiting-clients", pid=os.getpid()))
        for connection in (*accepted, served, read, queued):
            connection.close()
    rows = [row for row in answer if row["port"] == port]
    seen = sorted((row["accepted"], row["left"], row["unread"]) for row in rows)
    assert seen == [
        (False, False, 4),  # in the queue
        (True, False, 0),  # read
        (True, False, 4),  # not read
        (True, True, 0),  # given up
    ]
    assert all(row["port_sent"] >= 1 for row in rows)
    assert all(row["peer"] == address and row["seconds"] >= 1 for row in rows)
