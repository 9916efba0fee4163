"""Rules that let in a port, whether a packet comes to them or not. Pure."""

from __future__ import annotations

from diagnose.firewall.actions import Leave, Stop
from diagnose.firewall.conditions import Match, Unread
from diagnose.firewall.packet import Family, Packet
from diagnose.firewall.rules import Rule, Ruleset
from diagnose.firewall.verdict import Step


def opening(ruleset: Ruleset, proto: str, port: int, family: Family) -> Step | None:
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
    for chain in ruleset.chains:
        for rule in chain.rules:
            if _lets_in(rule) and _names_port(rule, packet):
                return Step(str(chain.table), chain.name, rule.text)
    return None


def _lets_in(rule: Rule) -> bool:
    action = rule.action
    return isinstance(action, Leave) or (isinstance(action, Stop) and action.outcome == "accept")


def _names_port(rule: Rule, packet: Packet) -> bool:
    """Whether a condition of the rule asks for the packet's port, and no other one refuses it."""
    asks = any(
        isinstance(condition, Match)
        and "dport" in condition.fields
        and not condition.negate
        and condition.holds(packet)
        for condition in rule.conditions
    )
    refuses = any(
        not isinstance(condition, Unread) and condition.holds(packet) is False
        for condition in rule.conditions
    )
    return asks and not refuses
