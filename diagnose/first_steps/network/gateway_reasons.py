"""Reasons why the gateway of a macvlan or ipvlan network is silent, with page variables."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.gateways.silent_gateways import SilentMachine
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import PageVariables


def answering_machines(machine: SilentMachine, neighbours: Neighbours | None) -> set[str]:
    """The machines from which the host has an answer on the parent interface."""
    parent = machine.network.option("parent")
    return {
        entry.address
        for entry in neighbours or ()
        if entry.interface == parent and not entry.is_unanswered
    }


_CHOOSES = (28,)
"""The first engine with an option for the network that has the default route (`--gw-priority`)."""


def ways_out(machines: list[SilentMachine], networks: Networks | None) -> list[Network]:
    """The bridges of the first container that would lead out, if its default route used them.

    None unless each of the containers has one: the others miss the gateway itself.
    """
    if networks is None:
        return []
    ways = [_bridges_out(machine.container, networks) for machine in machines]
    return ways[0] if all(ways) else []


def _bridges_out(container: Container, networks: Networks) -> list[Network]:
    """The bridge networks of a container that lead out."""
    return [way for way in networks.of(container) if way.is_bridge and not way.internal]


class GatewayReason(msgspec.Struct, frozen=True):
    """The reason why a gateway may be silent, "" if it is not known, and the page variables for
    it."""

    why: str
    variables: PageVariables


def reason_of_way_out(machine: SilentMachine, way_out: Network, ping: Ping | None) -> GatewayReason:
    """The reason where the container has a bridge that leads out: from some engine on an option
    chooses it."""
    name = machine.container.name
    why = f"its default route leads there, and not through bridge {way_out}"
    if ping is not None and ping.version >= _CHOOSES:
        return GatewayReason(why, {"container": name, "way_out": way_out.name})
    return GatewayReason(why, {"container": name, "first_network": f"0-{name}"})


def reason_of_silence(
    machine: SilentMachine, router: str, neighbours: Neighbours | None
) -> GatewayReason:
    """The reason why the gateway itself may be silent, by the machines that answer the host on the
    same wire.

    router: that of this host on the same wire, or "".
    """
    gateway = machine.address
    container = machine.container.name
    answering = {entry.address for entry in neighbours or () if not entry.is_unanswered}
    if gateway in answering:
        return GatewayReason(ONE_MAC, wire_variables(machine))
    if router and router != gateway:
        variables = {"container": container, "router": router, "interface": machine.interface}
        return GatewayReason(f"the router of this host is {router}", variables)
    if router and neighbours is not None and neighbours.unanswered(router) is None:
        why = "the host has the same router: it is off, or the network accepts only the host's MAC"
        return GatewayReason(why, {**wire_variables(machine), "silent": router})
    return GatewayReason("", {"container": container})


ONE_MAC = "the host gets an answer, so the network accepts only the MAC address of the host"


def wire_variables(machine: SilentMachine) -> PageVariables:
    """The page variables for a wire that takes frames of only one hardware address."""
    parent = machine.network.option("parent")
    return {"container": machine.container.name, "network": machine.network.name, "parent": parent}
