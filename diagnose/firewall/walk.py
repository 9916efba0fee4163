"""A packet's way through the base chains of one hook, to a verdict.

The kernel's rules: every base chain on the hook sees the packet, in the order of their priorities, and an
accept in one does not protect it from a drop in the next. Chains of type nat see only the first packet of a
connection, and the first translation wins. A condition that is not understood makes two ways; the verdict is
`unknown` only where they end differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from diagnose.firewall.rules import (
    Assign,
    Choose,
    Enter,
    Leave,
    Maybe,
    Stop,
    Translate,
    Unread,
    holds_any,
)

if TYPE_CHECKING:
    from diagnose.firewall.rules import Action, Chain, Hook, Outcome, Packet, Rule, Ruleset

MAX_DEPTH = 64
"""Chains entered within each other; the kernel allows 16 in nftables, and iptables-legacy has no loops."""


class Step(NamedTuple):
    """One rule, or one policy, on a packet's way; `str()` is what a report shows."""

    table: str
    chain: str
    rule: str

    def __str__(self) -> str:
        return f"{self.table} {self.chain}: {self.rule}"


class PacketVerdict(msgspec.Struct, frozen=True):
    """What becomes of the packet on this hook, what decided it, and the packet as it leaves.

    `by` is the deciding rule of a drop or reject, the rule that is not understood of an unknown, the last
    accept otherwise (None where no base chain is on the hook). `path` holds every matching rule up to there.
    `nat` is the translation, None without one; `nat_unknown` says that it hangs on a condition that is not
    understood.
    """

    outcome: Outcome
    by: Step | None
    path: tuple[Step, ...]
    nat: Translate | None
    packet: Packet
    nat_unknown: bool = False


class _State(NamedTuple):
    """What later rules can see of a way: ways that agree in it are one."""

    packet: Packet
    nat: Translate | None = None


class _Way(NamedTuple):
    state: _State
    path: tuple[Step, ...]
    doubt: Step | None = None


class _Ends(NamedTuple):
    """The ways out of a chain: those that are decided, and those that fall through its end."""

    decided: list[tuple[Outcome, _Way]]
    through: list[_Way]


def walk(ruleset: Ruleset, hook: Hook, packet: Packet) -> PacketVerdict:
    """The verdict on a packet of all base chains of a hook; pure, and linear in the rules that the packet
    meets.
    """
    ways = [_Way(_State(packet), ())]
    blocked: list[tuple[Outcome, _Way]] = []
    for chain in ruleset.base_chains(hook, packet.family):
        accepted: list[_Way] = []
        for way in ways:
            if chain.kind == "nat" and (way.state.packet.state != "new" or way.state.nat is not None):
                accepted.append(way)
                continue
            ends = _through(ruleset, chain, [way], 0)
            policy = Step(str(chain.table), chain.name, f"policy {chain.policy}")
            ended = ends.decided + [(chain.policy, _stepped(each, policy)) for each in ends.through]
            accepted += [each for outcome, each in ended if outcome == "accept"]
            blocked += [(outcome, each) for outcome, each in ended if outcome != "accept"]
        ways = _merged(accepted)
    return _judged(ruleset, ways, blocked)


def _judged(ruleset: Ruleset, passed: list[_Way], blocked: list[tuple[Outcome, _Way]]) -> PacketVerdict:
    if not passed and blocked and all(outcome != "unknown" for outcome, _ in blocked):
        outcome, way = min(blocked, key=lambda each: each[1].doubt is not None)
        return PacketVerdict(outcome, way.path[-1], way.path, way.state.nat, way.state.packet)
    if blocked:
        way = blocked[0][1]
        state = passed[0].state if passed else way.state
        return PacketVerdict("unknown", way.doubt or way.path[-1], way.path, state.nat, state.packet)
    way = min(passed, key=lambda each: each.doubt is not None)
    unsure = len({each.state.nat for each in passed}) > 1
    by = way.path[-1] if way.path else None
    if ruleset.unread:
        by = Step(ruleset.unread[0], "", "could not be read")
        return PacketVerdict("unknown", by, way.path, way.state.nat, way.state.packet, nat_unknown=True)
    return PacketVerdict("accept", by, way.path, way.state.nat, way.state.packet, nat_unknown=unsure)


def _through(ruleset: Ruleset, chain: Chain, ways: list[_Way], depth: int) -> _Ends:
    """All ways through one chain and what it enters."""
    decided: list[tuple[Outcome, _Way]] = []
    returned: list[_Way] = []
    for rule in chain.rules:
        going_on: list[_Way] = []
        for way in ways:
            matches, doubt = _matches(rule, chain, way)
            if matches is not True:
                going_on.append(way)
            if matches is False:
                continue
            taken = _stepped(_assigned(way, rule.assigns), _step(chain, rule), doubt)
            ends, left = _act(ruleset, chain, rule, rule.action, taken, depth)
            decided += ends.decided
            going_on += ends.through
            returned += left
        ways = _merged(going_on)
        if not ways:
            break
    return _Ends(_first_of_each(decided), _merged(ways + returned))


def _act(
    ruleset: Ruleset, chain: Chain, rule: Rule, action: Action | None, way: _Way, depth: int
) -> tuple[_Ends, list[_Way]]:
    """What a matching rule does: the ways it decides, those that go on in this chain, and those that leave
    it.
    """
    match action:
        case None:
            return _Ends([], [way]), []
        case Stop(outcome):
            return _Ends([(outcome, way)], []), []
        case Leave():
            return _Ends([], []), [way]
        case Translate():
            return _Ends([("accept", way._replace(state=_translated(way.state, action)))], []), []
        case Maybe():
            step = _step(chain, rule)
            return _Ends([("unknown", way._replace(doubt=way.doubt or step))], [way]), []
        case Enter(name, back):
            entered = ruleset.chain(chain.table, name)
            if entered is None or depth >= MAX_DEPTH:
                return _Ends([("unknown", way)], []), []
            ends = _through(ruleset, entered, [way], depth + 1)
            return (ends, []) if back else (_Ends(ends.decided, []), ends.through)
        case Choose():
            return _choose(ruleset, chain, rule, action, way, depth)


def _choose(
    ruleset: Ruleset, chain: Chain, rule: Rule, choice: Choose, way: _Way, depth: int
) -> tuple[_Ends, list[_Way]]:
    """The ways that a verdict map opens: the first entry that surely fits ends the search."""
    decided: list[tuple[Outcome, _Way]] = []
    through: list[_Way] = []
    returned: list[_Way] = []
    certain = False
    for values, action in choice.entries:
        found = holds_any(choice.fields, (values,), way.state.packet)
        if found is False:
            continue
        taken = way if found else way._replace(doubt=way.doubt or _step(chain, rule))
        ends, left = _act(ruleset, chain, rule, action, taken, depth)
        decided += ends.decided
        through += ends.through
        returned += left
        if found:
            certain = True
            break
    if not certain:
        through.append(way)
    return _Ends(decided, through), returned


def _matches(rule: Rule, chain: Chain, way: _Way) -> tuple[bool | None, Step | None]:
    """Whether a rule's conditions hold, and the doubt on this way if that cannot be told."""
    unsure = False
    for condition in rule.conditions:
        holds = None if isinstance(condition, Unread) else condition.holds(way.state.packet)
        if holds is False:
            return False, None
        unsure = unsure or holds is None
    return (None, _step(chain, rule)) if unsure else (True, None)


def _step(chain: Chain, rule: Rule) -> Step:
    return Step(str(chain.table), chain.name, rule.text)


def _stepped(way: _Way, step: Step, doubt: Step | None = None) -> _Way:
    return _Way(way.state, (*way.path, step), way.doubt or doubt)


def _assigned(way: _Way, assigns: tuple[Assign, ...]) -> _Way:
    for assign in assigns:
        changed = _set(way.state.packet, assign)
        way = way._replace(state=way.state._replace(packet=changed))
    return way


def _set(packet: Packet, assign: Assign) -> Packet:
    match assign:
        case Assign("mark", int() | None as number):
            return replace(packet, mark=number)
        case Assign("ctmark", int() | None as number):
            return replace(packet, ctmark=number)
        case Assign("state", str() | None as state):
            return replace(packet, state=state)
    return packet


def _translated(state: _State, nat: Translate) -> _State:
    packet = replace(
        state.packet,
        orig_src=state.packet.orig_src or state.packet.src,
        orig_dst=state.packet.orig_dst or state.packet.dst,
        orig_sport=state.packet.orig_sport or state.packet.sport,
        orig_dport=state.packet.orig_dport or state.packet.dport,
    )
    port = nat.port or packet.dport
    match nat.kind:
        case "dnat":
            changed = replace(packet, dst=nat.address or packet.dst, dport=port, dst_local=None, dnat=True)
        case "redirect":
            changed = replace(packet, dst=None, dport=port, dst_local=True, dnat=True)
        case "snat" | "masquerade":
            changed = replace(packet, src=nat.address, sport=None, src_local=True, snat=True)
    return _State(changed, nat)


def _merged(ways: list[_Way]) -> list[_Way]:
    """One way of each state, a certain one where there is one."""
    if len(ways) < 2:
        return ways
    kept: dict[_State, _Way] = {}
    for way in ways:
        known = kept.get(way.state)
        if known is None or (known.doubt and not way.doubt):
            kept[way.state] = way
    return list(kept.values())


def _first_of_each(decided: list[tuple[Outcome, _Way]]) -> list[tuple[Outcome, _Way]]:
    if len(decided) < 2:
        return decided
    kept: dict[tuple[Outcome, _State], _Way] = {}
    for outcome, way in decided:
        known = kept.get((outcome, way.state))
        if known is None or (known.doubt and not way.doubt):
            kept[outcome, way.state] = way
    return [(outcome, way) for (outcome, _), way in kept.items()]
