"""The ways of a packet through one base chain, and through the chains that its rules enter.

A chain is walked once for each state in which packets enter it: chains that jump to each other
along many paths would take exponential time otherwise. After `MAX_STEPS` rules the verdict is
unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from diagnose.firewall.actions import Choose, Enter, Leave, Maybe, Stop, Translate
from diagnose.firewall.conditions import Unread, holds_any
from diagnose.firewall.verdict import Step
from diagnose.firewall.ways import (
    BaseChainEnds,
    Decided,
    Way,
    WaysOut,
    WayState,
    assigned,
    certain_first,
    merged,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.firewall.actions import Action, Assign
    from diagnose.firewall.packet import Packet
    from diagnose.firewall.rules import Chain, Rule, Ruleset

MAX_DEPTH = 64
"""Chains entered within each other; the kernel allows 16 in nftables, and iptables-legacy has no
loops."""

MAX_STEPS = 60_000
"""Rules asked in one walk, at some two microseconds each. The longest chains of real hosts are
found by an index and count as the few rules that may match.
"""

_TOO_LONG = Step("packet filter", "", f"more than {MAX_STEPS} rules to walk through")


class _RulePlace(msgspec.Struct, frozen=True):
    """A rule in its chain, and how many chains were entered to get there."""

    chain: Chain
    rule: Rule
    depth: int

    @property
    def step(self) -> Step:
        return Step(self.chain.label, self.chain.name, self.rule.text)


class ChainWalker:
    """The walk of one packet through the chains of a ruleset.

    It keeps the ends of each chain by the state in which the packet entered, and the number of
    rules that may still be evaluated.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._steps_left = MAX_STEPS
        self._ends_by_entry: dict[tuple[int, int, Translate | None], WaysOut] = {}
        self._entered: set[tuple[str, str]] = set()
        self._packets: dict[Packet, Packet] = {}

    def base_chain(self, chain: Chain, ways: Iterable[Way], *, nat_done: bool) -> BaseChainEnds:
        """The ends of all ways through one base chain."""
        ends = BaseChainEnds([], [])
        for way in ways:
            if chain.kind == "nat" and (nat_done or _is_translated_or_known(way)):
                ends.accepted.append(way)
                continue
            for outcome, end in self._through_base(chain, way):
                if outcome == "accept":
                    ends.accepted.append(end)
                else:
                    ends.stopped.append((outcome, end))
        return ends

    def _through_base(self, chain: Chain, way: Way) -> list[Decided]:
        """The ends of one way through a base chain. The policy decides where no rule does."""
        policy = Step(chain.label, chain.name, f"policy {chain.policy}")
        if not chain.rules:
            return [(chain.policy, Way(way.state, way.calls, policy, way.doubt))]
        ends = self._ways_through(chain, [way], 0)
        by_policy: list[Decided] = [
            (chain.policy, Way(end.state, end.calls, policy, end.doubt)) for end in ends.through
        ]
        return [*ends.decided, *by_policy]

    def _ways_through(self, chain: Chain, ways: list[Way], depth: int) -> WaysOut:
        """All ways through one chain and what it enters."""
        decided: list[Decided] = []
        returned: list[Way] = []
        packet = ways[0].state.packet
        for position in chain.candidates(packet):
            rule = chain.rules[position]
            self._steps_left -= len(ways)
            if self._steps_left < 0:
                decided += [("unknown", replace(way, last=_TOO_LONG)) for way in ways]
                return WaysOut(certain_first(decided), merged(returned))
            going_on: list[Way] = []
            for way in ways:
                matches = _matches(rule, way)
                if matches is False:
                    going_on.append(way)
                    continue
                if matches is None:
                    going_on.append(way)
                place = _RulePlace(chain, rule, depth)
                ends = self._ways_after_match(place, way, is_sure=matches is True)
                decided += ends.decided
                going_on += ends.through
                returned += ends.returned
            ways = merged(going_on)
            if not ways:
                break
        return WaysOut(certain_first(decided), merged(ways + returned))

    def _ways_after_match(self, place: _RulePlace, way: Way, *, is_sure: bool) -> WaysOut:
        """The ways on from a rule that matches, or may match."""
        rule = place.rule
        step = place.step
        state = (
            self._state_after_assignments(way.state, rule.assigns) if rule.assigns else way.state
        )
        doubt = way.doubt if is_sure else way.doubt or step
        return self._act(place, rule.action, Way(state, way.calls, step, doubt))

    def _act(self, place: _RulePlace, action: Action | None, way: Way) -> WaysOut:
        """The ways on from a rule, by its action."""
        match action:
            case None:
                return WaysOut(through=[way])
            case Stop(outcome):
                return WaysOut(decided=[(outcome, way)])
            case Leave():
                return WaysOut(returned=[way])
            case Translate():
                state = replace(translated(way.state, action), nat_by=place.step)
                return WaysOut(decided=[("accept", replace(way, state=state))])
            case Maybe():
                doubted = replace(way, doubt=way.doubt or place.step)
                return WaysOut(decided=[("unknown", doubted)], through=[way])
            case Enter(name, back):
                return self._jump(place, name, way, comes_back=back)
            case Choose():
                return self._choose(place, action, way)

    def _jump(self, place: _RulePlace, name: str, way: Way, *, comes_back: bool) -> WaysOut:
        """The ways out of a chain that a jump, or a goto without a way back, leads to."""
        chain = place.chain
        depth = place.depth
        entered = self._ruleset.chain(chain.table, name)
        is_loop = (chain.label, name) in self._entered
        if entered is None or depth >= MAX_DEPTH or is_loop:
            return WaysOut(decided=[("unknown", way)])
        ends = self._enter(entered, way, depth)
        return ends if comes_back else WaysOut(decided=ends.decided, returned=ends.through)

    def _enter(self, entered: Chain, way: Way, depth: int) -> WaysOut:
        """The ways out of a chain that a rule leads to, walked once for each state."""
        key = (id(entered), id(way.state.packet), way.state.nat)
        if key not in self._ends_by_entry and not entered.candidates(way.state.packet):
            return WaysOut(through=[way])
        if key not in self._ends_by_entry:
            name = (entered.label, entered.name)
            self._entered.add(name)
            self._ends_by_entry[key] = self._ways_through(entered, [Way(way.state)], depth + 1)
            self._entered.discard(name)
        ends = self._ends_by_entry[key]
        inside = way.path
        decided: list[Decided] = [
            (outcome, Way(end.state, inside + end.calls, end.last, way.doubt or end.doubt))
            for outcome, end in ends.decided
        ]
        through = [
            Way(end.state, way.calls, end.last or way.last, way.doubt or end.doubt)
            for end in ends.through
        ]
        return WaysOut(decided, through)

    def _choose(self, place: _RulePlace, choice: Choose, way: Way) -> WaysOut:
        """The ways that a verdict map opens.

        The first entry that certainly fits ends the search.
        """
        decided: list[Decided] = []
        through: list[Way] = []
        returned: list[Way] = []
        for values, action in choice.entries:
            fits = holds_any(choice.fields, (values,), way.state.packet)
            if fits is False:
                continue
            chosen = way if fits else replace(way, doubt=way.doubt or place.step)
            ends = self._act(place, action, chosen)
            decided += ends.decided
            through += ends.through
            returned += ends.returned
            if fits:
                return WaysOut(decided, through, returned)
        return WaysOut(decided, [*through, way], returned)

    def _state_after_assignments(self, state: WayState, assigns: tuple[Assign, ...]) -> WayState:
        """The state with the rule's assignments done.

        Equal packets are one object, so that they are compared quickly.
        """
        packet = assigned(state.packet, assigns)
        return replace(state, packet=self._packets.setdefault(packet, packet))


def _is_translated_or_known(way: Way) -> bool:
    """Whether chains of type nat do not see this way's packet."""
    return way.state.packet.state != "new" or way.state.nat is not None


def _matches(rule: Rule, way: Way) -> bool | None:
    """Whether a rule's conditions hold; None where one of them is not understood."""
    is_unsure = False
    for condition in rule.conditions:
        holds = None if isinstance(condition, Unread) else condition.holds(way.state.packet)
        if holds is False:
            return False
        is_unsure = is_unsure or holds is None
    return None if is_unsure else True
