"""Published ports whose clients a limit of the packet filter drops now."""

import re
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.paths.packet_paths import InboundPath, PacketPaths
from diagnose.evidence.network.paths.walks import ordinary_peer
from diagnose.evidence.network.rules.dropping_rules import (
    DroppingRule,
    DroppingRules,
    is_over_limit,
    lets_pass_few,
)
from diagnose.firewall.actions import Leave
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.rules import Rule, Ruleset
from diagnose.firewall.trace import trace
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.network import ListConnections
from diagnose.registry import evidence

_MOST_PORTS = 3
"""Ports whose connections are counted: each is a walk over the kernel's table."""
_PAST = Rule("-j RETURN", action=Leave())
"""A rule that leads packets past a limit."""
_CONNECTIONS = LazyPattern(r"--connlimit-above (?P<most>\d+)", re.ASCII)


class BusyClient(msgspec.Struct, frozen=True):
    """A client with as many connections as a limit allows."""

    address: str
    connections: int


class LimitedPath(msgspec.Struct, frozen=True):
    """A limit that drops packets now, and the published ports whose clients meet it."""

    rule: DroppingRule
    inbound_paths: tuple[InboundPath, ...]
    most: int = 0
    """Connections that it allows to one address, 0 where it limits something else."""
    busy: tuple[BusyClient, ...] = ()
    """The clients that have reached it, the busiest first."""
    goes_on: bool = False
    """Whether packets that leave the chain ahead of the limit (RETURN) reach the container; a
    built-in chain may drop them by its policy."""

    @property
    def ports(self) -> list[int]:
        return sorted({inbound.host_port for inbound in self.inbound_paths})


class LimitedPaths(Items[LimitedPath], frozen=True):
    """The limited paths, in the order of the rules."""

    uncounted: bool = False
    """Whether there are rules whose counters are not read."""


@evidence
def limited_paths(
    host: Host,
    dropping_rules: DroppingRules,
    packet_paths: PacketPaths,
    host_stack: HostStack,
    links: Interfaces,
) -> LimitedPaths:
    """The limits that drop packets to published ports now.

    Each published port is traced once more, as if the limit were used up. A rule whose counter does
    not rise meanwhile is left out.
    """
    paths = []
    for rule in dropping_rules:
        if not rule.within or not rule.is_limit:
            continue
        stack = host_stack.stack
        exceeded = replace(stack, ruleset=_beyond_limits(stack.ruleset, rule))
        inbound_paths = tuple(
            inbound
            for inbound in (*packet_paths.inbound_paths, *packet_paths.inbound_paths6)
            if _is_dropped(exceeded, inbound, rule)
        )
        if inbound_paths:
            past = replace(stack, ruleset=_beyond_limits(stack.ruleset, rule, _PAST))
            goes_on = all(_walk(past, inbound).outcome == "accept" for inbound in inbound_paths)
            path = LimitedPath(rule, inbound_paths, goes_on=goes_on)
            paths.append(_with_clients(host, path, links))
    return LimitedPaths(tuple(paths), dropping_rules.uncounted)


def _beyond_limits(ruleset: Ruleset, limited: DroppingRule, *ahead: Rule) -> Ruleset:
    """The rules as packets meet them that are beyond the limits of one chain.

    ahead: rules that are written ahead of the limit.
    """
    chain_rules = limited.chain.rules
    written = (*chain_rules[: limited.at], *ahead, *chain_rules[limited.at :])
    rules = tuple(map(_rule_beyond_limit, filter(_takes_more, written)))
    changed = replace(limited.chain, rules=rules)
    chains = (changed if chain is limited.chain else chain for chain in ruleset.chains)
    return Ruleset(tuple(chains), ruleset.unread)


def _takes_more(rule: Rule) -> bool:
    return not lets_pass_few(rule)


def _rule_beyond_limit(rule: Rule) -> Rule:
    conditions = (condition for condition in rule.conditions if not is_over_limit(condition))
    return replace(rule, conditions=tuple(conditions))


def _is_dropped(stack: NetworkStack, inbound: InboundPath, rule: DroppingRule) -> bool:
    """Whether this rule stops an ordinary client of a published port."""
    traced = _walk(stack, inbound)
    return traced.is_blocked and traced.by == rule.step


def _walk(stack: NetworkStack, inbound: InboundPath) -> Trace:
    """An ordinary client of a published port."""
    protocol = inbound.port.partition("/")[2]
    origin = Origin(inbound.uplink.name, ordinary_peer(inbound.family))
    flow = Flow(origin, inbound.host_address, protocol, inbound.host_port, inbound.family)
    return trace(stack, flow)


def _with_clients(host: Host, path: LimitedPath, links: Interfaces) -> LimitedPath:
    """The path with the clients that have as many connections as the limit allows."""
    limit = _CONNECTIONS.search(path.rule.rule.text)
    if limit is None:
        return path
    family: Literal["inet", "inet6"] = "inet"
    if path.rule.chain.table.family == "ip6":
        family = "inet6"
    sources: Counter[str] = Counter()
    for _, table in host.ask_about(
        path.ports[:_MOST_PORTS],
        lambda port: ListConnections(family=family, protocol="tcp", dport=port),
    ):
        if not isinstance(table, Failed):
            sources.update(flow.src for flow in table.entries if not links.holds(flow.src))
    most = int(limit["most"])
    clients = (BusyClient(address, count) for address, count in sources.most_common())
    busy = tuple(client for client in clients if client.connections >= max(most, 1))
    return replace(path, most=most, busy=busy)


def near(clients: Iterable[BusyClient]) -> list[BusyClient]:
    """The clients that are not of the internet: proxies, offices, machines of a LAN."""
    return [client for client in clients if not ip_address(client.address).is_global]
