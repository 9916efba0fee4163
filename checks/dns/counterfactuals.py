"""Copies of evidence without a cause: lost queries that get through, DNS servers that answer."""

from msgspec.structs import replace

from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.model import Edit, Finding, Outcome
from diagnose.registry import prediction, without

ANSWERED = DnsReply(answered=True, rcode="NOERROR", ms=1.0, sent=1)


@without("dns.host-broken", "dns.udp-blocked", "network.conntrack-full")
def servers_that_answer(lookups: Lookups) -> Edit:
    """Each server that was silent to the host answers the host."""
    answers = {
        server: reply if reply.answered else ANSWERED for server, reply in lookups.host.items()
    }
    return {Lookups: replace(lookups, host=answers, tcp={})}


@prediction("dns.upstream-unreachable")
def query_gets_through(
    finding: Finding,
    lookups: Lookups,
    networks: Networks | None,
    interfaces: Interfaces | None,
    forwarding: Forwarding | None,
    packet_paths: PacketPaths | None,
) -> Outcome:
    """The outcome of a lost query: answered, or the reason why it stays lost.

    Its server answers the host, and the path from the container to the server is open.
    """
    for server in finding.discriminator.split(","):
        if is_loopback(server):
            return Outcome.unknown()
        reaches = lookups.reaches(server)
        if reaches is None:
            return Outcome.unknown()
        if not reaches:
            return Outcome.stays(f"the host itself gets no answer from {server} either")
    down = _bridge_that_is_down(finding, networks, interfaces)
    if down:
        return Outcome.stays(f"bridge {down} is down")
    if forwarding is None:
        return Outcome.unknown()
    if forwarding.everywhere == "0":
        return Outcome.stays("IP forwarding is off")
    return _way_is_open(finding, packet_paths)


def _bridge_that_is_down(
    finding: Finding, networks: Networks | None, interfaces: Interfaces | None
) -> str:
    """The bridge of a network of the finding that is down or gone.

    Empty where all are up or nobody could look.
    """
    if networks is None or interfaces is None:
        return ""
    touched = {finding.subject, *finding.touches}
    for network in networks.bridges:
        bridge = interfaces.by_name.get(network.bridge)
        if network.subject in touched and (bridge is None or not bridge.up):
            return network.bridge
    return ""


def _way_is_open(finding: Finding, paths: PacketPaths | None) -> Outcome:
    """The outcome of a lost query: answered if no rule blocks the packets of the finding's
    containers."""
    members = {finding.subject, *finding.touches}
    outbound_paths = paths.outbound_paths if paths is not None else ()
    ways = [outbound for outbound in outbound_paths if outbound.container.subject in members]
    if not ways:
        return Outcome.unknown()
    blocked = [outbound for outbound in ways if outbound.block is not None]
    if not blocked:
        return Outcome(vanishes=True)
    return Outcome.stays(f"the packet filter still drops what {blocked[0].container.name} sends")
