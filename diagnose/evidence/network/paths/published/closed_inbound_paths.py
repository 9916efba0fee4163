"""Published ports that a rule of the administrator closes to every client."""

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.network.paths.dropped_ways import ports_closed_by_rules
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPaths
from diagnose.evidence.network.paths.packet_paths import InboundPath, PacketPaths, Step
from diagnose.evidence.network.rules.dropping_rules import packets_of
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.firewall import ListNftables
from diagnose.registry import evidence


class ClosedInboundPath(msgspec.Struct, frozen=True):
    """A published port, the rule that closes it, and the packets that the rule has dropped."""

    inbound: InboundPath
    by: Step
    dropped: int | None
    """Packets since the rule was written; None where it does not count them."""


class ClosedInboundPaths(Items[ClosedInboundPath], frozen=True):
    """The closed ports in the order of the rules; a rule without packets closes no wanted port."""


@evidence
def closed_inbound_paths(
    host: Host, firewall: Firewall, packet_paths: PacketPaths, resolver_paths: ResolverPaths | None
) -> ClosedInboundPaths:
    """The published ports that a rule closes.

    Of several ports that one rule closes, no counter shows which one was called.
    """
    closed = ports_closed_by_rules(firewall, packet_paths, resolver_paths)
    if not closed:
        return ClosedInboundPaths()
    answer = host.ask(ListNftables())
    packets = {} if isinstance(answer, Failed) else packets_of(answer, firewall)
    return ClosedInboundPaths(
        tuple(
            ClosedInboundPath(inbound, step, packets.get(step))
            for step, inbound_paths in closed.items()
            for inbound in inbound_paths
            if packets.get(step) != 0
        )
    )
