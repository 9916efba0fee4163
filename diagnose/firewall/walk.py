"""A packet's way through the base chains of one hook, to a verdict.

The kernel's rules: every base chain on the hook sees the packet, in the order of their priorities,
and an accept in one does not protect it from a drop in the next. Chains of type nat see only the
first packet of a connection, and the first translation wins; they run at the priority of
translation, whatever their own. A condition that is not understood makes two ways; the verdict is
`unknown` only where they end differently.

A chain is walked once for each state in which packets enter it: chains that jump to each other
along many paths would take exponential time otherwise. After `MAX_STEPS` rules the verdict is
unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from diagnose.firewall.actions import Assign, Choose, Enter, Leave, Maybe, Stop, Translate
from diagnose.firewall.conditions import Unread, holds_any
from diagnose.firewall.verdict import PacketVerdict, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from diagnose.firewall.actions import Action
    from diagnose.firewall.packet import Hook, Layer, Outcome, Packet
    from diagnose.firewall.rules import Chain, Rule, Ruleset

MAX_DEPTH = 64
"""Chains entered within each other; the kernel allows 16 in nftables, and iptables-legacy has no
loops."""

MAX_STEPS = 60_000
"""Rules asked in one walk, at some two microseconds each. The longest chains of real hosts are
found by an index and count as the few rules that may match.
"""

_TRACKING_PRIORITY = -200
"""Where conntrack stands on the prerouting and output hooks; chains before it see no state."""
_TRACKING_HOOKS = frozenset({"prerouting", "output"})
_UNDO_PRIORITY = -100
"""NF_IP_PRI_NAT_DST: where a reply's translated destination becomes the original one again on the
prerouting hook."""


_TOO_LONG = Step("packet filter", "", f"more than {MAX_STEPS} rules to walk through")


class _State(NamedTuple):
    """What later rules can see of a way: ways that agree in it are one.

    nat_by: the rule that translates.
    """

    packet: Packet
    nat: Translate | None = None
    nat_by: Step | None = None


class _Way(NamedTuple):
    """One way so far.

    Its state, the jumps it is in, the last rule that matched, and the first doubt.
    """

    state: _State
    calls: tuple[Step, ...] = ()
    last: Step | None = None
    doubt: Step | None = None

    @property
    def path(self) -> tuple[Step, ...]:
        return self.calls if self.last is None else (*self.calls, self.last)


class _Ends(NamedTuple):
    """The ways out of a chain: those that are decided, and those that fall through its end."""

    decided: list[tuple[Outcome, _Way]]
    through: list[_Way]


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
        chains = ruleset.base_chains(hook, "bridge" if layer == "bridge" else packet.family)
    if undo is not None or not (packet.reply or hook == "input"):
        return _walked(ruleset, chains, packet, undo, nat_done=nat_done)
    key = (hook, layer, device, nat_done, ruleset.unread_apart(packet, chains))
    verdict_before = ruleset.remembered.get(key)
    if verdict_before is not None:
        return replace(verdict_before, packet=packet)
    verdict = _walked(ruleset, chains, packet, None, nat_done=nat_done)
    if verdict.packet is packet:
        ruleset.remembered[key] = verdict
    return verdict


def _walked(
    ruleset: Ruleset,
    chains: Sequence[Chain],
    packet: Packet,
    undo: Mapping[str, Any] | None,
    *,
    nat_done: bool,
) -> PacketVerdict:
    walker = _Walker(ruleset)
    ways = [_Way(_State(packet))]
    blocked: list[tuple[Outcome, _Way]] = []
    early = _before_conntrack(ruleset, chains, packet)
    ways_are_before = False
    for chain in chains:
        if undo and chain.priority >= _UNDO_PRIORITY:
            ways, undo = _undone(ways, undo), None
        is_before = any(chain is other for other in early)
        if is_before != ways_are_before:
            ways, ways_are_before = _before_tracking(ways, is_before=is_before), is_before
        accepted, stopped = walker.base_chain(chain, ways, nat_done=nat_done)
        blocked += stopped
        ways = _merged(accepted)
    if ways_are_before:
        ways = _before_tracking(ways, is_before=False)
    if undo:
        ways = _undone(ways, undo)
    return _judged(ruleset, ways, blocked)


def _before_conntrack(ruleset: Ruleset, chains: Sequence[Chain], packet: Packet) -> Sequence[Chain]:
    """The chains that this packet meets before conntrack; none where their rules do not care.

    A packet that comes in by lo has been tracked on its way out.
    """
    early = [
        chain
        for chain in chains
        if chain.hook in _TRACKING_HOOKS and chain.priority < _TRACKING_PRIORITY
    ]
    is_tracked = packet.iif == "lo" or not early or not ruleset.ask_for_state(early)
    return () if is_tracked else early


def _before_tracking(ways: Sequence[_Way], *, is_before: bool) -> list[_Way]:
    return [
        way._replace(
            state=way.state._replace(packet=replace(way.state.packet, before_tracking=is_before))
        )
        for way in ways
    ]


def _undone(ways: Sequence[_Way], undo: Mapping[str, Any]) -> list[_Way]:
    return [
        way._replace(state=way.state._replace(packet=replace(way.state.packet, **undo)))
        for way in ways
    ]


def _judged(
    ruleset: Ruleset, passed: list[_Way], blocked: list[tuple[Outcome, _Way]]
) -> PacketVerdict:
    if not passed and blocked and all(outcome != "unknown" for outcome, _ in blocked):
        outcome, way = min(blocked, key=lambda end: end[1].doubt is not None)
        return PacketVerdict(outcome, way.last, way.path, way.state.nat, way.state.packet)
    if blocked:
        way = blocked[0][1]
        state = passed[0].state if passed else way.state
        return PacketVerdict("unknown", way.doubt or way.last, way.path, state.nat, state.packet)
    way = min(passed, key=lambda passing: passing.doubt is not None)
    unsure = len({passing.state.nat for passing in passed}) > 1
    if ruleset.unread:
        backend = ruleset.unread[0]
        unread = Step("", "", f"the rules of {backend}, which could not be read")
        return PacketVerdict(
            "unknown", unread, way.path, way.state.nat, way.state.packet, nat_unknown=True
        )
    return PacketVerdict(
        "accept",
        way.last,
        way.path,
        way.state.nat,
        way.state.packet,
        nat_unknown=unsure,
        nat_by=way.state.nat_by,
    )


class _Walker:
    """One walk of a packet.

    The ends of each chain by the state in which it was entered, and how many rules may still be
    asked.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._steps = MAX_STEPS
        self._known: dict[tuple[int, int, Translate | None], _Ends] = {}
        self._entered: set[tuple[str, str]] = set()
        self._packets: dict[Packet, Packet] = {}

    def base_chain(
        self, chain: Chain, ways: Iterable[_Way], *, nat_done: bool
    ) -> tuple[list[_Way], list[tuple[Outcome, _Way]]]:
        """The ways that one base chain accepts, and those that it blocks or leaves unknown."""
        policy = Step(chain.label, chain.name, f"policy {chain.policy}")
        accepted: list[_Way] = []
        stopped: list[tuple[Outcome, _Way]] = []
        for way in ways:
            if chain.kind == "nat" and (
                nat_done or way.state.packet.state != "new" or way.state.nat is not None
            ):
                accepted.append(way)
                continue
            ends = self._through(chain, [way], 0) if chain.rules else _Ends([], [way])
            by_policy: list[tuple[Outcome, _Way]] = [
                (chain.policy, _Way(end.state, end.calls, policy, end.doubt))
                for end in ends.through
            ]
            for outcome, end in ends.decided + by_policy:
                if outcome == "accept":
                    accepted.append(end)
                else:
                    stopped.append((outcome, end))
        return accepted, stopped

    def _through(self, chain: Chain, ways: list[_Way], depth: int) -> _Ends:
        """All ways through one chain and what it enters."""
        decided: list[tuple[Outcome, _Way]] = []
        returned: list[_Way] = []
        packet = ways[0].state.packet
        for position in chain.candidates(packet):
            rule = chain.rules[position]
            self._steps -= len(ways)
            if self._steps < 0:
                decided += [("unknown", way._replace(last=_TOO_LONG)) for way in ways]
                ways = []
                break
            going_on: list[_Way] = []
            for way in ways:
                matches, doubt = _matches(rule, chain, way)
                if matches is not True:
                    going_on.append(way)
                if matches is False:
                    continue
                state = self._assigned(way.state, rule.assigns) if rule.assigns else way.state
                taken = _Way(state, way.calls, _step(chain, rule), way.doubt or doubt)
                ends, left = self._act(chain, rule, rule.action, taken, depth)
                decided += ends.decided
                going_on += ends.through
                returned += left
            ways = _merged(going_on)
            if not ways:
                break
        return _Ends(_first_of_each(decided), _merged(ways + returned))

    def _act(
        self, chain: Chain, rule: Rule, action: Action | None, way: _Way, depth: int
    ) -> tuple[_Ends, list[_Way]]:
        """What a matching rule does.

        The ways it decides, those that go on in this chain, and those that leave it.
        """
        match action:
            case None:
                return _Ends([], [way]), []
            case Stop(outcome):
                return _Ends([(outcome, way)], []), []
            case Leave():
                return _Ends([], []), [way]
            case Translate():
                state = _translated(way.state, action)._replace(nat_by=_step(chain, rule))
                translated = _Way(state, way.calls, way.last, way.doubt)
                return _Ends([("accept", translated)], []), []
            case Maybe():
                step = _step(chain, rule)
                return _Ends([("unknown", way._replace(doubt=way.doubt or step))], [way]), []
            case Enter(name, back):
                entered = self._ruleset.chain(chain.table, name)
                if entered is None or depth >= MAX_DEPTH or (chain.label, name) in self._entered:
                    return _Ends([("unknown", way)], []), []
                ends = self._enter(entered, way, depth)
                return (ends, []) if back else (_Ends(ends.decided, []), ends.through)
            case Choose():
                return self._choose(chain, rule, action, way, depth)

    def _enter(self, entered: Chain, way: _Way, depth: int) -> _Ends:
        """The ways out of a chain that a rule leads to, walked once for each state."""
        key = (id(entered), id(way.state.packet), way.state.nat)
        if key not in self._known and not entered.candidates(way.state.packet):
            return _Ends([], [way])
        if key not in self._known:
            name = (entered.label, entered.name)
            self._entered.add(name)
            self._known[key] = self._through(entered, [_Way(way.state)], depth + 1)
            self._entered.discard(name)
        ends = self._known[key]
        inside = way.path
        decided = [
            (outcome, _Way(end.state, inside + end.calls, end.last, way.doubt or end.doubt))
            for outcome, end in ends.decided
        ]
        through = [
            _Way(end.state, way.calls, end.last or way.last, way.doubt or end.doubt)
            for end in ends.through
        ]
        return _Ends(decided, through)

    def _choose(
        self, chain: Chain, rule: Rule, choice: Choose, way: _Way, depth: int
    ) -> tuple[_Ends, list[_Way]]:
        """The ways that a verdict map opens.

        The first entry that certainly fits ends the search.
        """
        decided: list[tuple[Outcome, _Way]] = []
        through: list[_Way] = []
        returned: list[_Way] = []
        certain = False
        for values, action in choice.entries:
            fits = holds_any(choice.fields, (values,), way.state.packet)
            if fits is False:
                continue
            taken = way if fits else way._replace(doubt=way.doubt or _step(chain, rule))
            ends, left = self._act(chain, rule, action, taken, depth)
            decided += ends.decided
            through += ends.through
            returned += left
            if fits:
                certain = True
                break
        if not certain:
            through.append(way)
        return _Ends(decided, through), returned

    def _assigned(self, state: _State, assigns: tuple[Assign, ...]) -> _State:
        """The state with the rule's assignments done.

        Equal packets are one object, so that they are compared quickly.
        """
        packet = state.packet
        for assign in assigns:
            packet = _set(packet, assign)
        return state._replace(packet=self._packets.setdefault(packet, packet))


def _matches(rule: Rule, chain: Chain, way: _Way) -> tuple[bool | None, Step | None]:
    """Whether a rule's conditions hold, and the doubt on this way if that is not known."""
    unsure = False
    for condition in rule.conditions:
        holds = None if isinstance(condition, Unread) else condition.holds(way.state.packet)
        if holds is False:
            return False, None
        unsure = unsure or holds is None
    return (None, _step(chain, rule)) if unsure else (True, None)


def _step(chain: Chain, rule: Rule) -> Step:
    return Step(chain.label, chain.name, rule.text)


def _set(packet: Packet, assign: Assign) -> Packet:
    value: Any = assign.of(packet)
    match assign.field:
        case "mark":
            return replace(packet, mark=value)
        case "ctmark":
            return replace(packet, ctmark=value)
        case "state":
            return replace(packet, state=value)


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
            changed = replace(
                packet, dst=nat.address or packet.dst, dport=port, dst_local=None, dnat=True
            )
        case "redirect":
            changed = replace(packet, dst=None, dport=port, dst_local=True, dnat=True)
        case "snat" | "masquerade":
            possible = tuple(choice for choice in packet.possible if choice[0] != "src")
            changed = replace(
                packet, src=nat.address, sport=None, src_local=True, snat=True, possible=possible
            )
    return _State(changed, nat)


def _merged(ways: list[_Way]) -> list[_Way]:
    """One way of each state, a certain one where there is one."""
    if len(ways) < 2:
        return ways
    kept: dict[_State, _Way] = {}
    for way in ways:
        way_before = kept.get(way.state)
        if way_before is None or (way_before.doubt and not way.doubt):
            kept[way.state] = way
    return list(kept.values())


def _first_of_each(decided: list[tuple[Outcome, _Way]]) -> list[tuple[Outcome, _Way]]:
    if len(decided) < 2:
        return decided
    kept: dict[tuple[Outcome, _State], _Way] = {}
    for outcome, way in decided:
        way_before = kept.get((outcome, way.state))
        if way_before is None or (way_before.doubt and not way.doubt):
            kept[outcome, way.state] = way
    return [(outcome, way) for (outcome, _), way in kept.items()]
