"""A packet's way through the base chains of one hook, to a verdict.

The kernel's rules: every base chain on the hook sees the packet, in the order of their priorities,
and an accept in one does not protect it from a drop in the next. Chains of type nat see only the
first packet of a connection, and the first translation wins; they run at the priority of
translation, whatever their own. A condition that is not understood makes two ways; the verdict is
`unknown` only where they end differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from diagnose.firewall.chain_walk import ChainWalker
from diagnose.firewall.verdict import PacketVerdict, Step
from diagnose.firewall.ways import Decided, Way, WayState, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.firewall.packet import Hook, Layer, Packet
    from diagnose.firewall.rules import Chain, Ruleset

_TRACKING_PRIORITY = -200
"""Where conntrack stands on the prerouting and output hooks; chains before it see no state."""
_TRACKING_HOOKS = frozenset({"prerouting", "output"})
_UNDO_PRIORITY = -100
"""NF_IP_PRI_NAT_DST: where a reply's translated destination becomes the original one again on the
prerouting hook."""


def walk(
    ruleset: Ruleset,
    hook: Hook,
    packet: Packet,
    *,
    layer: Layer = "inet",
    device: str = "",
    undo: Mapping[str, Any] | None = None,
    nat_done: bool = False,
) -> PacketVerdict:
    """The verdict on a packet of all base chains of a hook; pure.

    layer: whose hook it is; device: the interface, where it is one of netdev's. undo: the fields of
    a reply that translation restores on this hook. nat_done: whether the connection's translation
    was decided on an earlier hook. Replies, and what the input chains decide, are remembered: they
    differ in addresses and ports that no rule asks for.
    """
    if layer == "netdev":
        chains = ruleset.device_chains(hook, device)
    else:
        chains = ruleset.base_chains(hook, packet.family if layer == "inet" else layer)
    is_known = packet.reply or packet.state == "established"
    if undo is not None or not (is_known or hook == "input"):
        return _verdict_of_chains(ruleset, chains, packet, undo, nat_done=nat_done)
    key = (hook, layer, device, nat_done, ruleset.unread_apart(packet, chains))
    verdict_before = ruleset.remembered.get(key)
    if verdict_before is not None:
        return replace(verdict_before, packet=packet)
    verdict = _verdict_of_chains(ruleset, chains, packet, None, nat_done=nat_done)
    if verdict.packet is packet:
        ruleset.remembered[key] = verdict
    return verdict


def _verdict_of_chains(
    ruleset: Ruleset,
    chains: Sequence[Chain],
    packet: Packet,
    undo: Mapping[str, Any] | None,
    *,
    nat_done: bool,
) -> PacketVerdict:
    """The verdict of these chains, in their order of priority, over all ways that are possible."""
    walker = ChainWalker(ruleset)
    ways = [Way(WayState(packet))]
    blocked: list[Decided] = []
    early_chains = _chains_before_conntrack(ruleset, chains, packet)
    ways_are_before = False
    for chain in chains:
        if undo and chain.priority >= _UNDO_PRIORITY:
            ways = [_untranslated_way(way, undo) for way in ways]
            undo = None
        is_before = any(chain is other for other in early_chains)
        if is_before != ways_are_before:
            ways = [way.with_packet(before_tracking=is_before) for way in ways]
            ways_are_before = is_before
        ends = walker.base_chain(chain, ways, nat_done=nat_done)
        blocked += ends.stopped
        ways = merged(ends.accepted)
    if ways_are_before:
        ways = [way.with_packet(before_tracking=False) for way in ways]
    if undo:
        ways = [way.with_packet(**undo) for way in ways]
    return _verdict_on(ruleset, ways, blocked)


def _untranslated_way(way: Way, undo: Mapping[str, Any]) -> Way:
    """The way with what conntrack restores, of a packet that it knows."""
    is_tracked = way.state.packet.state != "untracked"
    return way.with_packet(**undo) if is_tracked else way


def _chains_before_conntrack(
    ruleset: Ruleset, chains: Sequence[Chain], packet: Packet
) -> Sequence[Chain]:
    """The chains that this packet meets before conntrack; none where their rules do not care.

    A packet that comes in by lo has been tracked on its way out.
    """
    early_chains = [
        chain
        for chain in chains
        if chain.hook in _TRACKING_HOOKS and chain.priority < _TRACKING_PRIORITY
    ]
    is_tracked = packet.iif == "lo" or not early_chains or not ruleset.ask_for_state(early_chains)
    return () if is_tracked else early_chains


def _verdict_on(ruleset: Ruleset, passed: list[Way], blocked: list[Decided]) -> PacketVerdict:
    """The verdict on all ways: certain only where they end in the same way."""
    if blocked and not passed and all(outcome != "unknown" for outcome, _ in blocked):
        outcome, way = min(blocked, key=lambda end: not end[1].is_sure)
        return PacketVerdict(outcome, way.last, way.path, way.state.nat, way.state.packet)
    if blocked:
        _, way = blocked[0]
        state = passed[0].state if passed else way.state
        return PacketVerdict("unknown", way.doubt or way.last, way.path, state.nat, state.packet)
    way = min(passed, key=lambda passing: not passing.is_sure)
    state = way.state
    if ruleset.unread:
        unread = Step(
            table="", chain="", rule=f"the rules of {ruleset.unread[0]}, which could not be read"
        )
        return PacketVerdict("unknown", unread, way.path, state.nat, state.packet, nat_unknown=True)
    translations = {passing.state.nat for passing in passed}
    return PacketVerdict(
        "accept",
        way.last,
        way.path,
        state.nat,
        state.packet,
        nat_unknown=len(translations) > 1,
        nat_by=state.nat_by,
    )
