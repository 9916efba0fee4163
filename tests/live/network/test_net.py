"""What the network process answers: held against `ip -j`, and inside a namespace of its own."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from typing import Any

import pytest

from diagnose.live import Refused
from tests.live.netns import PROJECT, answers_inside, root

SCENE = """
ip link set lo up
ip link add br0 type bridge stp_state 1 forward_delay 3000; ip addr add 172.18.0.1/16 dev br0; ip link set br0 up
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
ip -6 neigh add fe80::1 lladdr 02:00:00:00:00:13 router dev up0
ip -6 neigh add proxy 2001:db8::9 dev up0; ip neigh add proxy 192.0.2.9 dev up0
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
    for kind in (
        "net.links",
        "net.addresses",
        "net.routes",
        "net.rules",
        "net.neighbours",
        "net.proxied",
    )
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
            "queue": link["qdisc"],
            "group": 0 if link["group"] == "default" else int(link["group"]),
            "bridge_port_state": link.get("linkinfo", {}).get("info_slave_data", {}).get("state"),
            "spanning_tree": bool(link.get("linkinfo", {}).get("info_data", {}).get("stp_state")),
            "forward_delay": link.get("linkinfo", {}).get("info_data", {}).get("forward_delay"),
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
        (
            numbers[row["dev"]],
            row["dst"],
            row.get("lladdr"),
            row["state"][0].lower(),
            "router" in row,
        )
        for row in shown["neighbours"]
    }
    found = {
        (row["index"], row["address"], row["mac"], row["state"], row["is_router"])
        for row in answers["net.neighbours"]
    }
    assert (numbers["up0"], "192.0.2.10", "02:00:00:00:00:10", "permanent", False) in found
    assert (numbers["up0"], "fe80::1", "02:00:00:00:00:13", "permanent", True) in found
    assert found == expected


@root
def test_proxied_addresses_are_those_of_ipv6(scene: tuple[dict[str, Any], dict[str, Any]]) -> None:
    answers, shown = scene
    numbers = {link["ifname"]: link["ifindex"] for link in shown["links"]}
    assert answers["net.proxied"] == [{"index": numbers["up0"], "address": "2001:db8::9"}]


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
