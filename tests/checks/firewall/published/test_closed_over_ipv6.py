"""The check in checks/firewall/published/closed_over_ipv6.py, and its walks over IPv6."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Binding
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import packet_paths
from diagnose.evidence.network.paths.published.closed_over_ipv6 import (
    ClosedOverIpv6,
    closed_over_ipv6,
)
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from diagnose.questions.network import Route
from tests.firewall.test_trace import DEVICES, NAMES, NO_NFTABLES, ROUTES, table
from tests.judging import judge, rows
from tests.made_paths import BRIDGE, container

OWN = "2606:4700:77::10"
NAT = table(
    "nat",
    *(
        f"-A PREROUTING -p tcp -m tcp --dport {port} -j DNAT --to-destination 172.17.0.2:80"
        for port in (443, 8080)
    ),
)
CLOSED = table("filter", policy="DROP").replace(":FORWARD DROP", ":FORWARD ACCEPT")
OPEN = table("filter")
ROUTES6 = (
    Route("::", 0, "inet6", gateway="2606:4700:77::1", oif=2),
    Route(OWN, 128, "inet6", table=255, oif=2, type="local"),
)


def site(port: str = "443", *addresses: str) -> Any:
    """Container web with its port published at these addresses of the host."""
    bindings = [Binding(address, port) for address in addresses or ("0.0.0.0", "::")]
    return container("web", {"bridge": "172.17.0.2"}, ports={"80/tcp": bindings})


ROUTED = container(
    "web", {"bridge": "172.17.0.2"},
    ports={"80/tcp": [Binding("0.0.0.0", "443"), Binding("::", "")]},
)  # fmt: skip
"""A network whose IPv6 is routed: the engine takes no port of the host, and gives no number."""


def seen(
    who: Any = None, rules6: str = CLOSED, own: str = OWN, line: str = "", routes: Any = ROUTES6
) -> ClosedOverIpv6:
    who = who or site()
    devices = tuple(
        replace(device, addresses=(*device.addresses, f"{own}/64"))
        if device.name == "eth0"
        else device
        for device in DEVICES
    )
    stack = NetworkStack(
        assemble(NO_NFTABLES, {"ip": NAT, "ip6": rules6}),
        Routing((*ROUTES, *routes), None, NAMES),
        devices,
    )
    host = HostStack(stack)
    boxes, networks = Containers((who,)), Networks((BRIDGE,))
    uplinks = Uplinks((Uplink("eth0", "192.0.2.10"),))
    paths = packet_paths(
        host, boxes, networks, WalkedHost(uplinks, ping=None, info=None), Clock(0.0, 0.0)
    )
    logs = RecentLogs({who.id: (RecentLine(1.0, line),)})
    return closed_over_ipv6(host, paths, boxes, uplinks, logs)


ACME = f'{{"detail": "{OWN}: Fetching http://shop.example/: Timeout during connect"}}'
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "closed": ({}, [("advice", "host")]),
    "a log says so": ({"line": ACME}, [("warning", "host")]),
    "a log of a longer address": ({"line": ACME.replace(OWN, f"{OWN}1")}, [("advice", "host")]),
    "a log of an address and a port": (
        {"line": ACME.replace(OWN, f"[{OWN}]:443")}, [("warning", "host")],
    ),
    "a log of something else": ({"line": f"GET / from {OWN}"}, [("advice", "host")]),
    "open": ({"rules6": OPEN}, []),
    "no web port": ({"who": site("8080")}, []),
    "routed over IPv6": ({"who": ROUTED}, []),
    "over IPv4 alone": ({"who": site("443", "0.0.0.0")}, []),
    "an address of the own network": ({"own": "fd00:77::10"}, []),
    "no way to the internet": ({"routes": ROUTES6[1:]}, []),
}  # fmt: skip


@pytest.mark.parametrize(("host", "expected"), CASES.values(), ids=CASES)
def test_closed_over_ipv6(host: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    result = judge("firewall.closed-over-ipv6", closed_over_ipv6=seen(**host))
    assert rows(result) == expected


def test_the_cure_is_that_of_the_program_that_writes_the_rules() -> None:
    plain = judge("firewall.closed-over-ipv6", closed_over_ipv6=seen()).findings[0].variables
    assert plain == {
        "address": OWN, "program": "ip6tables", "table": "filter", "chain": "INPUT", "ports": "443",
    }  # fmt: skip


UFW = {
    "both families": ("ufw6-user-input", {"ufw_ports": "443"}),
    "IPV6=no": ("ufw-user-input", {"ufw_file": "/etc/default/ufw"}),
}


@pytest.mark.parametrize(("chain", "cure"), UFW.values(), ids=UFW)
def test_ufw_opens_a_port_for_the_families_it_has_rules_for(
    chain: str, cure: dict[str, str]
) -> None:
    rules = CLOSED.replace("COMMIT", f":{chain} - [0:0]\nCOMMIT")
    family = "ip6" if "6" in chain else "ip"
    firewall = Firewall(assemble(NO_NFTABLES, {family: rules}))
    (finding,) = judge(
        "firewall.closed-over-ipv6", closed_over_ipv6=seen(), firewall=firewall
    ).findings
    assert finding.variables == {"address": OWN, **cure}
