"""`iptables-save` text into the model of `rules`."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal

import msgspec

from diagnose.firewall.actions import Assign, Enter, Leave, Maybe, Stop, Translate
from diagnose.firewall.conditions import AnyOf, Match, Rare, Unread, with_flags
from diagnose.firewall.packet import PROTOCOLS, ROUTE_TYPES, STATES, STATUSES, TCP_FLAGS
from diagnose.firewall.rules import Chain, Rule, Table
from diagnose.firewall.values import Interval, Masked, Name, Several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from diagnose.firewall.actions import Action
    from diagnose.firewall.conditions import Condition
    from diagnose.firewall.packet import Family, Field, Hook
    from diagnose.firewall.rules import Backend
    from diagnose.firewall.values import Value

_HOOKS: Mapping[str, Hook] = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_NAT_SOURCE_PRIORITY = 100
"""Source translation is done on INPUT and POSTROUTING, after the filter; the other hooks of nat
come before it.
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
_ESCAPED = re.compile(r"\\(.)")
_VERBATIM = frozenset(
    {"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string", "--u32"}
)
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
    """What the members of each set hold together.

    A set with a member that is no address stays unknown.
    """
    found = {}
    for name, listed in sets.items():
        with suppress(ValueError):
            found[name] = _joined(interval for member in listed for interval in _member(member))
    return found


def _member(text: str) -> tuple[Interval, ...]:
    return tuple(
        interval
        for interval in (_address_range if "-" in text else _network)(text)
        if isinstance(interval, Interval)
    )


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
    """The chains of one `iptables-save` or `ip6tables-save` text; other lines are left out.

    `members`: of the sets that it names, where they are known.
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
    return Chain(
        table,
        name,
        rules,
        _HOOKS.get(name),
        priority,
        kind,
        "drop" if policy == "DROP" else "accept",
    )


def _rule(line: str, members: Mapping[str, Several]) -> tuple[str, Rule]:
    parsed = _split(_words(line))
    conditions: list[Condition] = []
    assigns: list[Assign] = []
    action: Action | None = None
    target = ""
    target_options: dict[str, list[str]] = {}
    module = ""
    for negated, option, arguments in parsed.options:
        if option in ("-j", "--jump", "-g", "--goto"):
            target = arguments[0] if arguments else ""
            action = Enter(target, back=option in ("-j", "--jump"))
        elif target:
            target_options[option] = arguments
        elif option == "-m":
            module = arguments[0] if arguments else ""
            conditions += _module(module, parsed)
        else:
            conditions += _option(module, negated, option, arguments, parsed, members)
    if isinstance(action, Enter) and action.back:
        action = _target(target, target_options, assigns)
    return parsed.chain, Rule(
        line.removeprefix(f"-A {parsed.chain} "), tuple(conditions), tuple(assigns), action
    )


def _option(
    module: str,
    negated: bool,
    option: str,
    arguments: list[str],
    line: _Line,
    members: Mapping[str, Several],
) -> list[Condition]:
    """The conditions that one option of a match means.

    Some need other options of the rule.
    """
    if module == "recent":
        return _recent(negated, option, arguments, line)
    if module == "connbytes":
        return _transferred(option, negated, arguments, line)
    if option in ("--src-type", "--dst-type"):
        return [_address_type(option, negated, arguments, line)]
    if option == "--match-set" and (match := _in_set(negated, arguments, members)):
        return [match]
    condition = _condition(module, negated, option, arguments)
    return [] if condition is None else [condition]


def _recent(negated: bool, option: str, arguments: list[str], line: _Line) -> list[Condition]:
    """Whether an address was seen lately: with a number of hits, only a flood has been.

    Without one, that is not known.
    """
    looks = [
        (is_negated, name)
        for is_negated, name, _ in line.options
        if name in ("--rcheck", "--update")
    ]
    counts = any(name == "--hitcount" for _, name, _ in line.options)
    text = " ".join([option, *arguments])
    if option in ("--rcheck", "--update", "--remove") and not (
        counts and looks and not looks[0][0]
    ):
        return [Unread(f"! {text}" if negated else text)]
    if option == "--hitcount" and looks and not looks[0][0]:
        return [Rare(text)]
    return []


def _words(line: str) -> list[str]:
    """The words of a rule; iptables-save quotes with `"` and escapes with a backslash."""
    if '"' not in line:
        return line.split()
    return [
        _ESCAPED.sub(r"\1", quoted) if quoted else plain for quoted, plain in _WORD.findall(line)
    ]


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


def _condition(module: str, negated: bool, option: str, arguments: list[str]) -> Condition | None:
    """The condition of one option.

    None where it says nothing about the packet (a comment, how a limit counts).
    """
    text = " ".join((["!"] if negated else []) + [option, *arguments])
    if option in _SILENT or (option.startswith(_LIMIT_DETAILS) and option not in _RARE | _USUAL):
        return None
    if module in _RARE_MODULES:
        return Rare(text, negated)
    if module == "ipvs":
        return Rare(text, negated and option == "--ipvs")
    if option == "--connlimit-above" and arguments == ["0"]:
        return Rare(text, not negated)
    if option == "--connlimit-upto" and arguments == ["0"]:
        return Rare(text, negated)
    if option in _RARE or option in _USUAL:
        return Rare(text, negated != (option in _USUAL))
    if (module, option) in _ALTERNATIVES:
        return _either(_ALTERNATIVES[module, option], negated, text, " ".join(arguments))
    known = _CONDITIONS.get((module, option)) or _CONDITIONS.get(("", option))
    if known is None:
        return Unread(text)
    name, read = known
    try:
        values = read(" ".join(arguments))
    except (ValueError, KeyError, IndexError):
        return Unread(text)
    return Match((name,), tuple((value,) for value in values), negated)


def _address_type(option: str, negated: bool, arguments: list[str], line: _Line) -> Condition:
    """The type of an address, among those of all interfaces.

    With `--limit-iface-in` or `-out`: of the one that it means.
    """
    given = {name for _, name, _ in line.options}
    field: Field = "src_type" if option == "--src-type" else "dst_type"
    if "--limit-iface-in" in given:
        field = "src_type_in" if option == "--src-type" else "dst_type_in"
    elif "--limit-iface-out" in given:
        field = "src_type_out" if option == "--src-type" else "dst_type_out"
    try:
        values = _route_types(" ".join(arguments))
    except KeyError:
        return Unread(" ".join([option, *arguments]))
    return Match((field,), tuple((value,) for value in values), negated)


def _transferred(option: str, negated: bool, arguments: list[str], line: _Line) -> list[Condition]:
    """How much a connection has transferred.

    Its first packets are at the very beginning.
    """
    if option != "--connbytes":
        return []
    mode = next(
        (words[0] for _, name, words in line.options if name == "--connbytes-mode" and words), ""
    )
    most = {"packets": 20, "bytes": 4_000, "avgpkt": 1_500}.get(mode, 1 << 32)
    try:
        values = _ordinary(0, most)(
            arguments[0] if ":" in arguments[0] else f"{arguments[0]}:{1 << 64}"
        )
    except (ValueError, IndexError):
        return [Unread(" ".join([option, *arguments]))]
    return [Match(("proto",), tuple((value,) for value in values), negated)]


_Reader = tuple["Field", "Callable[[str], tuple[Value, ...]]"]


def _either(readers: Sequence[_Reader], negated: bool, text: str, argument: str) -> Condition:
    """A condition that one of several fields meets."""
    try:
        matches = tuple(
            Match((name,), tuple((value,) for value in read(argument))) for name, read in readers
        )
    except (ValueError, KeyError, IndexError):
        return Unread(text)
    return AnyOf(matches, negated)


def _in_set(negated: bool, arguments: list[str], members: Mapping[str, Several]) -> Match | None:
    """`NAME src`, `NAME dst`.

    None for a set that is not known, or that holds more than addresses.
    """
    match arguments:
        case [name, ("src" | "dst") as field] if name in members:
            return Match((field,), ((members[name],),), negated)
    return None


def _module(name: str, line: _Line) -> list[Condition]:
    """The conditions that a match module means by its mere presence."""
    if name == "socket":
        return [_TO_THIS_HOST, Unread("-m socket")]
    if name in ("cluster", "bpf", "cgroup", "statistic", "time", "u32", "osf"):
        unread: list[Condition] = [Unread(f"-m {name}")]
        return [_BY_A_PROCESS, *unread] if name == "cgroup" else unread
    if name == "rpfilter":
        flags = {option for _, option, _ in line.options}
        return [
            Match(
                ("reverse_path",),
                ((Interval(int("--invert" not in flags), int("--invert" not in flags)),),),
            )
        ]
    return []


_TO_THIS_HOST = Match(("dst_type",), ((Interval(ROUTE_TYPES["LOCAL"], ROUTE_TYPES["LOCAL"]),),))
_BY_A_PROCESS = Match(("uid",), ((Interval(0, (1 << 32) - 1),),))
"""What no forwarded packet meets: it is for the host itself, or a process of the host sends it."""


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
    number = int(text) if text.isdigit() else PROTOCOLS[text]
    return (Interval(number, number),)


def _ports(text: str) -> tuple[Value, ...]:
    values = []
    for part in text.split(","):
        low, colon, high = part.partition(":")
        values.append(Interval(int(low or 0), int(high or 65535) if colon else int(low)))
    return tuple(values)


def _bits(names: Mapping[str, int]) -> Callable[[str], tuple[Value, ...]]:
    def read(text: str) -> tuple[Value, ...]:
        mask = 0
        for name in text.split(","):
            mask |= 0 if name == "NONE" else names[name]
        return (Masked(mask, any_bit=True),)

    return read


def _states(text: str) -> tuple[Value, ...]:
    """Conntrack's states; SNAT and DNAT among them are bits of its status."""
    return _bits(STATES)(",".join(name for name in text.split(",") if name in STATES) or "NONE")


def _translations(text: str) -> tuple[Value, ...]:
    names = [name for name in text.split(",") if name not in STATES]
    return _bits(STATUSES)(",".join(names) or "NONE")


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
    mask, wanted = (_flags(name) for name in text.split())
    return with_flags(mask, wanted)


def _flags(text: str) -> int:
    names = {"ALL": tuple(TCP_FLAGS), "NONE": ()}.get(text, text.split(","))
    return sum(TCP_FLAGS.get(name, 0) for name in names)


def _ordinary(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads a range about a size that ordinary packets have between `low` and `high`.

    It holds for all of them, or none.
    """

    def read(text: str) -> tuple[Value, ...]:
        first, colon, last = text.partition(":")
        start, end = int(first or 0), int(last or 65535) if colon else int(first)
        if start <= low and high <= end:
            return (Interval(0, 255),)
        if end < low or high < start:
            return ()
        raise ValueError("holds for some sizes")

    return read


def _above(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads "more than this" about a number that ordinary packets have between `low` and `high`."""
    within = _ordinary(low, high)
    return lambda text: within(f"{int(text) + 1}:")


def _below(low: int, high: int) -> Callable[[str], tuple[Value, ...]]:
    """Reads "less than this" likewise."""
    within = _ordinary(low, high)
    return lambda text: within(f":{int(text) - 1}") if int(text) > 0 else ()


def _icmp(text: str) -> tuple[Value, ...]:
    """`8`, `3/4` or `any`, as iptables-save writes a type and a code."""
    if text == "any":
        return (Interval(0, 0xFFFF),)
    kind, _, code = text.partition("/")
    number = int(kind) << 8
    return (
        Interval(number | int(code), number | int(code))
        if code
        else Interval(number, number | 0xFF),
    )


def _identity(text: str) -> tuple[Value, ...]:
    """A user or group, or a range of them, by number as iptables-save writes it."""
    low, _, high = text.partition("-")
    return (Interval(int(low), int(high or low)),)


def _number(text: str) -> tuple[Value, ...]:
    return (Interval(int(text), int(text)),)


def _one(_: str) -> tuple[Value, ...]:
    return (Interval(1, 1),)


def _quota(text: str) -> tuple[Value, ...]:
    """A quota of nothing is used up; what is left of another one is not known. ValueError then."""
    if int(text) == 0:
        return ()
    raise ValueError("what is left of the quota is not known")


def _mac(text: str) -> tuple[Value, ...]:
    number = int(text.replace(":", ""), 16)
    return (Interval(number, number),)


def _packet_type(text: str) -> tuple[Value, ...]:
    number = {"unicast": 0, "host": 0, "broadcast": 1, "multicast": 2}[text.lower()]
    return (Interval(number, number),)


def _tos(text: str) -> tuple[Value, ...]:
    value, _, mask = text.partition("/")
    bits = int(mask or "0xff", 0)
    return (Masked(bits, int(value, 0) & bits),)


def _dscp(text: str) -> tuple[Value, ...]:
    return (Masked(0xFC, int(text, 0) << 2),)


_RARE = frozenset(
    {
        "--connlimit-above",
        "--hashlimit-above",
        "--string",
        "--hex-string",
        "-f",
        "--fragment",
        "--helper",
        "--realm",
        "--ecn-tcp-cwr",
        "--ecn-tcp-ece",
    }
)
"""Options that only traffic out of the ordinary meets; with one of them false, what else its module
says does not matter."""

_USUAL = frozenset({"--limit", "--hashlimit-upto", "--connlimit-upto", "--nfacct-name"})
"""Options that a client's first packets always meet: they are within the limit, or only counted."""

_LIMIT_DETAILS = ("--limit-burst", "--hashlimit-", "--connlimit-")
"""What else these modules say: how they count, and nothing about the packet."""

_RARE_MODULES = frozenset(
    {"rt", "hbh", "dst", "frag", "mh", "eui64", "srh", "ipv6header", "ah", "esp", "ipcomp"}
)
"""Modules about extension headers and tunnels' packets, which an ordinary packet is none of."""

_SILENT = frozenset(
    {
        "--comment",
        "--algo",
        "--from",
        "--to",
        "--icase",
        "--name",
        "--mask",
        "--rsource",
        "--rdest",
        "--seconds",
        "--reap",
        "--rttl",
        "--set",
        "--loose",
        "--validmark",
        "--accept-local",
        "--invert",
        "--nowildcard",
        "--transparent",
        "--restore-skmark",
        "--limit-iface-in",
        "--limit-iface-out",
        "--return-nomatch",
        "--suppl-groups",
        "--dir",
        "--strict",
        "--reqid",
        "--spi",
        "--proto",
        "--mode",
        "--tunnel-src",
        "--tunnel-dst",
        "--next",
        "--physdev-is-in",
        "--physdev-is-out",
    }
)
"""Options that say nothing about the packet: comments, details of counting, and words that their
module's other options explain."""

_CONDITIONS: Mapping[tuple[str, str], _Reader] = {
    ("", "-i"): ("iif", _interface),
    ("", "-o"): ("oif", _interface),
    ("", "-s"): ("src", _network),
    ("", "-d"): ("dst", _network),
    ("", "-p"): ("proto", _protocol),
    ("", "--src-range"): ("src", _address_range),
    ("", "--dst-range"): ("dst", _address_range),
    ("", "--sport"): ("sport", _ports),
    ("", "--sports"): ("sport", _ports),
    ("", "--dport"): ("dport", _ports),
    ("", "--dports"): ("dport", _ports),
    ("", "--ctstatus"): ("status", _bits(STATUSES)),
    ("", "--ctdir"): ("direction", _direction),
    ("", "--ctproto"): ("proto", _protocol),
    ("", "--ctorigsrc"): ("orig_src", _network),
    ("", "--ctorigdst"): ("orig_dst", _network),
    ("", "--ctorigsrcport"): ("orig_sport", _ports),
    ("", "--ctorigdstport"): ("orig_dport", _ports),
    ("", "--ctreplsrc"): ("repl_src", _network),
    ("", "--ctrepldst"): ("repl_dst", _network),
    ("", "--ctreplsrcport"): ("repl_sport", _ports),
    ("", "--ctrepldstport"): ("repl_dport", _ports),
    ("mark", "--mark"): ("mark", _mark),
    ("connmark", "--mark"): ("ctmark", _mark),
    ("", "--mark"): ("mark", _mark),
    ("", "--syn"): ("syn", _first_packet),
    ("", "--tcp-flags"): ("syn", _tcp_flags),
    ("", "--mss"): ("proto", _ordinary(1200, 1460)),
    ("", "--length"): ("proto", _ordinary(40, 1500)),
    ("", "--ttl-eq"): ("proto", _ordinary(32, 255)),
    ("", "--ttl-lt"): ("proto", _below(32, 255)),
    ("", "--ttl-gt"): ("proto", _above(32, 255)),
    ("", "--hl-eq"): ("hop_limit", _number),
    ("", "--hl-lt"): ("proto", _below(32, 255)),
    ("", "--hl-gt"): ("proto", _above(32, 255)),
    ("", "--icmp-type"): ("icmp", _icmp),
    ("", "--icmpv6-type"): ("icmp", _icmp),
    ("", "--uid-owner"): ("uid", _identity),
    ("", "--gid-owner"): ("gid", _identity),
    ("", "--socket-exists"): ("uid", lambda _: (Interval(0, (1 << 32) - 1),)),
    ("", "--physdev-in"): ("physin", _interface),
    ("", "--physdev-out"): ("physout", _interface),
    ("", "--physdev-is-bridged"): ("bridged", _one),
    ("", "--pkt-type"): ("pkttype", _packet_type),
    ("", "--mac-source"): ("mac", _mac),
    ("tos", "--tos"): ("tos", _tos),
    ("dscp", "--dscp"): ("tos", _dscp),
    ("ecn", "--ecn-ip-ect"): ("tos", lambda text: (Masked(3, int(text)),)),
    ("policy", "--pol"): ("pkttype", lambda text: (Interval(0, 0),) if text == "none" else ()),
    ("quota", "--quota"): ("pkttype", _quota),
}
"""How each option of a module is read; under an empty module those whose name is used once."""

_ALTERNATIVES: Mapping[tuple[str, str], tuple[_Reader, ...]] = {
    ("conntrack", "--ctstate"): (("state", _states), ("status", _translations)),
    ("state", "--state"): (("state", _states), ("status", _translations)),
    ("multiport", "--ports"): (("sport", _ports), ("dport", _ports)),
}
"""Options that two fields may meet."""


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
            assigns.append(_set_mark("mark", options))
            return None
        case "CONNMARK":
            assigns.append(_connection_mark(options))
            return None
        case "HMARK":
            assigns.append(Assign("mark", None))
            return None
        case "CT" | "NOTRACK":
            if name == "NOTRACK" or "--notrack" in options:
                assigns.append(Assign("state", "untracked"))
            return None
        case "NFQUEUE" | "QUEUE" | "TPROXY" | "SYNPROXY" | "STEAL" | "DNETMAP":
            return Maybe(name)
        case _:
            return None if name in _NO_EFFECT else Enter(name)


def _set_mark(field: Literal["mark", "ctmark"], options: Mapping[str, list[str]]) -> Assign:
    """`--set-xmark VALUE/MASK` clears the bits of the mask and joins the value by exclusive or.

    `--set-mark` by or. The value is None where the text is not a number.
    """
    exclusive = options.get("--set-xmark")
    value, _, mask = (exclusive or options.get("--set-mark") or [""])[0].partition("/")
    try:
        number, bits = int(value, 0), int(mask or "0xffffffff", 0)
    except ValueError:
        return Assign(field, None)
    if exclusive is None:
        bits |= number
    return Assign(field, number, keep=0xFFFFFFFF & ~bits)


def _connection_mark(options: Mapping[str, list[str]]) -> Assign:
    """CONNMARK saves the packet's mark in the connection's, or restores it, under masks."""
    try:
        on_packet, on_connection = (
            int((options.get(name) or ["0xffffffff"])[0], 0) for name in ("--nfmask", "--ctmask")
        )
    except ValueError:
        return Assign("mark" if "--restore-mark" in options else "ctmark", None)
    if "--restore-mark" in options:
        return Assign("mark", None, "ctmark", on_connection, 0xFFFFFFFF & ~on_packet)
    if "--save-mark" in options:
        return Assign("ctmark", None, "mark", on_packet, 0xFFFFFFFF & ~on_connection)
    return _set_mark("ctmark", options)


def _translate(kind: Literal["dnat", "snat"], to: list[str] | None) -> Translate:
    """The first address and port of `10.0.0.2:80`, `:80`, `10.0.0.2-10.0.0.9`, `[fd00::2]:80`."""
    text = to[0] if to else ""
    host, _, port = (
        text.rpartition(":") if text.startswith("[") or text.count(":") == 1 else (text, "", "")
    )
    first = host.partition("-")[0].strip("[]")
    try:
        address = str(ip_address(first)) if first else None
    except ValueError:
        address = None
    return Translate(kind, address, _first_port(port))


def _first_port(text: str) -> int | None:
    return int(found[0]) if (found := re.match(r"\d+", text)) else None
