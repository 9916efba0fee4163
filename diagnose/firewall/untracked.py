"""Rules that keep packets out of connection tracking, and so out of translation."""

from collections.abc import Iterable

from diagnose.firewall.actions import Assign
from diagnose.firewall.conditions import Unread
from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Chain, Rule
from diagnose.firewall.verdict import Step
from diagnose.mappings import first_of

_UNTRACKS = Assign("state", "untracked")


def untracked(chains: Iterable[Chain], packet: Packet) -> Step | None:
    """The first rule on the prerouting hook that leaves packets of this kind untracked.

    One that certainly does comes before one that may. None where there is none. Guides for busy
    servers advise such rules (`-j CT --notrack`, once `-j NOTRACK`, and `notrack` of nftables).
    Chains that others lead to are not looked at.
    """
    rules = [
        (_rule_matches(rule, packet), Step(chain.label, chain.name, rule.text))
        for chain in chains
        if chain.hook == "prerouting" and chain.table.family in (packet.family, "inet")
        for rule in chain.rules
        if _UNTRACKS in rule.assigns
    ]
    certain = [step for matches, step in rules if matches]
    possible = [step for matches, step in rules if matches is None]
    return first_of(certain + possible, None)


def untracked_dns(chains: Iterable[Chain], bridge: str) -> Step | None:
    """The first rule that leaves IPv4 queries from a bridge to a server elsewhere untracked."""
    query = Packet(
        bridge, oif="", src=None, dst=None, proto="udp", dport=53, dst_local=False, src_local=False
    )
    return untracked(chains, query)


def _rule_matches(rule: Rule, packet: Packet) -> bool | None:
    """Whether all conditions of a rule hold for a packet; None where that is left open."""
    answers = [
        None if isinstance(condition, Unread) else condition.holds(packet)
        for condition in rule.conditions
    ]
    if False in answers:
        return False
    return None if None in answers else True
