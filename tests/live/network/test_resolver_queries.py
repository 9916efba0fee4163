"""Queries to DNS servers: what a resolver says, and from whose network the query leaves."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from diagnose.live import Live, Refused
from diagnose.questions.run import Options
from tests.live.netns import Holder, root
from tests.questions import question


@contextlib.contextmanager
def resolver(*replies: bytes | None, kind: int = socket.SOCK_DGRAM) -> Iterator[int]:
    """A resolver on loopback that gives these replies in turn (the query's id is put in front),
    None for silence. Yields its port."""
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))

        def serve_udp() -> None:
            for reply in replies:
                query, peer = server.recvfrom(512)
                if reply is not None:
                    server.sendto(query[:2] + reply, peer)

        def serve_tcp() -> None:
            peer, _ = server.accept()
            with peer:
                query = peer.recv(512)
                wire = query[2:4] + (replies[0] or b"")
                peer.sendall(len(wire).to_bytes(2, "big") + wire)

        if kind == socket.SOCK_STREAM:
            server.listen(1)
        thread = threading.Thread(
            target=serve_udp if kind == socket.SOCK_DGRAM else serve_tcp, daemon=True
        )
        thread.start()
        yield server.getsockname()[1]
        thread.join(1)


COUNTS = b"\x00\x01\x00\x01\x00\x00\x00\x00"
ROOT_NS = b"\x00\x00\x02\x00\x01"
ANSWER = (
    b"\x81\x80" + COUNTS + ROOT_NS + b"\xc0\x0c\x00\x02\x00\x01\x00\x00\x00\x3c\x00\x03\x01\x61\x00"
)
SERVFAIL = b"\x81\x82\x00\x01\x00\x00\x00\x00\x00\x00" + ROOT_NS
TRUNCATED = b"\x83\x80\x00\x01\x00\x00\x00\x00\x00\x00" + ROOT_NS


def ask(port: int, transport: str = "udp") -> dict[str, object]:
    from diagnose.live.network import dns

    asked = question(
        "dns.query",
        server="127.0.0.1",
        port=port,
        name=".",
        type="NS",
        transport=transport,
        pid=None,
        start=None,
    )
    return {name: value for name, value in dns.query(Live(), asked).items() if name != "ms"}


SILENT = {
    "answered": False,
    "rcode": None,
    "answers": [],
    "sent": 2,
    "icmp": None,
    "truncated": False,
}
REPLIED = SILENT | {"answered": True, "sent": 1}


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param([ANSWER], REPLIED | {"rcode": "NOERROR", "answers": ["a."]}, id="answer"),
        pytest.param([SERVFAIL], REPLIED | {"rcode": "SERVFAIL"}, id="a failure is an answer"),
        pytest.param(
            [TRUNCATED], REPLIED | {"rcode": "NOERROR", "truncated": True}, id="truncated"
        ),
        pytest.param([b"\x81"], REPLIED, id="garbage proves reachability only"),
        pytest.param(
            [None, ANSWER],
            REPLIED | {"sent": 2, "rcode": "NOERROR", "answers": ["a."]},
            id="one lost",
        ),
        pytest.param([None, None], SILENT, id="two lost queries are silence"),
    ],
)
def test_what_a_resolver_says(replies: list[bytes | None], expected: dict[str, object]) -> None:
    with resolver(*replies) as port:
        assert ask(port) == expected


def test_a_closed_port_is_refused_at_once() -> None:
    port = 1  # nobody serves it, and the kernel gives it to no socket of another test
    assert ask(port) == SILENT | {"sent": 1, "icmp": "refused"}
    assert ask(port, "tcp") == SILENT | {"sent": 0, "icmp": "refused"}


def test_a_query_over_tcp() -> None:
    with resolver(ANSWER, kind=socket.SOCK_STREAM) as port:
        assert ask(port, "tcp") == REPLIED | {"rcode": "NOERROR", "answers": ["a."]}


@root
def test_a_query_leaves_from_the_namespace_of_its_process(live: Live) -> None:
    from diagnose.live.network import dns

    with Holder() as pid:
        asked = question(
            "dns.query",
            server="10.99.0.1",
            port=53,
            name=".",
            type="NS",
            transport="udp",
            pid=pid,
            start=None,
        )
        answer = dns.query(live, asked)
    assert (answer["icmp"], answer["sent"]) == ("unreachable", 0)


@root
def test_a_resolver_inside_a_namespace_is_heard(live: Live) -> None:
    from diagnose.live.network import dns

    program = (
        "import socket,subprocess\nsubprocess.run(['ip','link','set','lo','up'],check=True)\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('127.0.0.11',53))\nprint('ready',flush=True)\n"
        f"q,p=s.recvfrom(512)\ns.sendto(q[:2]+{ANSWER!r},p)\n"
    )
    with subprocess.Popen(
        ["unshare", "--net", sys.executable, "-c", program], stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()
        asked = question(
            "dns.query", server="127.0.0.11", name=".", type="NS", pid=server.pid, start=None
        )
        answer = dns.query(live, asked)
    assert (answer["rcode"], answer["answers"], answer["sent"]) == ("NOERROR", ["a."], 1)


def test_no_probe_is_obeyed() -> None:
    from diagnose.live.network import dns

    live = Live(Options(probe=False))
    asked = question(
        "dns.query", server="127.0.0.1", port=1, name=".", type="NS", transport="udp", pid=None
    )
    with pytest.raises(Refused) as refused:
        dns.query(live, asked)
    assert refused.value.failed.reason == "not allowed"
