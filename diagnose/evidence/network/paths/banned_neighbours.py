"""Machines of the host's own network that a ban list keeps from published ports."""

from __future__ import annotations

import itertools
import re

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.paths.packet_paths import Ingress, PacketPaths
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.rules import Chain
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

MOST = 200
"""Connections that are walked: neighbours times ports."""
_BAN_LIST = LazyPattern(
    r"\bf2b-|fail2ban|crowdsec|sshguard|csf|denyip|blacklist|blocklist|\bban(?:s|ned|list)?\b",
    re.IGNORECASE,
)
"""The names that programs give the chains, tables and sets of addresses that they ban."""
_MARKS = ("ban", "blacklist", "blocklist", "crowdsec", "csf", "denyip", "f2b-", "sshguard")
"""Such a name has one of these. Every rule of a host is looked at, and to look for all of them
takes a tenth of what the pattern takes."""


class BannedNeighbour(msgspec.Struct, frozen=True):
    """A machine on the uplink's network, and the ports that a ban list keeps it from.

    number: the place of the rule in its chain, from 1; None where it is not known.
    """

    address: str
    by: Step
    inlets: tuple[Ingress, ...]
    number: int | None = None


class BannedNeighbours(Items[BannedNeighbour], frozen=True):
    """Those that are banned."""

    walked: int = 0
    """Connections of neighbours to published ports that were walked."""


@evidence
def banned_neighbours(
    host_stack: HostStack, packet_paths: PacketPaths, neighbours: Neighbours
) -> BannedNeighbours:
    """Pure: each neighbour of the ARP table is walked to each port that others may reach.

    Nothing is walked where no rule belongs to a ban list.
    """
    stack = host_stack.stack
    chains = stack.ruleset.chains
    if not any(_has_bans(chain) for chain in chains):
        return BannedNeighbours(())
    inlets = [inlet for inlet in packet_paths.inlets if inlet.sample.outcome == "accept"]
    connections = (
        (entry.address, inlet)
        for entry in neighbours
        for inlet in inlets
        if entry.interface == inlet.uplink.name and not entry.is_unanswered
    )
    pairs = list(itertools.islice(connections, MOST))
    banned: dict[tuple[str, Step], list[Ingress]] = {}
    for address, inlet in pairs:
        proto = inlet.port.partition("/")[2]
        origin = Origin(inlet.uplink.name, address)
        traced = trace(stack, Flow(origin, inlet.host_address, proto, inlet.host_port))
        by = traced.by
        is_ruled = traced.obstacle is not None and traced.obstacle.reason == "rule"
        if (
            by is not None
            and is_ruled
            and traced.is_blocked
            and _is_ban(by.table, by.chain, by.rule)
        ):
            banned.setdefault((address, by), []).append(inlet)
    items = tuple(
        BannedNeighbour(address, by, tuple(kept), _number(host_stack, by))
        for (address, by), kept in banned.items()
    )
    return BannedNeighbours(items, len(pairs))


def _has_bans(chain: Chain) -> bool:
    """Whether a chain with rules is a ban list by its name, or leads to one."""
    texts = (rule.text for rule in chain.rules)
    return bool(chain.rules) and (_is_ban(chain.label, chain.name) or _is_ban(*texts))


def _is_ban(*texts: str) -> bool:
    return any(_has_mark(text.lower()) and _BAN_LIST.search(text) for text in texts)


def _has_mark(lowered: str) -> bool:
    return any(mark in lowered for mark in _MARKS)


def _number(host_stack: HostStack, by: Step) -> int | None:
    for chain in host_stack.stack.ruleset.chains:
        if (chain.label, chain.name) == (by.table, by.chain):
            texts = [rule.text for rule in chain.rules]
            return texts.index(by.rule) + 1 if by.rule in texts else None
    return None
