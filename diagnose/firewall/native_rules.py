"""The nftables tables that a Docker engine writes with its nftables backend, as model and as text.

Pure. Source: `nft list ruleset` of engine 29.7.2 with networks and ports of each kind, with and
without docker-proxy. The engine has a table of its own for each family, so that the smallest
repair should write its tables again: nobody else's rules are in them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Literal

import msgspec

from diagnose.firewall.actions import Action, Choose, Enter, Stop, Translate
from diagnose.firewall.conditions import Match
from diagnose.firewall.docker import NFTABLES_TABLE
from diagnose.firewall.engine_rules import Bridge, PublishedPort
from diagnose.firewall.packet import Family, Field, Hook
from diagnose.firewall.rules import Chain, Rule, Table
from diagnose.firewall.text import describe
from diagnose.firewall.values import Interval, Masked, Name

_PROTOCOLS = {"tcp": 6, "udp": 17}
_LOCAL = 2
"""RTN_LOCAL: the type of an address of this host."""
_ESTABLISHED_OR_RELATED = 6
"""Bits of `ct state`."""
_PUBLISHED = "nat-prerouting-and-output"


class _Part(msgspec.Struct, frozen=True):
    """A piece of a rule: its words, and the conditions that they are."""

    text: str
    conditions: tuple[Match, ...]


class _Written(msgspec.Struct, frozen=True):
    """One rule in nft's own syntax, and as the walk reads it."""

    text: str
    rule: Rule


class _Base(msgspec.Struct, frozen=True):
    """The place of a base chain: its hook, type and priority."""

    hook: Hook
    kind: Literal["filter", "nat"]
    priority: tuple[str, int]
    """The priority as `nft` takes it, and as a number."""


_BASES = {
    "filter-FORWARD": _Base("forward", "filter", ("filter", 0)),
    "nat-OUTPUT": _Base("output", "nat", ("-100", -100)),
    "nat-POSTROUTING": _Base("postrouting", "nat", ("srcnat", 100)),
    "nat-PREROUTING": _Base("prerouting", "nat", ("dstnat", -100)),
    "raw-PREROUTING": _Base("prerouting", "filter", ("raw", -300)),
}
"""The engine's own base chains of nftables: hook, type, and priority in words and as a number."""


class NativeTable(msgspec.Struct, frozen=True):
    """The engine's table of one family: the rules of each chain, and the bridges of its maps."""

    family: Family
    bridges: tuple[str, ...]
    rules: dict[str, list[_Written]]

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The table as the walk reads it."""
        return tuple(
            _chain(Table("nft", self.family, NFTABLES_TABLE), name, written)
            for name, written in self.rules.items()
        )

    @property
    def text(self) -> str:
        """Input of `nft -f` that puts the table in the place of what is there, in one step."""
        name = f"table {self.family} {NFTABLES_TABLE}"
        lines = [f"{name} {{}}", f"delete {name}", f"{name} {{"]
        for jumps in _MAPS:
            lines += self._map(jumps)
        for chain, written in self.rules.items():
            lines += [f"  chain {chain} {{", *_base_lines(chain)]
            lines += [f"    {rule.text}" for rule in written]
            lines.append("  }")
        return "\n".join([*lines, "}"])

    def _map(self, jumps: str) -> Iterator[str]:
        yield f"  map {jumps}-jumps {{"
        yield "    type ifname : verdict"
        if self.bridges:
            entries = [f'"{bridge}" : jump {jumps}__{bridge}' for bridge in self.bridges]
            yield f"    elements = {{ {', '.join(entries)} }}"
        yield "  }"

    def missing_in(self, present: Iterable[Chain]) -> tuple[str, ...]:
        """The rules that these chains lack, each with its chain, and chains that are gone."""
        by_name = {chain.name: chain for chain in present}
        missing: list[str] = []
        for name, written in self.rules.items():
            chain = by_name.get(name)
            lacks = Counter(_key(rule.rule) for rule in written)
            if chain is not None:
                lacks -= Counter(_key(rule) for rule in chain.rules)
            lost = [rule.text for rule in written if lacks[_key(rule.rule)]]
            if chain is None and not lost:
                lost = ["the chain itself"]
            missing += [f"{self.family} {name}: {text}" for text in lost]
        return tuple(missing)

    def stale_in(self, present: Iterable[Chain]) -> tuple[str, ...]:
        """The rules of published ports in these chains that the engine does not want."""
        written_keys = {_key(written.rule) for written in self.rules[_PUBLISHED]}
        return tuple(
            f"{self.family} {chain.name}: {rule.text}"
            for chain in present
            if chain.name == _PUBLISHED
            for rule in chain.rules
            if _key(rule) not in written_keys
        )


_MAPS = ("filter-forward-in", "filter-forward-out", "nat-postrouting-in", "nat-postrouting-out")


def native_table(family: Family, bridges: Sequence[Bridge], *, has_proxy: bool) -> NativeTable:
    """The table that the engine writes for these bridges in one family.

    has_proxy: whether docker-proxy listens on each published port (`userland-proxy`).
    """
    own_rules = _Rules(family, has_proxy=has_proxy)
    names = [bridge.name for bridge in bridges]
    rules = {
        "filter-FORWARD": [
            _jumps("oif", "filter-forward-in", names),
            _jumps("iif", "filter-forward-out", names),
        ],
        "nat-OUTPUT": [own_rules.to_published(from_host=True)],
        "nat-POSTROUTING": [
            _jumps("iif", "nat-postrouting-out", names),
            _jumps("oif", "nat-postrouting-in", names),
        ],
        "nat-PREROUTING": [own_rules.to_published(from_host=False)],
        _PUBLISHED: [rule for bridge in bridges for rule in own_rules.translations(bridge)],
        "raw-PREROUTING": [rule for bridge in bridges for rule in own_rules.guards(bridge)],
    }
    for bridge in bridges:
        rules[f"filter-forward-in__{bridge.name}"] = list(own_rules.inward(bridge))
        rules[f"filter-forward-out__{bridge.name}"] = list(own_rules.outward(bridge))
        rules[f"nat-postrouting-in__{bridge.name}"] = list(own_rules.hidden_inward(bridge))
        rules[f"nat-postrouting-out__{bridge.name}"] = list(own_rules.hidden_outward(bridge))
    return NativeTable(family, tuple(names), rules)


class _Rules:
    """The rules of one bridge, chain by chain."""

    def __init__(self, family: Family, *, has_proxy: bool) -> None:
        self._ip = "ip" if family == "ip" else "ip6"
        self._is_ipv4 = family == "ip"
        self._has_proxy = has_proxy

    def to_published(self, *, from_host: bool) -> _Written:
        """The rule that leads packets to addresses of this host into the chain of published
        ports."""
        parts = [_fib("daddr")]
        if from_host and self._has_proxy:
            loopback = "127.0.0.0/8" if self._is_ipv4 else "::1"
            parts.insert(0, self._address("dst", loopback, is_not=True))
        return _written_rule(parts, Enter(_PUBLISHED))

    def translations(self, bridge: Bridge) -> Iterator[_Written]:
        """The rules that lead published ports of this bridge to their containers."""
        for port in _translated_ports(bridge):
            parts = [_interface("iif", bridge.name, is_not=True)] if self._has_proxy else []
            if not self._is_ipv4:
                parts.append(self._address("src", "fe80::/10", is_not=True))
            if port.host_address:
                parts.append(self._address("dst", port.host_address))
            parts.append(_port(port.protocol, port.host_port or 0))
            target = Translate("dnat", port.address, port.port)
            yield _written_rule(parts, target, "DNAT")

    def guards(self, bridge: Bridge) -> Iterator[_Written]:
        """Nobody beyond the bridge reaches a container by the container's own address."""
        if bridge.internal or bridge.routed:
            return
        for address in bridge.members:
            parts = [self._address("dst", address), _interface("iif", bridge.name, is_not=True)]
            yield _written_rule(parts, Stop("drop"), "DROP DIRECT ACCESS")
        for port in bridge.ports:
            if port.host_address.startswith("127."):
                parts = [
                    _interface("iif", "lo", is_not=True),
                    self._address("dst", port.host_address),
                    _port(port.protocol, port.host_port or 0),
                ]
                yield _written_rule(parts, Stop("drop"), "DROP REMOTE LOOPBACK")

    def inward(self, bridge: Bridge) -> Iterator[_Written]:
        """The rules for what goes to containers of this bridge, in the engine's order."""
        talks = Stop("accept") if bridge.talks else Stop("drop")
        yield _ESTABLISHED
        if bridge.internal:
            other_interface = [_interface("iif", bridge.name, is_not=True)]
            yield _written_rule(other_interface, Stop("drop"), "INTERNAL NETWORK INGRESS")
            yield _written_rule([], talks, "ICC")
            return
        if bridge.routed:
            yield _written_rule([self._icmp()], Stop("accept"), "ICMP")
        yield _written_rule([_interface("iif", bridge.name)], talks, "ICC")
        for port in _distinct_ports(bridge.ports):
            parts = [self._address("dst", port.address), _port(port.protocol, port.port)]
            yield _written_rule(parts, Stop("accept"))
        yield _written_rule([], Stop("drop"), "UNPUBLISHED PORT DROP")

    def outward(self, bridge: Bridge) -> Iterator[_Written]:
        yield _ESTABLISHED
        if bridge.internal:
            other_interface = [_interface("oif", bridge.name, is_not=True)]
            yield _written_rule(other_interface, Stop("drop"), "INTERNAL NETWORK EGRESS")
        else:
            yield _written_rule([], Stop("accept"), "OUTGOING")

    def hidden_inward(self, bridge: Bridge) -> Iterator[_Written]:
        """The rules that masquerade what the host and a container itself send to a container,
        without docker-proxy."""
        if self._has_proxy or bridge.internal:
            return
        yield _written_rule([_fib("saddr")], Translate("masquerade"), "MASQUERADE FROM HOST")
        for port in _distinct_ports(_translated_ports(bridge)):
            parts = [
                self._address("src", port.address),
                self._address("dst", port.address),
                _port(port.protocol, port.port),
            ]
            yield _written_rule(parts, Translate("masquerade"), "MASQ TO OWN PORT")

    def hidden_outward(self, bridge: Bridge) -> Iterator[_Written]:
        if bridge.masquerades and not bridge.internal and not bridge.routed:
            parts = [
                _interface("oif", bridge.name, is_not=True),
                self._address("src", bridge.subnet),
            ]
            yield _written_rule(parts, Translate("masquerade"), "MASQUERADE")

    def _address(self, end: Literal["src", "dst"], text: str, *, is_not: bool = False) -> _Part:
        network = ip_network(text)
        value = Interval(int(network.network_address), int(network.broadcast_address))
        word = "saddr" if end == "src" else "daddr"
        unequal = "!= " if is_not else ""
        return _Part(f"{self._ip} {word} {unequal}{text}", (_match(end, value, is_not=is_not),))

    def _icmp(self) -> _Part:
        if self._is_ipv4:
            return _Part("ip protocol icmp", (_match("proto", Interval(1, 1)),))
        return _Part("meta l4proto ipv6-icmp", (_match("proto", Interval(58, 58)),))


def _translated_ports(bridge: Bridge) -> Sequence[PublishedPort]:
    """The ports that are reached at the host's addresses."""
    return () if bridge.internal else bridge.translated_ports


def _distinct_ports(ports: Iterable[PublishedPort]) -> Iterator[PublishedPort]:
    """One for each port of a container: it may be published several times."""
    texts = set()
    for port in ports:
        key = (port.address, port.port, port.protocol)
        if key not in texts:
            texts.add(key)
            yield port


def _match(field: Field, value: Interval | Masked | Name, *, is_not: bool = False) -> Match:
    return Match((field,), ((value,),), is_not)


def _interface(field: Literal["iif", "oif"], name: str, *, is_not: bool = False) -> _Part:
    unequal = "!= " if is_not else ""
    text = f'{field}name {unequal}"{name}"'
    return _Part(text, (_match(field, Name(name), is_not=is_not),))


def _port(protocol: str, number: int) -> _Part:
    proto = _PROTOCOLS[protocol]
    conditions = (
        _match("proto", Interval(proto, proto)),
        _match("dport", Interval(number, number)),
    )
    return _Part(f"{protocol} dport {number}", conditions)


def _fib(end: Literal["saddr", "daddr"]) -> _Part:
    field: Field = "src_type" if end == "saddr" else "dst_type"
    return _Part(f"fib {end} type local", (_match(field, Interval(_LOCAL, _LOCAL)),))


def _jumps(field: Literal["iif", "oif"], jumps: str, names: Sequence[str]) -> _Written:
    entries = tuple(((Name(name),), Enter(f"{jumps}__{name}")) for name in names)
    action = Choose((field,), entries)
    return _Written(
        f"{field}name vmap @{jumps}-jumps",
        Rule(describe(conditions=(), assigns=(), action=action), action=action),
    )


def _written_rule(parts: Sequence[_Part], action: Action, comment: str = "") -> _Written:
    conditions = tuple(condition for part in parts for condition in part.conditions)
    words = [*(part.text for part in parts), "counter", _verdict_text(action)]
    if comment:
        words.append(f'comment "{comment}"')
    rule = Rule(describe(conditions, (), action, comment or None), conditions, action=action)
    return _Written(" ".join(words), rule)


def _verdict_text(action: Action) -> str:
    """A verdict as `nft` takes it."""
    if isinstance(action, Enter):
        return f"jump {action.chain}"
    if isinstance(action, Stop):
        return action.outcome
    if isinstance(action, Translate) and action.address:
        is_ipv6 = ip_address(action.address).version == 6
        address = f"[{action.address}]" if is_ipv6 else action.address
        return f"dnat to {address}:{action.port}"
    return "masquerade"


_ESTABLISHED = _written_rule(
    [
        _Part(
            "ct state established,related",
            (_match("state", Masked(_ESTABLISHED_OR_RELATED, any_bit=True)),),
        )
    ],
    Stop("accept"),
)


def _base_lines(name: str) -> Iterator[str]:
    base = _BASES.get(name)
    if base is not None:
        place = f"type {base.kind} hook {base.hook} priority {base.priority[0]}"
        yield f"    {place}; policy accept;"


def _chain(table: Table, name: str, written: Sequence[_Written]) -> Chain:
    rules = tuple(rule.rule for rule in written)
    base = _BASES.get(name)
    if base is None:
        return Chain(table, name, rules)
    return Chain(
        table, name, rules=rules, hook=base.hook, priority=base.priority[1], kind=base.kind
    )


_RuleKey = tuple[object, object]


def _key(rule: Rule) -> _RuleKey:
    """The effect of a rule, to compare by: the same whatever the order of a map's entries."""
    action = rule.action
    if isinstance(action, Choose):
        return action.fields, frozenset(action.entries)
    return rule.conditions, action
