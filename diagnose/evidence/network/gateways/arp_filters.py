"""Rules of nftables that drop ARP, by which IPv4 neighbours find each other. Pure."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.verdict import PacketVerdict
from diagnose.firewall.walk import walk
from diagnose.mappings import by_key, known
from diagnose.registry import evidence

_ARP: Literal["arp"] = "arp"
_OF_DEVICES: tuple[Literal["ingress", "egress"], ...] = ("ingress", "egress")
_HOOKS: tuple[Literal["input", "output"], ...] = ("input", "output")


class _Link(msgspec.Struct, frozen=True):
    """An interface of the host, and the neighbours that it needs there."""

    device: str
    network: str
    """The network of a bridge; empty for the uplink."""
    members: tuple[Container, ...]
    """The running containers that are unreachable without it."""
    addresses: tuple[str, ...]
    """The addresses whose hardware addresses the host needs."""


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
    """The ARP filters, at most one for each interface: the first hook that drops."""

    chains: int = 0
    """The base chains of the family arp."""
    why_none: str = ""
    """The reason why no rule was judged; "" if one was."""


@evidence
def arp_filters(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    walked: WalkedHost,
    neighbours: Neighbours | None,
) -> ArpFilters:
    """The ARP filters on bridges of networks with running containers, and on the host's way out.

    iptables never sees ARP, and neither do the hooks of IP in nftables; those of a device (family
    netdev) see each frame. An interface is left out where all hardware addresses that the host
    needs there are entered by hand, and all other machines answer: ARP is dropped on purpose.
    """
    ruleset = host_stack.stack.ruleset
    bridges = list(_bridges(containers, networks))
    links = [*bridges, *_way_out(host_stack, bridges)]
    chains = [chain for hook in _HOOKS for chain in ruleset.base_chains(hook, _ARP)]
    if ruleset.uses_devices:
        chains += [
            chain
            for link in links
            for hook in _OF_DEVICES
            for chain in ruleset.device_chains(hook, link.device)
        ]
    if walked.why_not or not chains:
        return ArpFilters((), len(chains), walked.why_not)
    filters = (_filter_on(link, ruleset, neighbours) for link in links)
    return ArpFilters(known(filters), len(chains))


def _bridges(containers: Containers, networks: Networks) -> Iterator[_Link]:
    """The bridges of networks with running containers, sorted by network."""
    attached = by_key(
        (network.name, (container, endpoint.ip_address))
        for container in containers.running
        for network, endpoint in networks.places_of(container)
        if network.is_bridge and endpoint.ip_address
    )
    for name, places in sorted(attached.items()):
        members, addresses = zip(*places, strict=True)
        yield _Link(networks.by_name[name].bridge, name, members, addresses)


def _way_out(host_stack: HostStack, bridges: Iterable[_Link]) -> Iterator[_Link]:
    """The uplink, where the host has a router: all containers on bridges need it."""
    decision = host_stack.stack.routing.look_up(SOMEWHERE)
    if decision.kind == "unicast" and decision.gateway and decision.oif:
        members = {member.id: member for bridge in bridges for member in bridge.members}
        yield _Link(decision.oif, "", tuple(members.values()), (decision.gateway,))


def _filter_on(link: _Link, ruleset: Ruleset, neighbours: Neighbours | None) -> ArpFilter | None:
    """The rule that drops the ARP messages that come in by a link, or that the host sends."""
    if _is_on_purpose(link, neighbours):
        return None
    for verdict in _verdicts(link.device, ruleset):
        if verdict.outcome != "accept" and verdict.by is not None:
            is_felt = neighbours is None or any(map(neighbours.unanswered, link.addresses))
            return ArpFilter(
                link.device,
                link.network,
                members=link.members,
                by=verdict.by,
                is_certain=verdict.is_blocked,
                is_felt=is_felt,
            )
    return None


def _verdicts(device: str, ruleset: Ruleset) -> Iterator[PacketVerdict]:
    """The verdicts on ARP messages that arrive at a device, and on those that the host sends."""
    came = Packet(
        device, oif="", src=None, dst=None, proto="", state="untracked", physin=None, is_arp=True
    )
    sent = replace(came, iif="", oif=device)
    if ruleset.uses_devices:
        yield walk(ruleset, "ingress", came, layer="netdev", device=device)
    yield walk(ruleset, "input", came, layer=_ARP)
    yield walk(ruleset, "output", sent, layer=_ARP)
    if ruleset.uses_devices:
        yield walk(ruleset, "egress", sent, layer="netdev", device=device)


def _is_on_purpose(link: _Link, neighbours: Neighbours | None) -> bool:
    """Whether all hardware addresses there are entered by hand, and all other machines answer."""
    return (
        neighbours is not None
        and neighbours.are_permanent(link.addresses)
        and not neighbours.has_unanswered_on(link.device)
    )
