"""Missing rules of the engine, by the verdicts on packets that they should accept. Pure."""

import functools
from typing import Literal

import msgspec

from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall

_SEVERAL = 2
"""With fewer published ports nothing is judged: a single lost one has a check of its own."""


class FlushedRules(msgspec.Struct, frozen=True, dict=True):
    """The networks, ways out and ports whose rules are missing."""

    bare: tuple[Network, ...]
    """Networks whose bridge no rule names."""
    fallen: tuple[OutboundPath, ...]
    """Ways out that no rule takes."""
    no_ports: bool
    """Whether no rule leads to the published ports."""
    emptied: Literal["", "nat", "filter"]
    """The table whose chain of published ports is empty now."""

    @property
    def is_real(self) -> bool:
        return bool(self.bare or self.fallen or self.no_ports or self.emptied)

    @functools.cached_property
    def networks(self) -> dict[str, Network]:
        """The networks whose traffic no rule takes, by name."""
        cut_off = [*self.bare, *(way.network for way in self.fallen)]
        return {network.name: network for network in cut_off}

    def cuts(self, way: OutboundPath) -> bool:
        """Whether a container cannot send out, for lack of these rules."""
        return way.reach.is_blocked and way.network.name in self.networks

    def uncovers(self, way: OutboundPath) -> bool:
        """Whether a container's own address is not hidden any more, for lack of these rules."""
        is_concerned = self.no_ports or way.network.name in self.networks
        return is_concerned and way.network.masquerades and way.is_untranslated

    def shuts(self, inbound: InboundPath) -> bool:
        """Whether nothing leads to a published port, for lack of these rules."""
        if self.no_ports or self.emptied:
            return True
        return inbound.reach.is_blocked and inbound.network.name in self.networks


class LostTraffic(msgspec.Struct, frozen=True, dict=True):
    """The effects of the loss on containers and published ports."""

    paths: PacketPaths
    flushed: FlushedRules
    has_docker_proxy: bool

    @functools.cached_property
    def cut(self) -> list[OutboundPath]:
        """The ways out that are blocked."""
        return [way for way in self.paths.outbound_paths if self.flushed.cuts(way)]

    @functools.cached_property
    def names(self) -> list[str]:
        """The containers that cannot send out, or whose packets get no answer."""
        uncovered = [way for way in self.paths.outbound_paths if self.flushed.uncovers(way)]
        return sorted({way.container.name for way in (*self.cut, *uncovered)})

    @functools.cached_property
    def ports(self) -> list[InboundPath]:
        """The published ports to which no rule leads."""
        return [inbound for inbound in self.paths.inbound_paths if self.flushed.shuts(inbound)]

    @property
    def are_served(self) -> bool:
        """Whether docker-proxy takes the clients of all these ports."""
        return self.has_docker_proxy and all(inbound.is_served_by_host for inbound in self.ports)

    @property
    def is_outage(self) -> bool:
        return bool(self.names) or (bool(self.ports) and not self.are_served)


def flushed_rules(firewall: Firewall, paths: PacketPaths) -> FlushedRules:
    """The missing rules along the traced packets."""
    networks = paths.networks.values()
    bare = tuple(network for network in networks if not firewall.names_bridge(network.bridge))
    # a way out that leads into another of the engine's networks is a wrong route, not a lost rule
    own_bridges = {network.bridge for network in networks}
    leading_out = (way for way in paths.outbound_paths if way.uplink.name not in own_bridges)
    fallen = tuple(
        way for way in leading_out if not way.is_guarded and is_lost(firewall, way.reach)
    )
    no_ports = bool(paths.inbound_paths) and not firewall.translates_ports
    emptied = "" if no_ports or bare else _emptied_table(firewall, paths)
    return FlushedRules(bare, fallen, no_ports, emptied)


def is_flushed(firewall: Firewall, paths: PacketPaths) -> bool:
    """Whether nothing of Docker's is left on the way of any network.

    The present rules are from another program's file.
    """
    networks = paths.networks.values()
    return bool(networks) and not any(firewall.names_bridge(net.bridge) for net in networks)


def is_lost(firewall: Firewall, verdict: ConnectionVerdict) -> bool:
    """Whether a packet is dropped for lack of a rule of Docker's."""
    return verdict.is_blocked and verdict.by is not None and firewall.is_lost(verdict.by)


def _emptied_table(firewall: Firewall, paths: PacketPaths) -> Literal["", "nat", "filter"]:
    if len(paths.inbound_paths) < _SEVERAL or paths.unwalked:
        return ""
    if all(
        inbound.is_served_by_host and not inbound.reach.nat_unknown
        for inbound in paths.inbound_paths
    ):
        return "nat"
    if all(_is_not_let_in(firewall, inbound.reach) for inbound in paths.inbound_paths):
        return "filter"
    return ""


def _is_not_let_in(firewall: Firewall, reach: ConnectionVerdict) -> bool:
    """Whether a client is sent on to the container, and then dropped for lack of a rule."""
    return reach.nat is not None and reach.hook == "forward" and is_lost(firewall, reach)
