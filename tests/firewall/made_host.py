"""A host with one uplink and a few bridges, for walks through its packet filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from diagnose.firewall.network_stack import Device, NetworkStack, Settings
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Ruleset
from diagnose.questions.network import Route

UPLINK, ADDRESS = "eth0", "192.0.2.10"


def host_with(ruleset: Ruleset, bridges: Mapping[str, str]) -> NetworkStack:
    """bridges: the subnet of each, of 16 bits."""
    devices = [
        Device(name, (f"{ip_network(subnet)[1]}/16",), "bridge", (f"veth-{name}",))
        for name, subnet in bridges.items()
    ]
    return NetworkStack(
        ruleset,
        Routing(list(_routes(bridges)), None, dict(enumerate([UPLINK, *bridges], start=1))),
        (Device(UPLINK, (f"{ADDRESS}/24",)), *devices),
        Settings(bridge_filter=True),
        tuple(bridges.values()),
    )


def _routes(bridges: Mapping[str, str]) -> Iterator[Route]:
    yield Route("0.0.0.0", 0, gateway="192.0.2.1", oif=1)
    yield Route("192.0.2.0", 24, oif=1)
    yield Route(ADDRESS, 32, table=255, oif=1, type="local")
    for index, subnet in enumerate(bridges.values(), start=2):
        yield Route(subnet.partition("/")[0], 16, oif=index)
