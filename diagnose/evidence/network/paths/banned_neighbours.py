"""Machines of the host's own network that a ban list keeps from published ports."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.paths.packet_paths import Ingress, PacketPaths
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.rules import Chain
from diagnose.firewall.stack import Stack
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

MOST = 200
"""Connections that are walked: neighbours times ports."""
_BAN_LIST = LazyPattern(
    r"\bf2b-|fail2ban|crowdsec|sshguard|\bcsf\b|denyip|blacklist|blocklist|\bban(?:s|ned|list)?\b",
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
    left_out: int = 0
    """Further ones, beyond `MOST`."""


@evidence
def banned_neighbours(
    host_stack: HostStack, packet_paths: PacketPaths, neighbours: Neighbours
) -> BannedNeighbours:
    """Pure: each neighbour of the ARP table is walked to each port that others may reach.

    Nothing is walked where no rule belongs to a ban list.
    """
    if not _bans_anybody(host_stack.stack):
        return BannedNeighbours(())
    inlets = [inlet for inlet in packet_paths.inlets if inlet.sample.outcome == "accept"]
    pairs = [
        (entry.address, inlet)
        for entry in neighbours
        for inlet in inlets
        if entry.interface == inlet.uplink.name and not entry.is_unanswered
    ]
    banned: dict[tuple[str, Step], list[Ingress]] = {}
    for address, inlet in pairs[:MOST]:
        by = _banned_by(host_stack.stack, address, inlet)
        if by is not None:
            banned.setdefault((address, by), []).append(inlet)
    items = tuple(
        BannedNeighbour(address, by, tuple(shut), _number(host_stack.stack, by))
        for (address, by), shut in banned.items()
    )
    return BannedNeighbours(items, len(pairs[:MOST]), len(pairs[MOST:]))


def _bans_anybody(stack: Stack) -> bool:
    """Whether a rule belongs to a ban list, by its own text or by the name of its chain."""
    return any(_has_bans(chain) for chain in stack.ruleset.chains)


def _has_bans(chain: Chain) -> bool:
    """Whether a chain with rules is a ban list by its name, or leads to one."""
    texts = (rule.text for rule in chain.rules)
    return bool(chain.rules) and (_is_ban(chain.label, chain.name) or _is_ban(*texts))


def _banned_by(stack: Stack, address: str, inlet: Ingress) -> Step | None:
    """The rule of a ban list that stops an address on its way to a published port."""
    protocol = inlet.port.partition("/")[2]
    origin = Origin(inlet.uplink.name, address)
    traced = trace(stack, Flow(origin, inlet.host_address, protocol, inlet.host_port))
    if traced.by is None or not traced.is_blocked or traced.obstacle is None:
        return None
    is_ban = _is_ban(traced.by.table, traced.by.chain, traced.by.rule)
    return traced.by if is_ban and traced.obstacle.reason == "rule" else None


def _is_ban(*texts: str) -> bool:
    return any(_has_mark(text.lower()) and _BAN_LIST.search(text) for text in texts)


def _has_mark(lowered: str) -> bool:
    return any(mark in lowered for mark in _MARKS)


def _number(stack: Stack, by: Step) -> int | None:
    for chain in stack.ruleset.chains:
        if (chain.label, chain.name) == (by.table, by.chain):
            texts = [rule.text for rule in chain.rules]
            return texts.index(by.rule) + 1 if by.rule in texts else None
    return None
