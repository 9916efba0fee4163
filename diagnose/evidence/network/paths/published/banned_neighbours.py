"""Machines of the host's own network that a ban list keeps from published ports."""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import EVERYWHERE6, family_of, is_loopback
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.paths.packet_paths import InboundPath, PacketPaths
from diagnose.evidence.network.paths.walks import ordinary_peer
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.packet import Family
from diagnose.firewall.rules import Chain
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, paired
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.network import ListNeighbours
from diagnose.registry import evidence

MOST = 200
"""Connections that are walked: neighbours times ports."""
_BAN_LIST = LazyPattern(
    r"\bf2b-|fail2ban|crowdsec|sshguard|\bcsf\b|denyip|blacklist|blocklist|\bban(?:s|ned|list)?\b",
    re.IGNORECASE,
)
"""The names that programs give the chains, tables and sets of addresses that they ban."""
_MARKS = ("ban", "blacklist", "blocklist", "crowdsec", "csf", "denyip", "f2b-", "sshguard")
"""Words of which each name of a ban list has one. Every rule of a host is looked at, and to look
for all of them takes a tenth of the time of the pattern."""


class ShutPort(msgspec.Struct, frozen=True):
    """A published port at one address of the host."""

    container: Container
    port: str
    """The port as the engine writes it (`80/tcp`)."""
    host_address: str
    host_port: int
    uplink: str
    family: Family = "ip"

    @property
    def on_host(self) -> str:
        """The host's port and the protocol: 8080/tcp."""
        return f"{self.host_port}/{self.port.partition('/')[2]}"


class BannedNeighbour(msgspec.Struct, frozen=True):
    """A machine on the uplink's network, and the ports that a ban list keeps it from."""

    address: str
    by: Step
    ports: tuple[ShutPort, ...]
    number: int | None = None
    """The place of the rule in its chain, from 1; None where it is not known."""

    @property
    def family(self) -> Family:
        return family_of(self.address)


class BannedNeighbours(Items[BannedNeighbour], frozen=True):
    """The neighbours that are banned."""

    walked: int = 0
    """Connections of neighbours to published ports that were walked."""
    left_out: int = 0
    """Further ones, beyond `MOST`."""


@evidence
def banned_neighbours(
    host: Host,
    host_stack: HostStack,
    packet_paths: PacketPaths,
    containers: Containers,
    neighbours: Neighbours,
    uplinks: Uplinks,
) -> BannedNeighbours:
    """The neighbours that a ban list shuts out of a port that others may reach.

    Each neighbour of both families is traced to each port. Nothing is traced where no rule belongs
    to a ban list. Over IPv6 docker-proxy serves ports of containers that have no such address.
    """
    stack = host_stack.stack
    if not bans_anybody(stack):
        return BannedNeighbours(())
    ports = [
        _shut_port(inbound)
        for inbound in packet_paths.inbound_paths
        if inbound.sample.outcome == "accept"
    ]
    answering = [
        (entry.address, entry.interface) for entry in neighbours if not entry.is_unanswered
    ]
    calls = list(_calls(answering, ports))
    ports6 = list(_open_over_ipv6(stack, containers, uplinks))
    if ports6:
        calls += _calls(_neighbours6(host, uplinks), ports6)
    traced = calls[:MOST]
    stopped = paired(traced, lambda call: _banned_by(stack, *call))
    ports_by_ban = by_key(((address, ban), port) for (address, port), ban in stopped)
    items = tuple(
        BannedNeighbour(address, ban, tuple(shut_ports), _place_in_chain(stack, ban))
        for (address, ban), shut_ports in ports_by_ban.items()
    )
    return BannedNeighbours(items, len(traced), len(calls) - len(traced))


def _calls(
    neighbours: Iterable[tuple[str, str]], ports: Sequence[ShutPort]
) -> Iterator[tuple[str, ShutPort]]:
    """Each neighbour's address with each port of its uplink. neighbours: address and interface."""
    for address, interface in neighbours:
        for port in ports:
            if port.uplink == interface:
                yield address, port


def _shut_port(inbound: InboundPath) -> ShutPort:
    return ShutPort(
        inbound.container,
        port=inbound.port,
        host_address=inbound.host_address,
        host_port=inbound.host_port,
        uplink=inbound.uplink.name,
        family=inbound.family,
    )


def _open_over_ipv6(
    stack: NetworkStack, containers: Containers, uplinks: Uplinks
) -> Iterator[ShutPort]:
    """The ports that are published on an IPv6 address, and that an ordinary client reaches."""
    uplink = uplinks.preferred
    if uplink is None:
        return
    host_address = stack.address_on(uplink.name, "ip6")
    if host_address is None:
        return
    for container in containers.running:
        for published in container.published_ports:
            address = host_address if published.host_ip in EVERYWHERE6 else published.host_ip
            is_known = published.host_port and published.protocol in ("tcp", "udp")
            if ":" not in address or not is_known or is_loopback(address):
                continue
            place = published.port
            host_port = published.host_port
            port = ShutPort(
                container,
                port=place,
                host_address=address,
                host_port=host_port,
                uplink=uplink.name,
                family="ip6",
            )
            # a host may have no way to the internet over IPv6
            if _trace_of(stack, ordinary_peer("ip6"), port).rule_in_the_way is None:
                yield port


def _neighbours6(host: Host, uplinks: Uplinks) -> Iterator[tuple[str, str]]:
    """The IPv6 neighbours that have answered, each with the interface."""
    table = host.ask(ListNeighbours())
    entries = [] if isinstance(table, Failed) else table
    for entry in entries:
        interface = uplinks.interfaces.get(entry.index, "")
        is_ipv6 = entry.address is not None and ":" in entry.address
        if entry.address and is_ipv6 and entry.mac and interface:
            yield entry.address, interface


def bans_anybody(stack: NetworkStack) -> bool:
    """Whether a rule belongs to a ban list, by its own text or by the name of its chain."""
    return any(_has_bans(chain) for chain in stack.ruleset.chains)


def _has_bans(chain: Chain) -> bool:
    """Whether a chain with rules is a ban list by its name, or leads to one."""
    texts = (rule.text for rule in chain.rules)
    return bool(chain.rules) and (is_ban(chain.label, chain.name) or is_ban(*texts))


def _trace_of(stack: NetworkStack, address: str, port: ShutPort) -> Trace:
    """A client's way to a published port."""
    protocol = port.port.partition("/")[2]
    origin = Origin(port.uplink, address)
    return trace(stack, Flow(origin, port.host_address, protocol, port.host_port, port.family))


def _banned_by(stack: NetworkStack, address: str, port: ShutPort) -> Step | None:
    """The rule of a ban list that stops an address on its way to a published port."""
    obstacle = _trace_of(stack, address, port).rule_in_the_way
    if obstacle is None:
        return None
    step = obstacle.by
    return step if is_ban(step.table, step.chain, step.rule) else None


def is_ban(*texts: str) -> bool:
    """Whether one of these names or rules is that of a ban list."""
    return any(_has_mark(text.lower()) and _BAN_LIST.search(text) for text in texts)


def _has_mark(lowered: str) -> bool:
    return any(mark in lowered for mark in _MARKS)


def _place_in_chain(stack: NetworkStack, step: Step) -> int | None:
    for chain in stack.ruleset.chains:
        if (chain.label, chain.name) == (step.table, step.chain):
            texts = [rule.text for rule in chain.rules]
            return texts.index(step.rule) + 1 if step.rule in texts else None
    return None
