"""Verdicts of the host on the traffic of containers.

The way out of each network, and the way in to each published port.
"""

import functools
from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.unsettled import is_unsettled
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath, outbound_paths_of
from diagnose.evidence.network.paths.published.inbound_paths import (
    InboundPath,
    inbound_path_of,
    outer_ports,
)
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.walks import Attached, Walks, places
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.connection_verdict import ConnectionVerdict
from diagnose.firewall.docker import USER_CHAIN
from diagnose.firewall.rules import Table
from diagnose.firewall.verdict import Step
from diagnose.mappings import distinct
from diagnose.model import Coverage, Subject
from diagnose.phrases import count
from diagnose.registry import evidence

__all__ = [
    "USER_CHAIN",
    "ConnectionVerdict",
    "Firewall",
    "InboundPath",
    "OutboundPath",
    "PacketPaths",
    "Step",
    "Table",
]

MOST_PORTS = 4_000
"""Published ports that are walked, at some 0.2 ms each."""


class PacketPaths(msgspec.Struct, frozen=True, dict=True):
    """The verdicts of the host on packets of each running container on a bridge network."""

    outbound_paths: tuple[OutboundPath, ...] = ()
    inbound_paths: tuple[InboundPath, ...] = ()
    unwalked: tuple[Subject, ...] = ()
    """Containers whose published ports were too many (`MOST_PORTS`)."""
    why_none: str = "no running container is on a bridge network that leads out"
    """The reason why there is nothing to judge."""
    outbound_paths6: tuple[OutboundPath, ...] = ()
    inbound_paths6: tuple[InboundPath, ...] = ()
    """outbound_paths6, inbound_paths6: over IPv6, for networks that have it."""

    @property
    def ways(self) -> Iterator[OutboundPath | InboundPath]:
        """Both kinds of IPv4, those that lead out first."""
        yield from self.outbound_paths
        yield from self.inbound_paths

    @property
    def all_ways(self) -> Iterator[OutboundPath | InboundPath]:
        """The ways of both families."""
        yield from self.ways
        yield from self.outbound_paths6
        yield from self.inbound_paths6

    @functools.cached_property
    def networks(self) -> dict[str, Network]:
        """The networks with a running container, by name."""
        return {way.network.name: way.network for way in self.ways}

    @property
    def coverage(self) -> Coverage:
        """The number of connections traced out and in, for the report."""
        traced = {
            "out": len(self.outbound_paths) + len(self.outbound_paths6),
            "in": len(self.inbound_paths) + len(self.inbound_paths6),
        }
        families = frozenset(way.family for way in self.all_ways)
        gap = "" if any(traced.values()) else self.why_none
        if self.unwalked:
            gap = f"published ports of {count(len(self.unwalked), 'container')}: too many"
        return Coverage(traced, families, gap)

    def __len__(self) -> int:
        return len(list(self.all_ways))


@evidence
def packet_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    walked: WalkedHost,
    clock: Clock,
) -> PacketPaths:
    """The packet paths of all containers, one trace for each network and published port.

    The ports of a container that restarts are left out: their rules come and go. Incoming packets
    come by the default route's interface; outgoing ones go where the kernel sends this network's
    packets.
    """
    if walked.why_not:
        return PacketPaths(why_none=walked.why_not)
    # rules that drop stay when firewall.forwarding-off is cured, and have to be seen beside it
    walks = Walks(host_stack.stack.forwarding, walked.uplink)
    attached = places(containers, networks, "ip")
    attached6 = places(containers, networks, "ip6") if walks.leads_out("ip6") else []
    published = list(
        outer_ports(_settled_places(attached, clock), walked.uplink, "ip", walks.stack)
    )
    published6 = list(
        outer_ports(_settled_places(attached6, clock), walked.uplink, "ip6", walks.stack)
    )
    return PacketPaths(
        tuple(outbound_paths_of(walks, attached, "ip")),
        tuple(inbound_path_of(walks, port) for port in published[:MOST_PORTS]),
        distinct(port.container.subject for port in published[MOST_PORTS:]),
        outbound_paths6=tuple(outbound_paths_of(walks, attached6, "ip6")),
        inbound_paths6=tuple(inbound_path_of(walks, port) for port in published6[:MOST_PORTS]),
    )


def _settled_places(attached: Iterable[Attached], clock: Clock) -> list[Attached]:
    """The places of containers whose rules are those of the run that was inspected."""
    return [place for place in attached if not is_unsettled(place[0], clock)]
