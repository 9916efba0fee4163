"""`iptables-save` text into the model of `rules`."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal

import msgspec

from diagnose.firewall.rules import (
    PROTOCOLS,
    ROUTE_TYPES,
    STATES,
    STATUSES,
    TCP_FLAGS,
    Assign,
    Chain,
    Enter,
    Interval,
    Leave,
    Masked,
    Match,
    Maybe,
    Name,
    Rare,
    Rule,
    Several,
    Stop,
    Table,
    Translate,
    Unread,
    with_flags,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from diagnose.firewall.rules import Action, Backend, Condition, Family, Field, Hook, Value

_HOOKS: Mapping[str, Hook] = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_NAT_SOURCE_PRIORITY = 100
"""Source translation is done on INPUT and POSTROUTING, after the filter; the other hooks of nat come before
it.
"""

_NO_EFFECT = frozenset(
    {
        "LOG",
        "NFLOG",
        "ULOG",
        "AUDIT",
        "TRACE",
        "TCPMSS",
        "TCPOPTSTRIP",
        "CHECKSUM",
        "CLASSIFY",
        "DSCP",
        "TOS",
        "TTL",
        "HL",
        "ECN",
        "SET",
        "SECMARK",
        "CONNSECMARK",
        "IDLETIMER",
        "LED",
        "RATEEST",
        "TEE",
        "HMARK",
    }
)
"""Targets after which the packet meets the next rule."""

_STOPS: Mapping[str, Action] = {
    "ACCEPT": Stop("accept"),
    "DROP": Stop("drop"),
    "REJECT": Stop("reject"),
    "TARPIT": Stop("drop"),
    "RETURN": Leave(),
    "MASQUERADE": Translate("masquerade"),
}
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_NOT_RECENT = re.compile(r"! --(?:rcheck|update)\b")
_ESCAPED = re.compile(r"\\(.)")
_VERBATIM = frozenset({"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"})
"""Options whose one argument may begin with a dash."""


class _Line(msgspec.Struct, eq=False):
    """The options of one rule in order: (negated, option, arguments)."""

    chain: str = ""
    options: list[tuple[bool, str, list[str]]] = msgspec.field(default_factory=list)


def tables(text: str) -> frozenset[str]:
    """The tables that the text shows rules or chains of."""
    return frozenset(re.findall(r"^\*(\S+)", text, re.MULTILINE))


def sets(text: str) -> frozenset[str]:
    """The sets that rules of the text name."""
    return frozenset(re.findall(r"--match-set (\S+)", text))


def members(sets: Mapping[str, Sequence[str]]) -> Mapping[str, Several]:
    """What the members of each set hold together; a set with a member that is no address stays unknown."""
    found = {}
    for name, listed in sets.items():
        with suppress(ValueError):
            found[name] = _joined(interval for each in listed for interval in _member(each))
    return found


def _member(text: str) -> tuple[Interval, ...]:
    return tuple(each for each in (_address_range if "-" in text else _network)(text) if isinstance(each, Interval))


def _joined(intervals: Iterable[Interval]) -> Several:
    lows: list[int] = []
    highs: list[int] = []
    for each in sorted(intervals, key=lambda interval: interval.low):
        if highs and each.low <= highs[-1] + 1:
            highs[-1] = max(highs[-1], each.high)
        else:
            lows.append(each.low)
            highs.append(each.high)
    return Several(tuple(lows), tuple(highs))


def chains(
    text: str, backend: Backend, family: Family, members: Mapping[str, Several] | None = None
) -> tuple[Chain, ...]:
    """The chains of one `iptables-save` or `ip6tables-save` text; other lines are left out. `members`: of the sets that it
    names, where they are known.
    """
    declared: dict[tuple[str, str], str] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":") and len(words := line[1:].split()) > 1:
            declared[table, words[0]] = words[1]
        elif line.startswith(("-A ", "[")):
            chain, rule = _rule(re.sub(r"^\[\d+:\d+\] ", "", line), members or {})
            rules.setdefault((table, chain), []).append(rule)
    return tuple(
        _chain(Table(backend, family, owner), name, policy, tuple(rules.get((owner, name), ())))
        for (owner, name), policy in declared.items()
    )


def _chain(table: Table, name: str, policy: str, rules: tuple[Rule, ...]) -> Chain:
    if policy == "-":
        return Chain(table, name, rules)
    priority = _PRIORITIES.get(table.name, 0)
    if table.name == "nat" and name in ("INPUT", "POSTROUTING"):
        priority = _NAT_SOURCE_PRIORITY
    kind = "nat" if table.name == "nat" else "filter"
    return Chain(table, name, rules, _HOOKS.get(name), priority, kind, "drop" if policy == "DROP" else "accept")


def _rule(line: str, members: Mapping[str, Several]) -> tuple[str, Rule]:
    parsed = _split(_words(line))
    conditions: list[Condition] = []
    assigns: list[Assign] = []
    action: Action | None = None
    target = ""
    target_options: dict[str, list[str]] = {}
    for negated, option, arguments in parsed.options:
        if option in ("-j", "--jump", "-g", "--goto"):
            target = arguments[0] if arguments else ""
            action = Enter(target, back=option in ("-j", "--jump"))
        elif target:
            target_options[option] = arguments
        elif option == "--hitcount" and _NOT_RECENT.search(line):
            conditions.append(Unread(" ".join([option, *arguments])))
        elif option == "--match-set" and (match := _in_set(negated, arguments, members)):
            conditions.append(match)
        elif (condition := _condition(negated, option, arguments)) is not None:
            conditions.append(condition)
    if isinstance(action, Enter) and action.back:
        action = _target(target, target_options, assigns)
    return parsed.chain, Rule(line.removeprefix(f"-A {parsed.chain} "), tuple(conditions), tuple(assigns), action)


def _words(line: str) -> list[str]:
    """The words of a rule; iptables-save quotes with `"` and escapes with a backslash."""
    if '"' not in line:
        return line.split()
    return [_ESCAPED.sub(r"\1", quoted) if quoted else plain for quoted, plain in _WORD.findall(line)]


def _split(words: list[str]) -> _Line:
    line = _Line()
    negated = False
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "!":
            negated = True
            continue
        if not word.startswith("-"):
            continue
        end = position + 1 if word in _VERBATIM else _next_option(words, position)
        arguments, position = words[position:end], end
        if word == "-A":
            line.chain = arguments[0] if arguments else ""
        else:
            line.options.append((negated, word, arguments))
        negated = False
    return line


def _next_option(words: list[str], position: int) -> int:
    while position < len(words) and words[position] != "!" and not words[position].startswith("-"):
        position += 1
    return position


def _condition(negated: bool, option: str, arguments: list[str]) -> Condition | None:
    """The condition of one option, None where it says nothing about the packet (`-m tcp`, a comment)."""
    if option == "-m":
        return _module(arguments)
    if option == "--comment":
        return None
    if option in _RARE or option in _USUAL:
        return Rare(" ".join([option, *arguments]), negated != (option in _USUAL))
    if option.startswith(_LIMIT_DETAILS):
        return None
    known = _CONDITIONS.get(option)
    if known is None:
        return Unread(" ".join((["!"] if negated else []) + [option, *arguments]))
    name, read = known
    try:
        values = read(" ".join(arguments))
    except (ValueError, KeyError, IndexError):
        return Unread(" ".join([option, *arguments]))
    return Match((name,), tuple((value,) for value in values), negated)


def _in_set(negated: bool, arguments: list[str], members: Mapping[str, Several]) -> Match | None:
    """`NAME src`, `NAME dst`: None for a set that is not known, or that holds more than addresses."""
    match arguments:
        case [name, ("src" | "dst") as field] if name in members:
            return Match((field,), ((members[name],),), negated)
    return None


def _module(arguments: list[str]) -> Condition | None:
    """A match module whose mere presence is a condition."""
    return Unread(f"-m {arguments[0]}") if arguments and arguments[0] in ("socket", "cluster", "bpf") else None


def _interface(text: str) -> tuple[Value, ...]:
    return (Name(text.removesuffix("+"), prefix=text.endswith("+")),)


def _network(text: str) -> tuple[Value, ...]:
    address, _, length = text.partition("/")
    if "." in length or ":" in length:
        mask = int(ip_address(length))
        return (Masked(mask, int(ip_address(address)) & mask),)
    network = ip_network(text, strict=False)
    return (Interval(int(network.network_address), int(network.broadcast_address)),)


def _address_range(text: str) -> tuple[Value, ...]:
    low, _, high = text.partition("-")
    return (Interval(int(ip_address(low)), int(ip_address(high or low))),)


def _protocol(text: str) -> tuple[Value, ...]:
    if text in ("all", "0"):
        return (Interval(0, 255),)
    number = int(text) if text.isdigit() else PROTOCOLS["icmpv6" if text == "icmp6" else text]
    return (Interval(number, number),)


def _ports(text: str) -> tuple[Value, ...]:
    values = []
    for each in text.split(","):
        low, colon, high = each.partition(":")
        values.append(Interval(int(low or 0), int(high or 65535) if colon else int(low)))
    return tuple(values)


def _bits(names: Mapping[str, int]) -> Callable[[str], tuple[Value, ...]]:
    def read(text: str) -> tuple[Value, ...]:
        mask = 0
        for name in text.split(","):
            mask |= names[name]
        return (Masked(mask, any_bit=True),)

    return read


def _states(text: str) -> tuple[Value, ...]:
    """Conntrack states; DNAT and SNAT among them are bits of the status, which another field holds."""
    return _bits(STATES)(text)


def _mark(text: str) -> tuple[Value, ...]:
    value, _, mask = text.partition("/")
    wanted = int(mask or "0xffffffff", 0)
    return (Masked(wanted, int(value, 0) & wanted),)


def _route_types(text: str) -> tuple[Value, ...]:
    return tuple(Interval(ROUTE_TYPES[name], ROUTE_TYPES[name]) for name in text.split(","))


def _direction(text: str) -> tuple[Value, ...]:
    number = {"ORIGINAL": 0, "REPLY": 1}[text]
    return (Interval(number, number),)


def _first_packet(_: str) -> tuple[Value, ...]:
    return (Interval(1, 1),)


def _tcp_flags(text: str) -> tuple[Value, ...]:
    mask, wanted = (_flags(each) for each in text.split())
    return with_flags(mask, wanted)


def _flags(text: str) -> int:
    names = {"ALL": tuple(TCP_FLAGS), "NONE": ()}.get(text, text.split(","))
    return sum(TCP_FLAGS.get(name, 0) for name in names)


def _ordinary(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads a range about a size that ordinary packets have between `low` and `high`: it holds for all of them, or none."""

    def read(text: str) -> tuple[Value, ...]:
        first, colon, last = text.partition(":")
        start, end = int(first or 0), int(last or 65535) if colon else int(first)
        if start <= low and high <= end:
            return (Interval(0, 255),)
        if end < low or high < start:
            return ()
        raise ValueError("holds for some sizes")

    return read


def _backwards(_: str) -> tuple[Value, ...]:
    return (Interval(0, 0),)


_RARE = frozenset(
    {"--connlimit-above", "--hashlimit-above", "--hitcount", "--string", "--hex-string", "-f", "--fragment"}
)
"""Options that only traffic out of the ordinary meets; with one of them false, what else its module says does not matter."""

_USUAL = frozenset({"--limit", "--hashlimit-upto", "--connlimit-upto"})
"""Options that a client's first packets always meet: they are within the limit."""

_LIMIT_DETAILS = ("--limit-", "--hashlimit-", "--connlimit-")
"""What else these modules say: how they count, and nothing about the packet."""

_CONDITIONS: Mapping[str, tuple[Field, Callable[[str], tuple[Value, ...]]]] = {
    "-i": ("iif", _interface),
    "-o": ("oif", _interface),
    "-s": ("src", _network),
    "-d": ("dst", _network),
    "-p": ("proto", _protocol),
    "--src-range": ("src", _address_range),
    "--dst-range": ("dst", _address_range),
    "--sport": ("sport", _ports),
    "--sports": ("sport", _ports),
    "--dport": ("dport", _ports),
    "--dports": ("dport", _ports),
    "--ctstate": ("state", _states),
    "--state": ("state", _states),
    "--ctstatus": ("status", _bits(STATUSES)),
    "--ctdir": ("direction", _direction),
    "--ctproto": ("proto", _protocol),
    "--ctorigsrc": ("orig_src", _network),
    "--ctorigdst": ("orig_dst", _network),
    "--ctorigsrcport": ("orig_sport", _ports),
    "--ctorigdstport": ("orig_dport", _ports),
    "--src-type": ("src_type", _route_types),
    "--dst-type": ("dst_type", _route_types),
    "--mark": ("mark", _mark),
    "--syn": ("syn", _first_packet),
    "--tcp-flags": ("syn", _tcp_flags),
    "--invert": ("reverse_path", _backwards),
    "--mss": ("proto", _ordinary(1200, 1460)),
    "--length": ("proto", _ordinary(40, 1500)),
}


def _target(name: str, options: Mapping[str, list[str]], assigns: list[Assign]) -> Action | None:
    if name in _STOPS:
        return _STOPS[name]
    match name:
        case "DNAT":
            return _translate("dnat", options.get("--to-destination"))
        case "SNAT":
            return _translate("snat", options.get("--to-source"))
        case "REDIRECT":
            ports = options.get("--to-ports") or [""]
            return Translate("redirect", port=_first_port(ports[0]))
        case "NETMAP":
            return Maybe("NETMAP")
        case "MARK":
            assigns.append(Assign("mark", _set_mark(options)))
            return None
        case "CONNMARK":
            assigns.append(Assign("mark" if "--restore-mark" in options else "ctmark", None))
            return None
        case "CT" | "NOTRACK":
            if name == "NOTRACK" or "--notrack" in options:
                assigns.append(Assign("state", "untracked"))
            return None
        case "NFQUEUE" | "QUEUE" | "TPROXY" | "SYNPROXY" | "STEAL" | "DNETMAP":
            return Maybe(name)
        case _:
            return None if name in _NO_EFFECT else Enter(name)


def _set_mark(options: Mapping[str, list[str]]) -> int | None:
    """The mark that is set as a whole; None where only some bits are, or the text is not a number."""
    value, _, mask = (options.get("--set-xmark") or options.get("--set-mark") or [""])[0].partition("/")
    try:
        return int(value, 0) if int(mask or "0xffffffff", 0) == 0xFFFFFFFF else None
    except ValueError:
        return None


def _translate(kind: Literal["dnat", "snat"], to: list[str] | None) -> Translate:
    """The first address and port of `10.0.0.2:80`, `:80`, `10.0.0.2-10.0.0.9`, `[fd00::2]:80`."""
    text = to[0] if to else ""
    host, _, port = text.rpartition(":") if text.startswith("[") or text.count(":") == 1 else (text, "", "")
    first = host.partition("-")[0].strip("[]")
    try:
        address = str(ip_address(first)) if first else None
    except ValueError:
        address = None
    return Translate(kind, address, _first_port(port))


def _first_port(text: str) -> int | None:
    return int(found[0]) if (found := re.match(r"\d+", text)) else None
