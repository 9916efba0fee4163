"""What the check says of containers that the uplink's router does not find."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.gateways.unproxied_addresses import (
    UnproxiedAddresses,
    UnproxiedNetwork,
)
from tests.checks.network.evidence import network
from tests.inspected import container
from tests.judging import judge, rows


def _member(name: str, *, ipv4: str) -> Container:
    places = {"shop6": {"GlobalIPv6Address": "2001:db8:5:0:aaaa::2", "IPAddress": ipv4}}
    return container(name, NetworkSettings={"Networks": places})


WEB = _member("web", ipv4="172.18.0.2")
ONLY6 = _member("only6", ipv4="")


def _unproxied(*waiting: Container, members: tuple[Container, ...] = (WEB,)) -> UnproxiedAddresses:
    item = UnproxiedNetwork(
        network("shop6", subnet="172.18.0.0/16"),
        "eth0",
        "2001:db8:5::/64",
        members,
        ("2001:db8:5:0:aaaa::2",),
        waiting,
        is_proxy_on=False,
    )
    return UnproxiedAddresses((item,), len(members))


CASES: dict[str, tuple[UnproxiedAddresses, list[tuple[str, str]]]] = {
    "requests wait": (_unproxied(WEB), [("warning", "shop6")]),
    "requests wait, no IPv4": (_unproxied(ONLY6, members=(ONLY6,)), [("critical", "shop6")]),
    "nothing waits": (_unproxied(), [("advice", "shop6")]),
    "proxied": (UnproxiedAddresses((), 1), []),
    "no such container": (UnproxiedAddresses(), []),
}


@pytest.mark.parametrize("name", CASES)
def test_neighbour_proxy_missing(name: str) -> None:
    unproxied, wanted = CASES[name]
    result = judge("network.neighbour-proxy-missing", unproxied_addresses=unproxied)
    assert rows(result) == wanted
