"""Lists of addresses in settings: whose calls, mails or headers a program takes. Pure.

A list is found by the name of its setting, in the words of nginx, Apache, Postfix, PostgreSQL,
rsync, YAML, JSON, PHP and `name = value`. Its entries stay as they are written.
"""

from collections.abc import Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)

import msgspec

from diagnose.lazy_pattern import LazyPattern

Subnet = IPv4Network | IPv6Network

TRUSTS = LazyPattern(
    r"(?i)prox(?:y|ies)|forwarded|real_?ip|remote_?ip|trusted_?ips|known_?networks"
)
"""Names of lists of proxies, whose word about their clients a program takes."""
IS_LIST = LazyPattern(
    r"""(?xi)
    (?: allow(?:ed)? | permit(?:ted)? | trust(?:ed)? | accept(?:ed)? | authori[sz]ed | known )
        [-_.]? (?: \w{1,30}? [-_.]? )?
        (?: ips? | addr(?:ess(?:es)?)? | nets? | networks? | ranges? | cidrs? | prox(?:y|ies)
          | clients? | from | sources? | subnets? | docker ) (?![a-z])
    | (?<![a-z]) (?: ips? | networks? | cidrs? | clients? | subnets? | hosts ) [-_. ]?
        (?: allow(?:ed)? | trusted | white_?list | allow_?list )
    | mynetworks (?! _style ) | relay_?net(?:work)?s | forwarded[-_]allow[-_]ips
    | real_?ip_?from | remoteip(?:internal|trusted)proxy | sourcerange | white_?list | allow_?list
    | ^ permit_docker $
    """
)
"""Names of settings that list addresses; ALLOWED_HOSTS has a program's own names."""
_KEY = LazyPattern(
    r"""(?x)
    ^ [\s"'$-]{0,40} (?P<name> [\w.-]{1,80} ) ["'\])]{0,3} [ \t]* (?: => | [:=] | [ \t] ) (?P<rest> .* ) $
    """
)
"""trusted_proxies: 10.0.0.1, mynetworks = 10.0.0.0/8, allow 10.0.0.0/8;"""
_PHRASE = LazyPattern(
    r"(?i)^[ \t]*(?P<name>hosts allow|require ip|allow from|allow)(?![\w-])[ \t]*=?[ \t]*(?P<rest>.*)$"
)
"""rsync and Samba, Apache, and nginx."""
_RULE_OF_POSTGRES = LazyPattern(
    r"(?x)^[ \t]* (?P<name> host(?:no)?(?:ssl|gssenc)? [ \t]+ \S+ [ \t]+ \S+ ) [ \t]+ (?P<rest> [^#\n]+ )"
)
"""host all all 172.18.0.0/16 scram-sha-256"""
_FURTHER = LazyPattern(
    r"^[\s\"'\[({-]{0,40}(?:\d{1,3}[ \t]*=>[ \t]*)?[\"']?(?:\d|[0-9a-fA-F]{0,4}:[0-9a-fA-F:])"
)
"""A line that begins with one more entry of the list above it."""
_ENTRY = LazyPattern(r"[^\s,;|\"'(){}=>]+")
_PASSED = frozenset({"static", "array", "src", "ip", "from", "-", "\\", "[", "]"})
"""Words between the name of a list and its entries."""
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
_WORDS = {
    **dict.fromkeys(("*", "all", "any", "0/0", "everyone"), ("0.0.0.0/0", "::/0")),
    **dict.fromkeys(("private", "private_ranges", "uniquelocal"), _PRIVATE),
    **dict.fromkeys(("localhost", "loopback"), ("127.0.0.0/8", "::1/128")),
    **dict.fromkeys(("none", "off", "false", "null"), ()),
}
"""Words that programs take for networks: Caddy, Express, PostgreSQL, uvicorn."""
_COPIED = LazyPattern(r"(?i)^[ \t]*(?:-[ \t]|require ip |allow from |host)")
"""Lines of which a list may have several, with an entry each."""


class AddressList(msgspec.Struct, frozen=True):
    """A list of addresses in a setting."""

    name: str
    entries: tuple[str, ...]
    line: int = 0
    """The number of the line with the last entry; 0 outside a file."""
    separator: str | None = None
    """What parts two entries of that line; None where each entry has a line of its own, or where
    the line has a single entry and does not show."""
    is_copied: bool = False
    """Whether one more entry is a copy of that line."""

    @property
    def is_of_proxies(self) -> bool:
        """Whether it lists proxies rather than clients."""
        return TRUSTS.search(self.name) is not None


def networks_of(entry: str) -> tuple[Subnet, ...] | None:
    """The networks that an entry stands for; None for a word or a name of a machine."""
    word = entry.strip("[]").replace("]/", "/")
    if word.lower() in _WORDS:
        return tuple(map(ip_network, _WORDS[word.lower()]))
    first, is_range, last = word.partition("-")
    parts = word.rstrip(".*").split(".")
    try:
        if is_range:
            return _networks_between(first, last)
        if word.endswith((".", "*")) and len(parts) < 4:
            whole = ".".join([*parts, *["0"] * (4 - len(parts))])
            return (ip_network(f"{whole}/{8 * len(parts)}"),)
        return (ip_network(word, strict=False),)
    except ValueError:
        return None


def _networks_between(first: str, last: str) -> tuple[Subnet, ...]:
    """The networks of a range of addresses, whose end may be the last number alone."""
    end = last if "." in last or ":" in last else f"{first.rpartition('.')[0]}.{last}"
    low, high = ip_address(first), ip_address(end)
    if isinstance(low, IPv4Address) and isinstance(high, IPv4Address):
        return tuple(summarize_address_range(low, high))
    raise ValueError(last)


def entries_of(text: str) -> tuple[str, ...]:
    """The entries of a list in a variable or an option."""
    words = _ENTRY.findall(text)
    return tuple(word for word in words if word.lower() not in _PASSED and not word.isdigit())


def holds(networks: tuple[Subnet, ...], address: str) -> bool:
    """Whether networks hold an address."""
    own = ip_address(address)
    return any(own in network for network in networks)


class _Line(msgspec.Struct, frozen=True):
    """The part of a line that belongs to a list."""

    name: str
    rest: str


def address_lists(text: str) -> Iterator[AddressList]:
    """The lists of a file of settings that have an address; those in comments are left out."""
    open_list: AddressList | None = None
    for number, code in _statements(text):
        head = _head(code.text)
        entries = entries_of(code.text if head is None else head.rest)
        goes_on = _FURTHER.match(code.text) if head is None else _is_the_same(open_list, head)
        if open_list is not None and goes_on:
            open_list = _extended(open_list, entries, number, code)
            continue
        if open_list is not None and open_list.line:
            yield open_list
        open_list = None
        if head is not None:
            open_list = _extended(AddressList(head.name, ()), entries, number, code)
    if open_list is not None and open_list.line:
        yield open_list


class _Statement(msgspec.Struct, frozen=True):
    """A setting of a line, which nginx and BIND end with a semicolon."""

    text: str
    has_end: bool


def _statements(text: str) -> Iterator[tuple[int, _Statement]]:
    """The settings of a file with the numbers of their lines, without comments."""
    for number, line in enumerate(text.splitlines(), 1):
        code = line.lstrip()
        if code.startswith(("#", "//", ";")):
            continue
        *ended, last = line.partition(" #")[0].rstrip().split(";")
        for part in ended:
            yield number, _Statement(part.rpartition("{")[2], has_end=True)
        if last.strip():
            yield number, _Statement(last, has_end=False)


def _is_the_same(open_list: AddressList | None, head: _Line) -> bool:
    """Whether a line goes on with a list whose name each line repeats."""
    is_filled = open_list is not None and bool(open_list.entries)
    return is_filled and open_list is not None and open_list.name == head.name


def _head(code: str) -> _Line | None:
    """The beginning of a list in a line; None for any other line."""
    rule = _RULE_OF_POSTGRES.match(code)
    if rule is not None:
        return _Line(" ".join(rule["name"].split()), _address_in_rule(rule["rest"]))
    phrase = _PHRASE.match(code)
    if phrase is not None:
        return _Line(phrase["name"].lower(), phrase["rest"])
    setting = _KEY.match(code)
    is_list = setting is not None and IS_LIST.search(setting["name"]) is not None
    return _Line(setting["name"], setting["rest"]) if setting is not None and is_list else None


def _address_in_rule(rest: str) -> str:
    """The network of a rule of PostgreSQL, whose mask may be a word of its own."""
    words = rest.split()
    has_mask = len(words) > 2 and words[1][:1].isdigit()
    return f"{words[0]}/{words[1]}" if has_mask else words[0]


def _extended(
    known: AddressList, entries: tuple[str, ...], number: int, code: _Statement
) -> AddressList:
    """A list with the entries of one more line."""
    addresses = [entry for entry in entries if networks_of(entry)]
    if not addresses:
        return msgspec.structs.replace(known, entries=(*known.entries, *entries))
    is_single = len(addresses) == 1
    return msgspec.structs.replace(
        known,
        entries=(*known.entries, *entries),
        line=number,
        separator=_separator(code, known.name, entries),
        is_copied=is_single and entries[-1] in code.text and _is_copied(code),
    )


def _is_copied(code: _Statement) -> bool:
    return not code.has_end and _COPIED.match(code.text) is not None


def _separator(code: _Statement, name: str, entries: tuple[str, ...]) -> str | None:
    """The text between the last two entries of a line; None for a single one."""
    if code.has_end:
        return f"; {name} " if name in code.text else "; "
    if len(entries) < 2:
        return None
    start = code.text.find(entries[-2]) + len(entries[-2])
    end = code.text.find(entries[-1], start)
    return code.text[start:end] if end > start else None
