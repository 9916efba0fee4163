"""Ways between networks that foreign rules drop, grouped by the deciding rule. Pure."""

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.flushed_rules import is_flushed
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.paths.packet_paths import USER_CHAIN, PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_programs import is_ban
from diagnose.firewall.packet import Family
from diagnose.lazy_pattern import LazyPattern

_FILTERS = ("ip filter", "iptables-legacy ip filter")
_OF_ONE = LazyPattern(r"(?:^|(?<!!)\s)-[si] (?!0\.0\.0\.0/0|::/0)[^\s+]+(?:\s|$)")
"""A rule for one source or one interface; `br-+` is every bridge, and `! -s` all sources but one.
"""


def is_for_one(step: Step) -> bool:
    """Whether a rule of DOCKER-USER stops what one source or interface sends, as a policy does."""
    return step.chain == USER_CHAIN and _OF_ONE.search(step.rule) is not None


class PlaceOfDrop(msgspec.Struct, frozen=True):
    """The packet of a connection that is dropped, and the hook that drops it."""

    part: str
    hook: str


class DroppedWays(msgspec.Struct, eq=False):
    """The ways out, published ports and DNS queries that one rule drops."""

    outbound_paths: list[OutboundPath] = msgspec.field(default_factory=list)
    inbound_paths: list[InboundPath] = msgspec.field(default_factory=list)
    queries: list[ResolverPath] = msgspec.field(default_factory=list)

    @property
    def networks(self) -> list[Network]:
        ways: list[OutboundPath | InboundPath | ResolverPath] = [
            *self.outbound_paths,
            *self.inbound_paths,
            *self.queries,
        ]
        return [way.network for way in ways]

    @property
    def family(self) -> Family:
        """IPv6 where nothing of IPv4 is dropped."""
        ways: list[OutboundPath | InboundPath] = [*self.outbound_paths, *self.inbound_paths]
        families = {way.family for way in ways}
        if not families:
            is_ipv6 = all(":" in query.server for query in self.queries)
            return "ip6" if is_ipv6 else "ip"
        return "ip6" if families == {"ip6"} else "ip"

    @property
    def senders(self) -> list[str]:
        """The containers that do not get out."""
        return sorted({way.container.name for way in self.outbound_paths})

    @property
    def container_names(self) -> list[str]:
        """The containers that do not get out, reach no DNS server, or have closed ports.

        Only the first of these groups that is not empty.
        """
        ways: list[ResolverPath] | list[InboundPath] = self.queries or self.inbound_paths
        return self.senders or sorted({way.container.name for way in ways})

    @property
    def askers(self) -> list[ResolverPath]:
        """The queries of other containers, which reach no DNS server."""
        return [query for query in self.queries if query.container.name not in self.senders]

    @property
    def are_queries(self) -> bool:
        """Whether queries are all that is dropped."""
        return not (self.outbound_paths or self.inbound_paths)

    @property
    def drop(self) -> PlaceOfDrop:
        """The packet that is dropped, and its hook."""
        if self.outbound_paths:
            way = self.outbound_paths[0]
            verdict = way.block or (way.sample if way.sample.is_blocked else way.reach)
            return PlaceOfDrop(verdict.part, verdict.hook or "forward")
        if self.inbound_paths:
            reach = self.inbound_paths[0].reach
            return PlaceOfDrop(reach.part, reach.hook or "forward")
        obstacle = self.queries[0].trace.obstacle
        if obstacle is None:
            return PlaceOfDrop("request", "forward")
        return PlaceOfDrop(obstacle.part, obstacle.hook)

    @property
    def bridge(self) -> str:
        """The bridge between which and `uplink` packets are dropped."""
        ways = self.outbound_paths or self.queries or self.inbound_paths
        return ways[0].network.bridge

    @property
    def uplink(self) -> str:
        """The interface by which they leave the host, or come to it."""
        if self.queries and not self.outbound_paths:
            return self.queries[0].device
        return (self.outbound_paths or self.inbound_paths)[0].uplink.name


def dropped_ways(
    firewall: Firewall, paths: PacketPaths, resolver_paths: ResolverPaths | None, *, has_rules: bool
) -> dict[Step, DroppedWays]:
    """By the rule that decides.

    What Docker's own rules should have let through is left out, unless the engine is configured to
    write none (has_rules).
    """
    dropped = _by_rule(paths, resolver_paths)
    lacks = _LostDockerRules(firewall, paths) if has_rules else None
    return {
        step: ways
        for step, ways in dropped.items()
        if not _only_closes_ports(step, ways, paths) and (lacks is None or not lacks.explain(step))
    }


def ports_closed_by_rules(
    firewall: Firewall, paths: PacketPaths, resolver_paths: ResolverPaths | None
) -> dict[Step, list[InboundPath]]:
    """The published ports of IPv4 that no client gets into, by a rule that only closes ports.

    It may be meant: whoever wrote the rule knows.
    """
    lacks = _LostDockerRules(firewall, paths)
    return {
        step: ways.inbound_paths
        for step, ways in _by_rule(paths, resolver_paths).items()
        if ways.family == "ip" and _only_closes_ports(step, ways, paths) and not lacks.explain(step)
    }


def _by_rule(
    paths: PacketPaths, resolver_paths: ResolverPaths | None
) -> Mapping[Step, DroppedWays]:
    """The dropped ways out, ways in and DNS queries, by the rule that drops them."""
    dropped: dict[Step, DroppedWays] = defaultdict(DroppedWays)
    for outbound in (*paths.outbound_paths, *paths.outbound_paths6):
        step = _blocker(outbound)
        if step is not None:
            dropped[step].outbound_paths.append(outbound)
    for inbound in (*paths.inbound_paths, *paths.inbound_paths6):
        reach = inbound.reach
        if reach.is_blocked and reach.by is not None and reach.hook != "input":
            dropped[reach.by].inbound_paths.append(inbound)
    cut_off = resolver_paths.cut_off if resolver_paths is not None else ()
    for query in cut_off:
        obstacle = query.trace.obstacle
        if obstacle is not None and obstacle.reason == "rule":
            dropped[obstacle.by].queries.append(query)
    return dropped


def _blocker(outbound: OutboundPath) -> Step | None:
    """The rule that drops the outgoing packets of a network; a ban of a few addresses counts too.

    None on a network that is guarded and not masqueraded: it has no way out by design.
    """
    if outbound.is_guarded and not outbound.network.masquerades:
        return None
    if outbound.block is not None:
        return outbound.block.by
    by = outbound.sample.by
    return by if by is not None and is_ban(by) else None


class _LostDockerRules:
    """Whether Docker's rules are gone, so that packets meet others in their place."""

    def __init__(self, firewall: Firewall, paths: PacketPaths) -> None:
        self._firewall = firewall
        self._is_flushed = is_flushed(firewall, paths)

    def explain(self, step: Step) -> bool:
        """Whether packets would not reach this rule if Docker's were back."""
        is_behind_docker = step.chain == "FORWARD" and step.table in _FILTERS
        return self._firewall.is_lost(step) or (self._is_flushed and is_behind_docker)


def _only_closes_ports(step: Step, ways: DroppedWays, paths: PacketPaths) -> bool:
    """Whether a rule closes ports, and drops nothing that containers send themselves.

    A rule in DOCKER-USER is there for that; another one counts if it leaves a port open.
    """
    if ways.outbound_paths or ways.queries:
        return False
    if step.chain == USER_CHAIN:
        return True
    ports_of_family = paths.inbound_paths6 if ways.family == "ip6" else paths.inbound_paths
    return len(ways.inbound_paths) < len(ports_of_family)
