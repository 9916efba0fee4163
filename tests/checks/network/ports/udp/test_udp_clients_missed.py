"""The check in checks/network/ports/udp/udp_clients_missed.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.sockets.missed_datagrams import all_missed_datagrams
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.questions import Host
from diagnose.questions.netns import Socket
from tests.checks.network.evidence import container
from tests.hosts import Made
from tests.judging import judge, rows

_LINKS = Interfaces((), (Address(index=2, family="inet", address="192.0.2.10", prefix=24),))
_SIP = {"5060/udp": [{"HostIp": "0.0.0.0", "HostPort": "5060"}]}
_BOTH = _SIP | {"16386/udp": [{"HostIp": "0.0.0.0", "HostPort": "16386"}]}


def _flow(dport: int, src: str = "192.168.1.7", **fields: Any) -> dict[str, Any]:
    flow = {"src": src, "dst": "192.0.2.10", "sport": 4000, "dport": dport}
    return flow | {"reply_src": "192.0.2.10"} | fields


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "a neighbour": (_SIP, _flow(16386), [("warning", "phone")]),
    "a stranger of the internet": (_SIP, _flow(16386, "8.8.8.8"), [("advice", "phone")]),
    "the port is published": (_BOTH, _flow(16386), []),
    "it is answered": (_SIP, _flow(16386, status=["seen_reply"]), []),
    "another port": (_SIP, _flow(9999), []),
    "this host itself": (_SIP, _flow(16386, "192.0.2.10"), []),
    "no UDP port is published": ({}, _flow(16386), []),
}


@pytest.mark.parametrize(("ports", "flow", "expected"), CASES.values(), ids=CASES)
def test_packets_that_nobody_takes(
    ports: dict[str, Any], flow: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    settings = {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}, "Ports": ports}
    phone = container("phone", NetworkSettings=settings)
    sockets = tuple(Socket("udp", "0.0.0.0", port) for port in (5060, 16385, 16386, 16387))
    known = all_missed_datagrams(
        Host(Made({"conntrack": {"loaded": True, "entries": [flow]}})),
        Containers((phone,)),
        Namespaces(
            {
                phone.id: ContainerNetns(
                    phone, 1, links=(), addresses=(), routes=(), listeners=sockets
                )
            }
        ),
        _LINKS,
        Uplinks((Uplink("eth0", "192.0.2.10"),)),
        None,
    )
    result = judge("network.udp-clients-missed", all_missed_datagrams=known)
    assert rows(result) == expected
    spans = {finding.variables["udp_ports"] for finding in result.findings}
    assert spans <= {"16385-16387:16385-16387/udp"}
