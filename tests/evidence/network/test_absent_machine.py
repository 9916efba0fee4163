"""Addresses for which nobody answers on the link that a route leads to."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.absent_machine import HostLinks, absent_machine
from diagnose.evidence.network.interfaces import Interface
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Route, Routes
from tests.checks.network.evidence import UPLINK, links, network, with_fields

ADDRESS = "10.42.0.20"
ROUTES = Routes((Route("0.0.0.0", gateway="192.0.2.1", oif=2), Route("10.42.0.0", 24, oif=7)))
INSIDE = Interface(index=7, name="cni0", up=True, operstate="up", kind="bridge")
GUEST = Interface(index=8, name="veth8", up=True, operstate="up", kind="veth", master=7)
CARD = Interface(index=9, name="eth1", up=True, operstate="up", master=7)
PODS = network("pods", subnet="10.42.0.0/24", gateway="10.42.0.1")

LEADS_AWAY: dict[str, tuple[tuple[Interface, ...], tuple[str, ...], bool]] = {
    "a bridge of pods": ((INSIDE, GUEST), (), True),
    "a second network card": ((with_fields(INSIDE, kind=None),), (), False),
    "a VLAN of the site": ((with_fields(INSIDE, kind="vlan"),), (), False),
    "a bridge with a network card": ((INSIDE, GUEST, CARD), (), False),
    "a network of the engine": ((INSIDE, GUEST), ("pods",), False),
}


@pytest.mark.parametrize(("added", "docker", "expected"), LEADS_AWAY.values(), ids=LEADS_AWAY)
def test_only_the_net_of_another_program_leads_away(
    added: tuple[Interface, ...], docker: tuple[str, ...], expected: bool
) -> None:
    absent = absent_machine(
        ADDRESS,
        HostLinks(
            routes=ROUTES,
            links=links(UPLINK, *added),
            neighbours=Neighbours((Neighbour(ADDRESS, "cni0", ""),)),
            networks=Networks((PODS,) if docker else (network(),)),
        ),
    )
    assert absent is not None
    assert (absent.router == "192.0.2.1") is expected
    assert ("leads to cni0" in str(absent)) is expected
