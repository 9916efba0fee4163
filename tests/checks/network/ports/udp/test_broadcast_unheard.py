"""The check in checks/network/ports/udp/broadcast_unheard.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.kept_broadcasts import kept_broadcasts
from diagnose.model import Result
from diagnose.questions import Host
from diagnose.questions.netns import Socket
from tests.checks.network.evidence import container, network
from tests.hosts import Made
from tests.judging import judge, rows

_PORTS = {"67/udp": [{"HostIp": "0.0.0.0", "HostPort": "67"}]}
_LINKS = Interfaces((), (Address(index=2, family="inet", address="192.0.2.10", prefix=24),))
_STRANGE = "dnsmasq-dhcp[1]: no address range available for DHCP request via eth0"
_ISC = "DHCPDISCOVER from 5c:52:1e:97:27:a3 via eth0: network 172.18.0.0/16: no free leases"
_OFFER = "dnsmasq-dhcp[1]: DHCPOFFER(eth0) 192.0.2.105 5c:52:1e:97:27:a3"
_SENT = "Sending magic packet to 255.255.255.255 MAC 10:C3:7B:00:00:01 port 9"
_RELAY = {
    "src": "192.0.2.1", "dst": "192.0.2.10", "sport": 67, "dport": 67, "reply_src": "172.18.0.2",
}  # fmt: skip
_ALL = dict(_RELAY, src="0.0.0.0", dst="255.255.255.255")


def _judged(
    lines: tuple[str, ...],
    *,
    driver: str = "bridge",
    published: dict[str, Any] | None = None,
    port: int = 67,
    flows: Any = (),
    broadcasts: int = 0,
) -> Result:
    settings = {
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": _PORTS if published is None else published,
    }
    server = container("server", NetworkSettings=settings, State={"Pid": 7})
    inside = ContainerNetns(
        server, 1, links=(), addresses=(), routes=(), listeners=(Socket("udp", "0.0.0.0", port),)
    )
    counted = {"received": 0, "sent": 0, "broadcasts": broadcasts}
    table = {"loaded": True, "entries": list(flows)}
    known = kept_broadcasts(
        Host(Made({"conntrack": table, "netns.multicast": {"7": counted}})),
        Containers((server,)),
        Networks((network("shop", Driver=driver),)),
        Namespaces({server.id: inside}),
        _LINKS,
        RecentLogs({server.id: tuple(RecentLine(4e9, line) for line in lines)}),
    )
    return judge("network.broadcast-unheard", kept_broadcasts=known)


SERVERS: dict[str, tuple[dict[str, Any], tuple[str, ...], list[tuple[str, str]]]] = {
    "dnsmasq": ({}, (_STRANGE,), [("warning", "server")]),
    "ISC dhcpd": ({}, (_ISC,), [("warning", "server")]),
    "broadcasts are not a relay": ({"flows": [_ALL]}, (_STRANGE,), [("warning", "server")]),
    "a server that says nothing": ({}, (), [("advice", "server")]),
    "it has given an address": ({}, (_STRANGE, _OFFER), []),
    "a relay asks it": ({"flows": [_RELAY]}, (), []),
    "its port is not published": ({"published": {}}, (_STRANGE,), []),
    "DHCP is off": ({"port": 53}, (), []),
    "macvlan": ({"driver": "macvlan"}, (_STRANGE,), []),
}


@pytest.mark.parametrize(("host", "lines", "expected"), SERVERS.values(), ids=SERVERS)
def test_dhcp_servers(host: dict[str, Any], lines: tuple[str, ...], expected: list[Any]) -> None:
    assert rows(_judged(lines, **host)) == expected


def test_a_silent_server_may_have_a_relay() -> None:
    (silent,) = _judged(()).findings
    (asked,) = _judged((_STRANGE,)).findings
    assert silent.summary.endswith("so that only those behind a DHCP relay get an address")
    assert asked.summary.endswith("so that they get no address")


WAKERS: dict[str, tuple[dict[str, Any], str, list[tuple[str, str]]]] = {
    "on a bridge": ({"broadcasts": 3}, _SENT, [("warning", "server")]),
    "by other words": ({"broadcasts": 1}, "sent Wake-on-LAN to nas", [("warning", "server")]),
    "packets to one machine": ({}, _SENT, []),
    "other broadcasts": ({"broadcasts": 9}, "Wake on LAN is loaded", []),
    "macvlan": ({"broadcasts": 3, "driver": "macvlan"}, _SENT, []),
}


@pytest.mark.parametrize(("host", "line", "expected"), WAKERS.values(), ids=WAKERS)
def test_programs_that_wake_machines(host: dict[str, Any], line: str, expected: list[Any]) -> None:
    assert rows(_judged((line,), published={}, port=53, **host)) == expected
