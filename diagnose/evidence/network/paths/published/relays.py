"""Ports of this host that a rule of the administrator leads on to another machine."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.walks import ordinary_peer
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.actions import Translate
from diagnose.firewall.conditions import Match
from diagnose.firewall.docker import is_docker_chain
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.rules import Rule, Ruleset
from diagnose.firewall.trace import trace
from diagnose.firewall.values import Interval
from diagnose.registry import evidence

MOST = 20
"""Rules that are walked."""
Protocol = Literal["tcp", "udp"]


class Relay(msgspec.Struct, frozen=True):
    """A forwarded port, and the trace of an ordinary client's connection to it."""

    uplink: str
    port: int
    protocol: Protocol
    address: str
    to_port: int
    """address, to_port: the other machine, and its port."""
    rule: str
    trace: Trace


class Relays(Items[Relay], frozen=True):
    """The ports whose calls a rule forwards to a machine that is neither this host nor a container.

    A port that a container publishes too is none: the rule takes it away from the container.
    """


@evidence
def relays(host_stack: HostStack, containers: Containers, uplinks: Uplinks) -> Relays:
    """The ports that foreign rules forward to other machines.

    One trace for each rule and protocol shows whether the rule decides.
    """
    stack = host_stack.stack
    uplink = uplinks.preferred
    if uplink is None or uplink.address is None:
        return Relays(())
    inside = containers.addresses_in_use
    rules = [
        (rule, target)
        for rule, target in _translating_rules(stack.ruleset)
        if target not in inside and stack.is_local(target) is False
    ]
    published_places = {
        (published.protocol, published.host_port)
        for container in containers.running
        for published in container.published_ports
    }
    walked = (_walked_relays(stack, uplink, rule, target) for rule, target in rules[:MOST])
    return Relays(
        tuple(
            relay
            for several in walked
            for relay in several
            if (relay.protocol, relay.port) not in published_places
        )
    )


def _translating_rules(ruleset: Ruleset) -> Iterator[tuple[Rule, str]]:
    """The rules for IPv4 that lead a single port elsewhere, with the address."""
    for chain in ruleset.chains:
        is_of_others = not is_docker_chain(chain.label, chain.name) and chain.hook != "output"
        rules_of_others = (
            chain.rules if is_of_others and chain.table.family in ("ip", "inet") else ()
        )
        for rule in rules_of_others:
            target = _target(rule)
            if target:
                yield rule, target


def _target(rule: Rule) -> str:
    """The IPv4 address to which a rule forwards; empty where it does not forward."""
    action = rule.action
    if not isinstance(action, Translate) or action.kind != "dnat":
        return ""
    return action.address if action.address and ":" not in action.address else ""


def _walked_relays(stack: NetworkStack, uplink: Uplink, rule: Rule, target: str) -> Iterator[Relay]:
    """The connections that this rule forwards, each traced from an ordinary client."""
    port = _port_of(rule)
    protocols: tuple[Protocol, ...] = ("tcp", "udp") if port else ()
    for protocol in protocols:
        origin = Origin(uplink.name, ordinary_peer("ip"))
        traced = trace(stack, Flow(origin, uplink.address, protocol, port))
        is_by_it = traced.nat_by is not None and traced.nat_by.rule == rule.text
        if traced.nat is not None and is_by_it:
            to_port = traced.nat.port or port
            yield Relay(
                uplink.name,
                port,
                protocol=protocol,
                address=target,
                to_port=to_port,
                rule=rule.text,
                trace=traced,
            )


def _port_of(rule: Rule) -> int:
    """The first port that a rule is about; 0 where it names none."""
    for condition in rule.conditions:
        if isinstance(condition, Match) and condition.fields == ("dport",) and condition.among:
            value = condition.among[0][0]
            if isinstance(value, Interval) and not condition.negate:
                return value.low
    return 0
