"""The network's hands on the real kernel: held against pyroute2, and inside a namespace of their own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnose.live import Live, Refused
from diagnose.live.network import namespaces, netlink
from diagnose.recording.questions import question

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")


def test_links_are_those_of_pyroute2() -> None:
    from pyroute2 import IPRoute

    with IPRoute() as oracle:
        expected = {
            link["index"]: (
                link.get("ifname"),
                link.get("mtu"),
                bool(link["flags"] & 1),
                link.get("operstate").lower(),
                link.get("master"),
                link.get("address"),
            )
            for link in oracle.get_links()
        }
    found = {
        row["index"]: (row["name"], row["mtu"], row["up"], row["operstate"], row["master"], row["mac"])
        for row in netlink.links(Live(), question("net.links"))
    }
    assert found
    assert found == expected


def test_addresses_are_those_of_pyroute2() -> None:
    from pyroute2 import IPRoute

    with IPRoute() as oracle:
        expected = {
            (row["index"], row.get("local") or row.get("address"), row["prefixlen"]) for row in oracle.get_addr()
        }
    rows = netlink.addresses(Live(), question("net.addresses"))
    assert rows
    assert {(row["index"], row["address"], row["prefix"]) for row in rows} == expected


def test_a_way_is_that_of_pyroute2() -> None:
    from pyroute2 import IPRoute

    with IPRoute() as oracle:
        (expected,) = oracle.route("get", dst="127.0.0.1")
    (found,) = netlink.ways(Live(), question("net.ways", asked=[{"dst": "127.0.0.1", "src": None, "iif": None}]))
    assert (found["type"], found["oif"], found["error"]) == ("local", expected.get("oif"), None)


def test_routes_are_those_of_pyroute2() -> None:
    from pyroute2 import IPRoute

    with IPRoute() as oracle:
        expected = {
            (
                row.get("dst") or "default",
                row["dst_len"],
                row.get("gateway"),
                row.get("oif"),
                row.get("table"),
            )
            for row in oracle.get_routes()
        }
    rows = netlink.routes(Live(), question("net.routes"))
    assert rows
    assert {
        (
            "default" if not row["prefix"] and row["dst"] in DEFAULTS else row["dst"],
            row["prefix"],
            row["gateway"],
            row["oif"],
            row["table"],
        )
        for row in rows
    } == expected


DEFAULTS = ("0.0.0.0", "::")


def test_the_kernel_always_has_three_rules_for_ipv4() -> None:
    rows = netlink.rules(Live(), question("net.rules"))
    assert {(row["family"], row["table"]) for row in rows} >= {("inet", 255), ("inet", 254), ("inet", 253)}


def test_an_interrupted_dump_is_not_half_an_answer() -> None:
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    interrupted = (16).to_bytes(4, "little") + bytes([3, 0, 0x10, 0]) + bytes(8)
    with ours, kernel:
        for _ in range(netlink.ATTEMPTS):
            kernel.send(interrupted)
        with pytest.raises(Refused):
            netlink.dump(ours, 18, b"", lambda _data: iter(()))


class Holder:
    """A process in a network namespace of its own, with a bridge, a veth and a listener on loopback."""

    script = (
        "import socket,subprocess,sys\n"
        "for c in ('link set lo up','link add br9 type bridge','link add v0 type veth peer name v1',"
        "'link set v0 master br9','link set v0 mtu 1400','addr add 10.97.0.1/24 dev br9','link set br9 up',"
        "'link set v0 up','link set v1 up','route add 10.98.0.0/16 via 10.97.0.2'):\n"
        "    subprocess.run(['ip',*c.split()],check=True)\n"
        "t=socket.create_server(('127.0.0.1',8080))\n"
        "s=socket.create_server(('::',8443),family=socket.AF_INET6)\n"
        "u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nu.bind(('0.0.0.0',5353))\n"
        "print('ready',flush=True)\nsys.stdin.read()\n"
    )

    def __enter__(self) -> int:
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", self.script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self.process.pid

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


@root
def test_a_visit_sees_the_namespace_and_leaves_no_trace() -> None:
    before = os.stat("/proc/self/ns/net").st_ino
    with Holder() as pid:
        start = namespaces.start_time(pid)
        seen = namespaces.visit(Live(), question("netns", pid=pid, start=start, nft=True))
    links = {row["name"]: row for row in seen["links"]}
    assert links["v0"]["master"] == links["br9"]["index"]
    assert links["v0"]["link"] == links["v1"]["index"]
    assert (links["v0"]["kind"], links["v0"]["mtu"]) == ("veth", 1400)
    assert links["v0"]["bridge_port_state"] == "forwarding"
    assert (links["br9"]["index"], "10.97.0.1", 24) in {
        (row["index"], row["address"], row["prefix"]) for row in seen["addresses"]
    }
    assert ("10.98.0.0", 16, "10.97.0.2") in {(row["dst"], row["prefix"], row["gateway"]) for row in seen["routes"]}
    assert sorted((row["protocol"], row["address"], row["port"]) for row in seen["listeners"]) == [
        ("tcp", "127.0.0.1", 8080),
        ("tcp", "::", 8443),
        ("udp", "0.0.0.0", 5353),
    ]
    assert seen["embedded"]["rules"] == {}
    assert seen["inode"] != before == os.stat("/proc/self/ns/net").st_ino


@root
def test_both_ways_to_the_listeners_agree() -> None:
    with Holder() as pid:
        seen = namespaces.visit(Live(), question("netns", pid=pid, start=None, nft=False))
        with namespaces.inside(pid, None):
            tables = [row for name in ("tcp", "tcp6") for row in namespaces.listeners(name)]
    assert tables
    assert [row for row in seen["listeners"] if row["protocol"] == "tcp"] == tables


@root
def test_a_thread_is_home_again_whatever_happened_inside() -> None:
    home = os.stat("/proc/thread-self/ns/net").st_ino
    away = home

    def fail() -> None:
        nonlocal away
        away = os.stat("/proc/thread-self/ns/net").st_ino
        raise ZeroDivisionError

    with Holder() as pid:
        with pytest.raises(ZeroDivisionError), namespaces.inside(pid, None):
            fail()
        with pytest.raises(Refused), namespaces.inside(pid, namespaces.start_time(pid) - 1):
            pass
    assert away != home == os.stat("/proc/thread-self/ns/net").st_ino


@root
def test_another_process_with_the_same_pid_is_not_visited() -> None:
    with Holder() as pid, pytest.raises(Refused) as refused:
        namespaces.visit(Live(), question("netns", pid=pid, start=namespaces.start_time(pid) - 1, nft=False))
    assert refused.value.failed.reason == "gone"


def test_an_ended_process_is_gone() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(Refused) as refused:
        namespaces.visit(Live(), question("netns", pid=process.pid, start=None, nft=False))
    assert refused.value.failed.reason == "gone"


@root
def test_a_caller_without_privilege_learns_what_lifts_it() -> None:
    program = (
        "import os,sys\nfrom diagnose.live import Refused\nfrom diagnose.live.network import namespaces\n"
        "os.setgid(65534)\nos.setuid(65534)\n"
        "try:\n    with namespaces.inside(1,None): pass\n"
        "except Refused as error:\n    print(error.failed)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.stdout.strip() == f"forbidden: {namespaces.PRIVILEGE}"


@contextlib.contextmanager
def resolver(*replies: bytes | None, kind: int = socket.SOCK_DGRAM) -> Iterator[int]:
    """A resolver on loopback that gives these replies in turn (the query's id is put in front), None for
    silence. Yields its port."""
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
        thread = threading.Thread(target=serve_udp if kind == socket.SOCK_DGRAM else serve_tcp, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(1)


COUNTS = b"\x00\x01\x00\x01\x00\x00\x00\x00"
ROOT_NS = b"\x00\x00\x02\x00\x01"
ANSWER = b"\x81\x80" + COUNTS + ROOT_NS + b"\xc0\x0c\x00\x02\x00\x01\x00\x00\x00\x3c\x00\x03\x01\x61\x00"
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


SILENT = {"answered": False, "rcode": None, "answers": [], "sent": 2, "icmp": None, "truncated": False}
REPLIED = SILENT | {"answered": True, "sent": 1}


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param([ANSWER], REPLIED | {"rcode": "NOERROR", "answers": ["a."]}, id="answer"),
        pytest.param([SERVFAIL], REPLIED | {"rcode": "SERVFAIL"}, id="a failure is an answer"),
        pytest.param([TRUNCATED], REPLIED | {"rcode": "NOERROR", "truncated": True}, id="truncated"),
        pytest.param([b"\x81"], REPLIED, id="garbage proves reachability only"),
        pytest.param([None, ANSWER], REPLIED | {"sent": 2, "rcode": "NOERROR", "answers": ["a."]}, id="one lost"),
        pytest.param([None, None], SILENT, id="two lost queries are silence"),
    ],
)
def test_what_a_resolver_says(replies: list[bytes | None], expected: dict[str, object]) -> None:
    with resolver(*replies) as port:
        assert ask(port) == expected


def test_a_closed_port_is_refused_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert ask(port) == SILENT | {"sent": 1, "icmp": "refused"}
    assert ask(port, "tcp") == SILENT | {"sent": 0, "icmp": "refused"}


def test_tcp() -> None:
    with resolver(ANSWER, kind=socket.SOCK_STREAM) as port:
        assert ask(port, "tcp") == REPLIED | {"rcode": "NOERROR", "answers": ["a."]}


@root
def test_a_query_leaves_from_the_namespace_of_its_process() -> None:
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
        answer = dns.query(Live(), asked)
    assert (answer["icmp"], answer["sent"]) == ("unreachable", 0)


def test_no_probe_is_obeyed() -> None:
    from diagnose.live.network import dns

    live = Live()
    live.settings.probe = False
    asked = question("dns.query", server="127.0.0.1", port=1, name=".", type="NS", transport="udp", pid=None)
    with pytest.raises(Refused) as refused:
        dns.query(live, asked)
    assert refused.value.failed.reason == "not allowed"
