"""The conditions that the matches of a rule mean."""

from collections.abc import Mapping, Sequence

from diagnose.firewall.conditions import BY_A_PROCESS, AnyOf, Condition, Match, Rare, Unread
from diagnose.firewall.iptables.options import (
    ALTERNATIVES,
    FIELDS,
    HEADER_MODULES,
    LIMIT_DETAILS,
    RARE,
    RARE_MODULES,
    SILENT,
    TUNNEL_MODULES,
    USUAL,
    FieldReader,
)
from diagnose.firewall.iptables.rule_text import RuleOption, RuleText
from diagnose.firewall.iptables.values import of_ordinary_size, protocol, route_types
from diagnose.firewall.kernel_numbers import ROUTE_TYPES
from diagnose.firewall.packet import Field
from diagnose.firewall.values import Interval, Several, Value

_TO_THIS_HOST = Match(("dst_type",), ((Interval(ROUTE_TYPES["LOCAL"], ROUTE_TYPES["LOCAL"]),),))

_UNREAD_MODULES = frozenset(
    {"cluster", "bpf", "cgroup", "statistic", "time", "u32", "osf", "eui64"}
)
"""Modules whose condition this model does not know."""

_FIRST_PACKETS = {"packets": 20, "bytes": 4_000, "avgpkt": 1_500}
"""What a connection has transferred at most while its first packets pass, by connbytes' mode."""


def conditions(rule: RuleText, members: Mapping[str, Several]) -> list[Condition]:
    """The conditions of a rule, in its order; `members` of the sets that are known."""
    conditions: list[Condition] = []
    module = ""
    for option in rule.options:
        if option.name == "-m":
            module = option.first
            conditions += _module_conditions(module, rule)
        else:
            conditions += _option_condition(module, option, rule, members)
    return conditions


def _module_conditions(name: str, rule: RuleText) -> list[Condition]:
    """The conditions that a match module means by its mere presence."""
    if name == "socket":
        return [_TO_THIS_HOST, Unread("-m socket")]
    if name == "cgroup":
        return [BY_A_PROCESS, Unread("-m cgroup")]
    if name in _UNREAD_MODULES:
        return [Unread(f"-m {name}")]
    if name in HEADER_MODULES:
        return [Rare(f"-m {name}")]
    if name in TUNNEL_MODULES:
        return [Match(("proto",), (protocol(name),))]
    if name == "rpfilter":
        comes_back = 0 if rule.named("--invert") else 1
        return [Match(("reverse_path",), ((Interval(comes_back, comes_back),),))]
    return []


def _option_condition(
    module: str, option: RuleOption, rule: RuleText, members: Mapping[str, Several]
) -> list[Condition]:
    """The conditions that one option of a match means.

    Some need other options of the rule.
    """
    if module == "recent":
        return _recent_conditions(option, rule)
    if module == "connbytes":
        return _transferred_conditions(option, rule)
    if option.name in ("--src-type", "--dst-type"):
        return [_address_type(option, rule)]
    if option.name == "--match-set":
        in_set = _set_match(option, members)
        if in_set is not None:
            return [in_set]
    condition = _condition(module, option)
    return [] if condition is None else [condition]


def _recent_conditions(option: RuleOption, rule: RuleText) -> list[Condition]:
    """The conditions whether an address was seen recently: with a number of hits, only a flood has
    been.

    Without such a number that is not known.
    """
    looks = rule.named("--rcheck", "--update")
    looks_for_address = bool(looks) and not looks[0].negated
    counts_hits = bool(rule.named("--hitcount"))
    if option.name == "--hitcount" and looks_for_address:
        return [Rare(option.text)]
    is_look = option.name in ("--rcheck", "--update", "--remove")
    if is_look and not (counts_hits and looks_for_address):
        return [Unread(option.text)]
    return []


def _transferred_conditions(option: RuleOption, rule: RuleText) -> list[Condition]:
    """The conditions on the traffic of a connection so far (`--connbytes`).

    Only first packets are walked, so the counters are at their beginning.
    """
    if option.name != "--connbytes":
        return []
    modes = [mode.first for mode in rule.named("--connbytes-mode") if mode.first]
    most = _FIRST_PACKETS.get(modes[0], 1 << 32) if modes else 1 << 32
    try:
        span = option.first if ":" in option.first else f"{int(option.first)}:{1 << 64}"
        values = of_ordinary_size(0, most)(span)
    except ValueError:
        return [Unread(option.text)]
    return [_match("proto", values, option)]


def _address_type(option: RuleOption, rule: RuleText) -> Condition:
    """The type of an address, among those of all interfaces.

    With `--limit-iface-in` or `-out`: of the one that it means.
    """
    is_source = option.name == "--src-type"
    field: Field = "src_type" if is_source else "dst_type"
    if rule.named("--limit-iface-in"):
        field = "src_type_in" if is_source else "dst_type_in"
    elif rule.named("--limit-iface-out"):
        field = "src_type_out" if is_source else "dst_type_out"
    try:
        return _match(field, route_types(option.argument), option)
    except KeyError:
        return Unread(option.text)


def _set_match(option: RuleOption, members: Mapping[str, Several]) -> Match | None:
    """`NAME src`, `NAME dst`.

    None for a set that is not known, or that holds more than addresses.
    """
    match option.arguments:
        case [name, ("src" | "dst") as field] if name in members:
            return Match((field,), ((members[name],),), option.negated)
    return None


def _condition(module: str, option: RuleOption) -> Condition | None:
    """The condition of one option.

    None where it says nothing about the packet (a comment, how a limit counts).
    """
    if _says_nothing(option.name):
        return None
    rare = _rare_condition(module, option)
    if rare is not None:
        return rare
    alternatives = ALTERNATIVES.get((module, option.name))
    reader = FIELDS.get((module, option.name)) or FIELDS.get(("", option.name))
    try:
        if alternatives is not None:
            return _any_of(alternatives, option)
        if reader is not None:
            field, read = reader
            return _match(field, read(option.argument), option)
    except (ValueError, KeyError, IndexError):
        return Unread(option.text)
    return Unread(option.text)


def _says_nothing(name: str) -> bool:
    is_detail = name.startswith(LIMIT_DETAILS) and name not in RARE | USUAL
    return is_detail or name in SILENT


def _rare_condition(module: str, option: RuleOption) -> Rare | None:
    """A condition that a client's first packets never meet, or always; None for any other one."""
    name = option.name
    negated = option.negated
    allows_none = option.arguments == ("0",)
    if module in RARE_MODULES:
        return Rare(option.text, negated)
    if module == "ipvs":
        return Rare(option.text, negate=negated and name == "--ipvs")
    if name == "--connlimit-above" and allows_none:
        return Rare(option.text, negate=not negated)
    if name == "--connlimit-upto" and allows_none:
        return Rare(option.text, negated)
    if name in RARE:
        return Rare(option.text, negated)
    if name in USUAL:
        return Rare(option.text, negate=not negated)
    return None


def _any_of(readers: Sequence[FieldReader], option: RuleOption) -> Condition:
    """A condition that one of several fields meets."""
    matches = (_match_of(reader, option.argument) for reader in readers)
    return AnyOf(tuple(matches), option.negated)


def _match_of(reader: FieldReader, argument: str) -> Match:
    """A condition that one field meets."""
    field, read = reader
    return Match((field,), tuple((value,) for value in read(argument)))


def _match(field: Field, values: Sequence[Value], option: RuleOption) -> Match:
    return Match((field,), tuple((value,) for value in values), option.negated)
