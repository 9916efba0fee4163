"""What the network process answers: held against `ip -j`, and inside a namespace of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diagnose.live import Live, Refused
from diagnose.live.network import process
from diagnose.questions.run import Options
from tests.live.netns import PROJECT, answers_inside, root
from tests.questions import question

SCENE = """
ip link set lo up
ip link add br0 type bridge; ip addr add 172.18.0.1/16 dev br0; ip link set br0 up
ip link add v1 type veth peer name w1; ip link set v1 master br0 up; ip link set w1 up
ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 mtu 1400 up
ip addr add 192.0.2.1/24 dev up0; ip addr add 2001:db8::1/64 dev up0 nodad; ip addr add 10.77.0.1 peer 10.77.0.2/32 dev up0
ip link add mac0 link up0 type macvlan mode bridge
ip route add default via 192.0.2.254 mtu 1300
ip route add 10.1.0.0/16 nexthop via 192.0.2.10 weight 1 nexthop via 192.0.2.11 weight 2
ip route add blackhole 203.0.113.0/24
ip route add prohibit 192.0.2.200
ip route add 10.5.0.0/16 via inet6 2001:db8::5 dev up0
ip route add 10.6.0.0/16 via 192.0.2.12 table 500
ip -6 route add default via 2001:db8::fe
ip -6 route add 2001:db8:7::/48 nexthop via 2001:db8::7 nexthop via 2001:db8::8
ip rule add from 10.9.0.0/16 lookup 500 priority 99
ip rule add fwmark 0x2 iif br0 lookup 77 priority 98
ip rule add to 10.4.0.0/16 prohibit priority 97
ip -6 rule add from 2001:db8::/32 oif up0 lookup 500 priority 96
ip neigh add 192.0.2.10 lladdr 02:00:00:00:00:10 dev up0
ip neigh add 192.0.2.99 lladdr 02:00:00:00:00:11 nud stale dev up0
ip -6 neigh add 2001:db8::7 lladdr 02:00:00:00:00:12 dev up0
sleep 3
"""
"""The last line waits for the link-local addresses, which the kernel tries out first."""

PACKETS: list[dict[str, Any]] = [
    {"dst": "127.0.0.1", "src": None, "iif": None},
    {"dst": "198.51.100.1", "src": None, "iif": None},
    {"dst": "203.0.113.5", "src": None, "iif": None},
    {"dst": "192.0.2.200", "src": None, "iif": None},
    {"dst": "10.6.0.1", "src": "172.18.0.9", "iif": 2},
]
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    kind: (kind, {})
    for kind in ("net.links", "net.addresses", "net.routes", "net.rules", "net.neighbours")
}
ASKED["net.ways"] = ("net.ways", {"asked": PACKETS})
SHOWN = {
    "links": "-d link",
    "addresses": "addr",
    "routes": "-d -4 route show table all",
    "routes6": "-d -6 route show table all",
    "rules": "rule",
    "rules6": "-6 rule",
    "neighbours": "neigh show nud all",
    "local": "route get 127.0.0.1",
    "default": "route get 198.51.100.1",
}


@pytest.fixture(name="scene", scope="module")
def _scene() -> tuple[dict[str, Any], dict[str, Any]]:
    """What the network process answers in a namespace that has a bit of everything, and what `ip
    -j` shows there."""
    shows = "".join(f"ip -j {options}; echo;" for options in SHOWN.values())
    answers, shown = answers_inside(ASKED, SCENE, shows)
    texts = [line for line in shown.splitlines() if line]
    return answers, {name: json.loads(text) for name, text in zip(SHOWN, texts, strict=True)}


@root
def test_links_are_those_of_ip(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    numbers = {link["ifname"]: link["ifindex"] for link in shown["links"]}
    expected = {
        link["ifname"]: {
            "index": link["ifindex"],
            "up": "UP" in link["flags"],
            "operstate": link["operstate"].lower(),
            "mtu": link["mtu"],
            "kind": link.get("linkinfo", {}).get("info_kind"),
            "master": numbers.get(link.get("master")),
            "link": link.get("link_index", numbers.get(link.get("link"))),
            "link_netnsid": link.get("link_netnsid"),
            "mac": link.get("address"),
            "bridge_port_state": link.get("linkinfo", {}).get("info_slave_data", {}).get("state"),
        }
        for link in shown["links"]
    }
    assert {"br0", "v1", "mac0"} <= set(expected)
    assert {row.pop("name"): row for row in (dict(row) for row in answers["net.links"])} == expected


@root
def test_addresses_are_those_of_ip(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    expected = [
        (
            link["ifindex"],
            address["local"],
            address["prefixlen"],
            address["family"],
            address["scope"],
        )
        for link in shown["addresses"]
        for address in link["addr_info"]
    ]
    assert (10, "inet6") in {(len(expected), row[3]) for row in expected} or len(expected) > 5
    rows = answers["net.addresses"]
    found = [
        (row["index"], row["address"], row["prefix"], row["family"], row["scope"]) for row in rows
    ]
    assert sorted(found) == sorted(expected)


@root
def test_routes_are_those_of_ip(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    numbers = {link["ifname"]: link["ifindex"] for link in shown["links"]}
    expected = [
        (
            family,
            _table(route.get("table", "main")),
            _destination(route["dst"], family),
            route["type"],
            (hop.get("via") or {}).get("host") or hop.get("gateway"),
            numbers.get(hop.get("dev")),
            route.get("metric", 0),
            next((metric["mtu"] for metric in route.get("metrics", []) if "mtu" in metric), None),
            route.get("prefsrc"),
        )
        for family, name in (("inet", "routes"), ("inet6", "routes6"))
        for route in shown[name]
        for hop in route.get("nexthops") or [route]
    ]
    found = [
        (
            row["family"],
            row["table"],
            f"{row['dst']}/{row['prefix']}",
            row["type"],
            row["gateway"],
            row["oif"],
            row["metric"],
            row["mtu"],
            row["src"],
        )
        for row in answers["net.routes"]
    ]
    assert len(expected) > 20
    assert sorted(found, key=str) == sorted(expected, key=str)


def _table(name: str) -> int:
    named = {"unspec": 0, "default": 253, "main": 254, "local": 255}
    return named[name] if name in named else int(name)


def _destination(text: str, family: str) -> str:
    if text == "default":
        return "0.0.0.0/0" if family == "inet" else "::/0"
    bits = "32" if family == "inet" else "128"
    return text if "/" in text else f"{text}/{bits}"


@root
def test_rules_are_those_of_ip(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    expected = [
        (
            family,
            rule["priority"],
            _side(rule, "src"),
            _side(rule, "dst"),
            rule.get("iif"),
            rule.get("oif"),
            int(rule["fwmark"], 16) if "fwmark" in rule else None,
            _table(rule.get("table", "unspec")),
            rule.get("action", "lookup"),
        )
        for family, name in (("inet", "rules"), ("inet6", "rules6"))
        for rule in shown[name]
    ]
    names = ("family", "priority", "src", "dst", "iif", "oif", "mark", "table", "action")
    found = [tuple(row[name] for name in names) for row in answers["net.rules"]]
    assert ("inet", 98, None, None, "br0", None, 2, 77, "lookup") in found
    assert sorted(found, key=str) == sorted(expected, key=str)


def _side(rule: dict[str, Any], side: str) -> str | None:
    bits = rule.get(f"{side}len")
    return None if bits is None else f"{rule[side]}/{bits}"


@root
def test_neighbours_are_those_of_ip(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    numbers = {link["ifname"]: link["ifindex"] for link in shown["links"]}
    expected = {
        (numbers[row["dev"]], row["dst"], row.get("lladdr"), row["state"][0].lower())
        for row in shown["neighbours"]
    }
    found = {
        (row["index"], row["address"], row["mac"], row["state"])
        for row in answers["net.neighbours"]
    }
    assert (numbers["up0"], "192.0.2.10", "02:00:00:00:00:10", "permanent") in found
    assert found == expected


@root
def test_route_lookups_are_those_of_ip(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    numbers = {link["ifname"]: link["ifindex"] for link in shown["links"]}
    local, default, blackhole, prohibited, forwarded = answers["net.ways"]
    assert (local["type"], local["table"], local["oif"]) == (
        "local",
        255,
        numbers[shown["local"][0]["dev"]],
    )
    assert (default["type"], default["table"], default["gateway"], default["oif"]) == (
        "unicast",
        254,
        shown["default"][0]["gateway"],
        numbers[shown["default"][0]["dev"]],
    )
    assert blackhole == {
        "type": None,
        "oif": None,
        "gateway": None,
        "table": None,
        "error": "EINVAL",
    }
    assert prohibited["error"] == "EACCES"
    assert forwarded["error"] is not None or forwarded["oif"] == numbers["up0"]


def test_an_interrupted_dump_is_not_half_an_answer() -> None:
    from diagnose.live.network import messages, netlink

    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    interrupted_end = struct.pack("=IHHIIi", 20, 3, 0x10, 1, 0, 0)
    asked = netlink.NetlinkSocket(socket.NETLINK_ROUTE, messages.RouteMarshal())
    asked._socket.close()
    asked._socket = ours
    with kernel, asked:
        for _ in range(netlink.ATTEMPTS):
            kernel.send(interrupted_end)
        with pytest.raises(Refused, match="kept changing"):
            asked.rows(b"", lambda message: [])


ANOTHER_RELEASE = """
import sys
from diagnose.live.network import library, worker
library.MODULES = (*library.MODULES, "pyroute2.netlink.no_such_module")
functions = worker.functions()
assert "pyroute2.ndb.main" in sys.modules
assert functions["net.links"]({})
"""


CHEAPLY = """
import sys
from diagnose.live.network import worker
assert worker.functions()["net.links"]({})
print(*sorted({"asyncio", "pyroute2.ndb.main", "pyroute2.iproute"} & set(sys.modules)))
"""


def test_pyroute2_is_imported_without_its_sockets() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHEAPLY], check=True, cwd=PROJECT, capture_output=True, text=True
    )
    assert done.stdout.strip() == ""


def test_another_release_of_pyroute2_is_imported_as_usual() -> None:
    subprocess.run([sys.executable, "-c", ANOTHER_RELEASE], check=True, cwd=PROJECT)


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        pytest.param(
            struct.pack("=IHHIIi", 20, 3, 2, 1, 0, -95), "ENOTSUP", id="at the end of a dump"
        ),
        pytest.param(struct.pack("=IHHIIi16x", 36, 2, 0, 1, 0, -1), "EPERM", id="at once"),
    ],
)
def test_the_kernel_may_refuse_a_dump(datagram: bytes, expected: str) -> None:
    import errno

    from diagnose.live.network import messages, netlink

    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    asked = netlink.NetlinkSocket(socket.NETLINK_ROUTE, messages.RouteMarshal())
    asked._socket.close()
    asked._socket = ours
    with kernel, asked:
        kernel.send(datagram)
        with pytest.raises(OSError, match=r".") as refused:
            list(asked.dump(b""))
    assert errno.errorcode[refused.value.errno or 0] in (expected, "EOPNOTSUPP")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param(bytes(range(6)), "00:01:02:03:04:05", id="ethernet"),
        pytest.param(bytes([10, 0, 0, 1]), "0a:00:00:01", id="an IP tunnel"),
        pytest.param(
            bytes(range(20)), ":".join(f"{byte:02x}" for byte in range(20)), id="InfiniBand"
        ),
        pytest.param(b"", None, id="none"),
    ],
)
def test_a_hardware_address_has_any_length(address: bytes, expected: str | None) -> None:
    from diagnose.live.network import messages, routing

    attribute = struct.pack("=HH", 4 + len(address), 1) + address + b"\0" * (-len(address) % 4)
    body = struct.pack("=BxHiII", 0, 1, 7, 0, 0) + attribute
    datagram = struct.pack("=IHHII", 16 + len(body), 16, 0, 1, 0) + body
    (link,) = messages.RouteMarshal().parse(datagram)
    (row,) = routing._link(link)
    assert (row["index"], row["mac"]) == (7, expected)


class Holder:
    """A process in a network namespace of its own, with a bridge, a veth and a listener on
    loopback."""

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


@pytest.fixture(name="live")
def _live() -> Iterator[Live]:
    live = Live()
    yield live
    live.close()


def start_time(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat[stat.rindex(")") + 2 :].split()[19])


@root
def test_a_visit_sees_the_namespace_and_leaves_no_trace(live: Live) -> None:
    before = os.stat("/proc/self/ns/net").st_ino
    own = process.ask(live, question("net.links"))
    with Holder() as pid:
        seen = process.ask(live, question("netns", pid=pid, start=start_time(pid), nft=True))
        assert seen["inode"] == os.stat(f"/proc/{pid}/ns/net").st_ino
    links = {row["name"]: row for row in seen["links"]}
    assert links["v0"]["master"] == links["br9"]["index"]
    assert links["v0"]["link"] == links["v1"]["index"]
    assert (links["v0"]["kind"], links["v0"]["mtu"]) == ("veth", 1400)
    assert links["v0"]["bridge_port_state"] == "forwarding"
    assert (links["br9"]["index"], "10.97.0.1", 24) in {
        (row["index"], row["address"], row["prefix"]) for row in seen["addresses"]
    }
    assert ("10.98.0.0", 16, "10.97.0.2") in {
        (row["dst"], row["prefix"], row["gateway"]) for row in seen["routes"]
    }
    assert sorted((row["protocol"], row["address"], row["port"]) for row in seen["listeners"]) == [
        ("tcp", "127.0.0.1", 8080),
        ("tcp", "::", 8443),
        ("udp", "0.0.0.0", 5353),
    ]
    assert seen["embedded"]["rules"] == {}
    assert seen["inode"] != before == os.stat("/proc/self/ns/net").st_ino
    assert process.ask(live, question("net.links")) == own, "the worker went home"


@root
def test_sock_diag_and_the_tables_of_proc_agree() -> None:
    program = "from tests.live.test_net import compare_listeners; compare_listeners()"
    with Holder() as pid:
        subprocess.run(
            ["nsenter", "--net", f"--target={pid}", sys.executable, "-c", program],
            check=True,
            cwd=PROJECT,
        )


def compare_listeners() -> None:
    from diagnose.live.network import sockets

    by_netlink = [row for protocol in ("tcp", "udp") for row in sockets.by_netlink(protocol)]
    from_proc = [
        row for table in ("tcp", "tcp6", "udp", "udp6") for row in sockets.from_table(table)
    ]
    assert len(from_proc) == 3
    queues = [{name: row.pop(name) for name in ("waiting", "backlog")} for row in by_netlink[:2]]
    assert all(queue["waiting"] == 0 < queue["backlog"] for queue in queues)
    assert sorted(by_netlink, key=str) == sorted(from_proc, key=str)


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1 0000 100 0 0
   10 0 1: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000   101        0 4712 1 0000 20
   4 30 10 -1
"""
ANY6 = "00000000000000000000000000000000"
TCP6 = f"""\
  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: {ANY6}:0016 {ANY6}:0000 0A 00000000:00000000 00:00000000 00000000 0 0 99
   1: cut short
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the text is from a little-endian machine")
@pytest.mark.parametrize(
    ("text", "proto", "expected"),
    [
        (TCP, "tcp", [("127.0.0.1", 8080, 101, 4711)]),
        (TCP6, "tcp6", [("::", 22, 0, 99)]),
        ("", "udp", []),
    ],
    ids=["one listener, one connection", "any address of version 6", "empty"],
)
def test_listeners_are_parsed(
    text: str, proto: str, expected: list[tuple[str, int, int, int]]
) -> None:
    from diagnose.live.network import sockets

    rows = list(sockets.parse_table(text.splitlines(), proto))
    assert [(row["address"], row["port"], row["uid"], row["inode"]) for row in rows] == expected


@root
def test_a_worker_is_home_again_whatever_happened_inside(live: Live) -> None:
    own = process.ask(live, question("net.links"))
    with Holder() as pid:
        wrong = question(
            "dns.query", pid=pid, start=None, server="no address", port=53, transport="udp"
        )
        with pytest.raises(Refused, match="not an address"):
            live.helper("network").call("dns.query", wrong.args, 2)
        assert process.ask(live, question("net.links")) == own


@root
def test_another_process_with_the_same_pid_is_not_visited(live: Live) -> None:
    with Holder() as pid, pytest.raises(Refused) as refused:
        process.ask(live, question("netns", pid=pid, start=start_time(pid) - 1, nft=False))
    assert refused.value.failed.reason == "gone"


def test_an_ended_process_is_gone(live: Live) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(Refused) as refused:
        process.ask(live, question("netns", pid=ended.pid, start=None, nft=False))
    assert refused.value.failed.reason == "gone"


@root
def test_a_caller_without_privilege_learns_what_lifts_it() -> None:
    program = (
        "from diagnose.live import Live,Refused\nfrom diagnose.live.network import process\n"
        "from tests.questions import question\n"
        "try:\n    process.ask(Live(),question('netns',pid=1,start=None,nft=False))\n"
        "except Refused as error:\n    print(error.failed)\n"
    )
    run = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            sys.executable,
            "-c",
            program,
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.stdout.strip() == (
        "forbidden: a container's network namespace needs CAP_SYS_ADMIN and CAP_SYS_PTRACE: run as root"
    )


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


def test_tcp() -> None:
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
