"""Rules of nftables that drop ARP, by which IPv4 neighbours find each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import Step, not_walked
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.walk import walk
from diagnose.registry import evidence

_ARP: Literal["arp"] = "arp"
_HOOKS: tuple[Literal["input", "output"], ...] = ("input", "output")


class ArpFilter(msgspec.Struct, frozen=True):
    """An interface of the host on which ARP is dropped, or may be."""

    device: str
    network: str
    """The network of a bridge; empty for the uplink."""
    members: tuple[Container, ...]
    """The running containers that are cut off by it."""
    by: Step
    is_certain: bool
    is_felt: bool = True
    """Whether one whom the host needs there does not answer, or its table was not read."""


class ArpFilters(Items[ArpFilter], frozen=True):
    """At most one for each interface: the first hook that drops."""

    chains: int = 0
    """The base chains of the family arp."""
    why_none: str = ""
    """Why no rule was judged, if that is so."""


@evidence
def arp_filters(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    uplinks: Uplinks,
    ping: Ping | None,
    info: Info | None,
    neighbours: Neighbours | None,
) -> ArpFilters:
    """The bridges of networks with running containers, and the way out of the host.

    iptables never sees ARP, and neither do the families ip and inet of nftables. An interface is
    left out where somebody has entered all hardware addresses that the host needs there, and
    everybody else answers: ARP is dropped on purpose.
    """
    why_none = not_walked(ping, info, uplinks)
    ruleset = host_stack.stack.ruleset
    chains = [chain for hook in _HOOKS for chain in ruleset.base_chains(hook, _ARP)]
    if why_none or not chains:
        return ArpFilters((), len(chains), why_none)
    attached: dict[str, list[Container]] = {}
    needed: dict[str, list[str]] = {}
    for container in containers.running:
        for network, endpoint in networks.places_of(container):
            if network.is_bridge and endpoint.ip_address:
                attached.setdefault(network.name, []).append(container)
                needed.setdefault(network.name, []).append(endpoint.ip_address)
    found: list[ArpFilter] = []
    for name, members in sorted(attached.items()):
        filters = _filters_on(ruleset, networks.by_name[name].bridge, name, members)
        found += _harmful(filters, needed[name], neighbours)
    decision = host_stack.stack.routing.look_up(SOMEWHERE)
    if decision.kind == "unicast" and decision.gateway and decision.oif:
        everyone = {member.id: member for members in attached.values() for member in members}
        filters = _filters_on(ruleset, decision.oif, "", list(everyone.values()))
        found += _harmful(filters, [decision.gateway], neighbours)
    return ArpFilters(tuple(found), len(chains))


def _filters_on(
    ruleset: Ruleset, device: str, network: str, members: list[Container]
) -> Iterator[ArpFilter]:
    """What drops the questions and answers that come in there, or that the host sends."""
    for hook in _HOOKS:
        iif, oif = (device, "") if hook == "input" else ("", device)
        message = Packet(iif, oif, None, None, "", state="untracked", physin=None)
        verdict = walk(ruleset, hook, message, layer=_ARP)
        if verdict.outcome != "accept" and verdict.by is not None:
            yield ArpFilter(device, network, tuple(members), verdict.by, verdict.is_blocked)
            return


def _harmful(
    filters: Iterator[ArpFilter], needed: list[str], neighbours: Neighbours | None
) -> Iterator[ArpFilter]:
    """The filters of an interface on which the host needs these addresses."""
    is_felt = neighbours is None or any(neighbours.unanswered(address) for address in needed)
    for item in filters:
        if (
            neighbours is not None
            and neighbours.are_permanent(needed)
            and not neighbours.has_unanswered_on(item.device)
        ):
            continue
        yield msgspec.structs.replace(item, is_felt=is_felt)
