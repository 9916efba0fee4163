"""The kernel's choice of a route, over all policy rules and tables.

A pure lookup in what the kernel lists.

The order and the conditions are those of `fib_rules_lookup` and `fib_table_lookup`
(net/core/fib_rules.c, net/ipv4/fib_trie.c): rules by priority, the longest prefix of a table, then
the lowest metric. Where a rule asks for something that the list does not show, the decision is
unknown.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal

import msgspec

from diagnose.questions.network import MAIN_TABLE, PolicyRule, Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOCAL_TABLE = 255
_BITS = {"inet": 32, "inet6": 128}
_MAX_RULES = 4_096
"""Rules asked in one lookup; goto leads forward only, so that this is never reached by a real
list."""

Kind = Literal[
    "unicast",
    "local",
    "broadcast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "none",
    "unknown",
]
_REFUSALS = frozenset({"blackhole", "unreachable", "prohibit"})


class RouteDecision(msgspec.Struct, frozen=True):
    """The kernel's routing decision for a packet."""

    kind: Kind
    oif: str = ""
    """The interface's name."""
    gateway: str | None = None
    table: int | None = None
    src: str | None = None
    """The address that the route prefers."""
    by: str = ""
    """The rule or route, in words."""

    @property
    def sent_by(self) -> str:
        """The interface that the host sends by: to an address of its own always `lo`.

        The local table lists the interface that has the address (ip_route_output_key_hash_rcu).
        """
        return "lo" if self.kind == "local" else self.oif or "lo"

    @property
    def is_refused(self) -> bool:
        """Whether the kernel certainly sends the packet nowhere."""
        return self.kind in _REFUSALS or self.kind == "none"


_OWN_RULES = tuple(
    PolicyRule(priority, family, table=table, action="lookup")
    for family in _BITS
    for priority, table in ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, 253))
)
"""The kernel's own rules, for a host whose rules could not be listed."""


class _Table:
    """One routing table: its routes by prefix length and network."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._by_length: dict[int, dict[int, Route]] = {}
        self._lengths: list[int] = []

    def add(self, route: Route) -> None:
        networks = self._by_length.setdefault(route.prefix, {})
        network = int(ip_address(route.dst)) >> (self._bits - route.prefix) if route.prefix else 0
        routes = networks.get(network)
        if routes is None or route.metric < routes.metric:
            networks[network] = route
        self._lengths = sorted(self._by_length, reverse=True)

    def look_up(self, address: int) -> Route | None:
        for length in self._lengths:
            route = self._by_length[length].get(address >> (self._bits - length) if length else 0)
            if route is not None:
                return route
        return None


class Routing:
    """The rules and tables of one network namespace."""

    def __init__(
        self,
        routes: Iterable[Route],
        rules: Iterable[PolicyRule] | None,
        interfaces: Mapping[int, str],
    ) -> None:
        self._names = interfaces
        self._tables: dict[tuple[str, int], _Table] = {}
        for route in routes:
            if route.family in _BITS:
                key = (route.family, route.table)
                self._tables.setdefault(key, _Table(_BITS[route.family])).add(route)
        sorted_rules = sorted(
            _OWN_RULES if rules is None else rules, key=lambda rule: rule.priority
        )
        self._rules: dict[str, list[PolicyRule]] = {family: [] for family in _BITS}
        for rule in sorted_rules:
            self._rules.setdefault(rule.family, []).append(rule)
        self._decisions: dict[tuple[str, str | None, str, int | None], RouteDecision] = {}
        self._by_destination: dict[str, RouteDecision] = {}
        self._asking = {rule.family for rule in sorted_rules if _asks_for_more(rule)}
        """The families with a rule that looks at more than the destination."""

    def look_up(
        self, dst: str, src: str | None = None, iif: str = "lo", mark: int | None = 0
    ) -> RouteDecision:
        """The route of a packet.

        src None: the host has not chosen a source address yet. iif: "lo" for the host's own
        packets.
        """
        key = (dst, src, iif, mark)
        decided = self._decisions.get(key)
        if decided is not None:
            return decided
        if ("inet6" if ":" in dst else "inet") in self._asking:
            decision = self._decisions[key] = self._decide_route(dst, src, iif, mark)
            return decision
        decision = self._by_destination.get(dst) or self._decide_route(dst, src, iif, mark)
        self._by_destination[dst] = decision
        return decision

    def _decide_route(self, dst: str, src: str | None, iif: str, mark: int | None) -> RouteDecision:
        """The route by all rules of policy routing, in the order of their priorities."""
        address = ip_address(dst)
        family = "inet" if address.version == 4 else "inet6"
        source = ip_address(src) if src else None
        go_on_at = 0
        for rule in self._rules[family][:_MAX_RULES]:
            if rule.priority < go_on_at:
                continue
            matches = _meets_conditions(
                rule, int(address), None if source is None else int(source), iif, mark
            )
            if matches is None:
                return RouteDecision("unknown", by=f"rule {rule}")
            if not matches:
                continue
            if rule.action == "goto":
                go_on_at = rule.goto or 0
                continue
            decision = self._decision_of_rule(rule, family, int(address))
            if decision is not None:
                return decision
        return RouteDecision("none", by="no route")

    def _decision_of_rule(
        self, rule: PolicyRule, family: str, address: int
    ) -> RouteDecision | None:
        """The decision of a policy rule that matches. None where the kernel goes on to the next
        rule."""
        if rule.action in _REFUSALS:
            return RouteDecision(_refusal(rule.action), by=f"rule {rule}")
        if rule.action != "lookup":
            return None
        table = self._tables.get((family, rule.table))
        route = table.look_up(address) if table else None
        if route is None or route.type == "throw":
            return None
        if rule.suppress_prefix is not None and 0 <= route.prefix <= rule.suppress_prefix:
            return None
        table_clause = "" if rule.table in (MAIN_TABLE, LOCAL_TABLE) else f" table {rule.table}"
        net = f"{route.dst}/{route.prefix}" if route.prefix else "default"
        text = f"{net}{table_clause}"
        if route.type in _REFUSALS:
            return RouteDecision(
                _refusal(route.type), table=rule.table, by=f"route {route.type} {text}"
            )
        kinds: dict[str | None, Kind] = {
            "local": "local",
            "broadcast": "broadcast",
            "multicast": "multicast",
            "anycast": "local",
        }
        kind = kinds.get(route.type, "unicast")
        return RouteDecision(
            kind,
            oif=self._names.get(route.oif or 0, ""),
            gateway=route.gateway,
            table=rule.table,
            src=route.src,
            by=f"route {text}",
        )


def _asks_for_more(rule: PolicyRule) -> bool:
    """Whether a rule looks at anything but the destination."""
    return any((rule.iif, rule.oif, rule.src, rule.mark, rule.mask, rule.other))


def _refusal(name: str | None) -> Kind:
    match name:
        case "blackhole" | "unreachable" | "prohibit":
            return name
    return "unknown"


def _meets_conditions(
    rule: PolicyRule, dst: int, src: int | None, iif: str, mark: int | None
) -> bool | None:
    """Whether a packet meets a rule's conditions; None where that is not known."""
    results = list(_conditions_met(rule, dst, src, iif, mark))
    if False in results:
        return rule.invert
    return None if None in results else not rule.invert


def _conditions_met(
    rule: PolicyRule, dst: int, src: int | None, iif: str, mark: int | None
) -> Iterator[bool | None]:
    """For each condition of a rule whether the packet meets it; None where that is not known."""
    if rule.iif is not None:
        yield rule.iif == iif
    if rule.oif is not None:
        yield False
    if rule.dst is not None:
        yield _is_within(dst, rule.dst)
    if rule.src is not None:
        yield src is not None and _is_within(src, rule.src)
    if rule.mark is not None or rule.mask:
        mask = 0xFFFFFFFF if rule.mask is None else rule.mask
        yield None if mark is None else (mark ^ (rule.mark or 0)) & mask == 0
    if rule.other:
        yield False if "l3mdev" in rule.other else None


@functools.lru_cache(maxsize=1024)
def _span(network: str) -> tuple[int, int]:
    net = ip_network(network, strict=False)
    return int(net.network_address), int(net.broadcast_address)


def _is_within(number: int, network: str) -> bool:
    low, high = _span(network)
    return low <= number <= high
