"""Rules that let in a port, whether a packet comes to them or not. Pure."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import msgspec

from diagnose.firewall.actions import Leave, Stop
from diagnose.firewall.conditions import AnyOf, Match, Unread
from diagnose.firewall.docker import is_docker_chain
from diagnose.firewall.packet import Family, Packet
from diagnose.firewall.rules import Rule, Ruleset
from diagnose.firewall.values import Interval
from diagnose.firewall.verdict import Step
from diagnose.mappings import only

Subnet = IPv4Network | IPv6Network


_OF_CLIENT = frozenset({"src", "mac"})
"""The fields of a packet that differ between clients."""


class _Opening(msgspec.Struct, frozen=True):
    """A rule that lets in ports, at its place among all of them."""

    number: int
    rule: Rule
    step: Step


class AddressOpening(msgspec.Struct, frozen=True):
    """A rule that lets in a port of one address."""

    address: str
    step: Step
    is_for_some: bool
    """Whether it asks where the clients come from."""


class Openings:
    """The rules of a ruleset that let in the ports that they name, without Docker's own.

    Docker's name a container's port, which may be the host's port of another container.
    A host has one for each published port: they are kept by the port, so that asking for a hundred
    ports does not go through all rules a hundred times.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._by_port: dict[int, list[_Opening]] = {}
        self._wide: list[_Opening] = []
        for number, (rule, step) in enumerate(_rules_that_let_in(ruleset)):
            opening = _Opening(number, rule, step)
            ports = _single_ports(rule)
            for port in ports:
                self._by_port.setdefault(port, []).append(opening)
            if not ports:
                self._wide.append(opening)

    def first(self, proto: str, port: int, family: Family) -> Step | None:
        """The first rule that names this port and lets in some packets that are sent to it."""
        packet = Packet(
            iif=None,
            oif=None,
            src=None,
            dst=None,
            proto=proto,
            dport=port,
            family=family,
            dnat=None,
            mark=None,
            ctmark=None,
        )
        candidates = sorted((*self._by_port.get(port, ()), *self._wide), key=_number_of_opening)
        fitting = (opening.step for opening in candidates if _names_port(opening.rule, packet))
        return next(fitting, None)

    def at_addresses(
        self, proto: str, port: int, family: Family, subnet: Subnet, *, iif: str
    ) -> Iterator[AddressOpening]:
        """The rules that name this port of one address of a subnet.

        iif: where the clients come in.
        """
        for opening in self._by_port.get(port, ()):
            address = _single_destination(opening.rule, family)
            if address is None or address not in subnet:
                continue
            packet = Packet(
                iif=iif,
                oif=None,
                src=None,
                dst=str(address),
                proto=proto,
                dport=port,
                family=family,
                dnat=None,
                mark=None,
                ctmark=None,
            )
            if _names_port(opening.rule, packet):
                yield AddressOpening(str(address), opening.step, _is_for_some(opening.rule))


def _is_for_some(rule: Rule) -> bool:
    """Whether a rule asks where a packet comes from, or something that is not understood."""
    parts = [
        part
        for condition in rule.conditions
        for part in (condition.conditions if isinstance(condition, AnyOf) else (condition,))
    ]
    return any(
        isinstance(part, Unread)
        or (isinstance(part, Match) and not _OF_CLIENT.isdisjoint(part.fields))
        for part in parts
    )


def _single_destination(rule: Rule, family: Family) -> IPv4Address | IPv6Address | None:
    """The one address that a rule asks for as the destination."""
    for condition in rule.conditions:
        if not isinstance(condition, Match) or condition.negate or condition.fields != ("dst",):
            continue
        values = [value for (value,) in condition.among]
        single = only(values)
        if isinstance(single, Interval) and single.low == single.high:
            return IPv6Address(single.low) if family == "ip6" else IPv4Address(single.low)
    return None


def _number_of_opening(opening: _Opening) -> int:
    return opening.number


def _rules_that_let_in(ruleset: Ruleset) -> Iterator[tuple[Rule, Step]]:
    for chain in ruleset.chains:
        if is_docker_chain(str(chain.table), chain.name):
            continue
        for rule in chain.rules:
            if _lets_in(rule) and _asked_ports(rule):
                yield rule, Step(str(chain.table), chain.name, rule.text)


def _lets_in(rule: Rule) -> bool:
    action = rule.action
    return isinstance(action, Leave) or (isinstance(action, Stop) and action.outcome == "accept")


def _asked_ports(rule: Rule) -> Sequence[Match]:
    """The conditions that ask for a port."""
    return [
        condition
        for condition in rule.conditions
        if isinstance(condition, Match) and "dport" in condition.fields and not condition.negate
    ]


def _single_ports(rule: Rule) -> set[int]:
    """The ports that a rule asks for one by one; none where it also asks for them otherwise."""
    values = [
        value[0] if condition.fields == ("dport",) else None
        for condition in _asked_ports(rule)
        for value in condition.among
    ]
    single = {
        value.low for value in values if isinstance(value, Interval) and value.low == value.high
    }
    return single if len(single) == len(set(values)) else set()


def _names_port(rule: Rule, packet: Packet) -> bool:
    """Whether a condition of the rule asks for the packet's port, and no other one refuses it."""
    asks = any(condition.holds(packet) for condition in _asked_ports(rule))
    refuses = any(
        not isinstance(condition, Unread) and condition.holds(packet) is False
        for condition in rule.conditions
    )
    return asks and not refuses
