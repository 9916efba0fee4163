"""Readers of a question: ends of connections, servers, ports, addresses and names. Pure.

The words are read here and nowhere else, before any host is looked at. `named_containers`,
`named_places` and `asked_ways` find them on the examined host.
"""

import re
from collections.abc import Container, Iterable, Iterator

import msgspec

from diagnose.evidence.network.addresses import WEB_PORTS, is_address
from diagnose.mappings import distinct

MOST_REACHED = 4
"""At most this many ports of this host are examined as other machines reach them."""
_MOST_PORT = 65535
_CANNOT_REACH = re.compile(
    r"""
    \b(?P<begin>[\w.-]+)\s+
    (?: can(?:not|'t|t|\ not) | does(?:\ not|n't|nt) | could(?:\ not|n't) | will\ not | won't
      | fails?\ to | (?:is\ )?unable\ to )\s+
    (?: reach | connect\ to | talk\ to | ping | see | call | access | open )\s+
    (?:the\s+)?(?P<end>[\w.:-]+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""web cannot reach db:5432"""
_NOT_REACHED_FROM = re.compile(
    r"""
    (?<![\w.:-])(?P<end>[\w.:-]++)\s+
    (?: (?:(?:is|are)\s+)?not\s+(?:reachable|accessible|available)
      | (?:(?:is|are)\s+)?unreachable
      | does\s?n[o']t\s+answer )\s+
    from\s+(?:(?:the|my|inside|within|container)\s+){0,3}(?P<begin>[\w.-]+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""db is not reachable from web"""
_FROM_TO = re.compile(
    r"""
    \bfrom\s+(?:(?:the|container)\s+){0,2}(?P<begin>[\w.-]+)\s+
    to\s+(?:(?:the|container)\s+){0,2}(?P<end>[\w.:-]+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""the connection from web to 192.0.2.9:443"""
_ON_PORT = re.compile(r"\b(?:on|at)\s+port\s+(?P<port>\d{1,5})\b", re.IGNORECASE)
_IPV4 = r"(?:\d{1,3}\.){3}\d{1,3}"
_SERVER = re.compile(
    rf"""
    (?: \b(?P<scheme>https?)://(?P<place>\[[\da-f:]+\] | [\w.-]+)
      | (?<![\w.:/-])(?P<address>{_IPV4})(?=:\d) )
    (?: :(?P<port>\d{{1,5}})\b(?!-) )?
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A URL, or an IPv4 address with its port."""
_PORT = re.compile(
    r"""
    (?: \b(?P<loopback>localhost|127\.0\.0\.1|0\.0\.0\.0)(?: : | \s+port\s+ )
      | (?<!smtp\ )\bports?\s+ )
    (?P<port>\d{2,5})\b(?!\.\d)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A port of this host; mail is sent to the smtp port of another one."""
_FROM_OUTSIDE = re.compile(
    r"""
    \b(?:from|on|by|in|over)\s+(?:(?:the|my|an?)\s+)?
      (?: outside | another | other | lan | (?:local\ )?network | internet | laptop | pc | phone
        | desktop | browser | workstation | mac )\b
    | \b(?: remotely | browsers? | laptop | other\ (?:machine|computer|device|host|pc)s? )\b
    | \bnot\ (?:be\ )?(?:reachable|accessible)\b
    | \b(?:unreachable|inaccessible)\b
    | \bport\s+\d+\s+(?:is|does|do|not|can|cannot|can't|refuses|times)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words of a question about a port of this host, from another machine."""
_AS_VISITOR = re.compile(r"\bcurl\b|\bwget\b|\bERR_[A-Z]|\b(?:web)?sites?\b", re.IGNORECASE)
"""Words of a question about a port of this host, from any machine."""
_LOST = re.compile(
    r"""
    \b(?: reach | unreachable | access | answer | respond | connect | handshake | time[sd]?[ ]?-?out
      | hang | receiv | arriv | work | open | closed | blocked | filtered | resolve | fail
      | no\ (?:logs|packets) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words about a port by which nobody comes in."""
_ALL_PORTS = re.compile(
    r"""
    \b(?:none|all|any|every|no|each)\b
      (?:\s+(?:of|my|the|our|docker|container|published|exposed|mapped|forwarded|open))*
      \s+ports?\b(?!\s*\d)
    | \b(?:published|exposed|mapped)\s+ports\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""none of my published ports"""
_UDP_PORT = re.compile(
    r"\b(?P<before>\d{1,5})/udp\b|\budp(?:\s+port)?\s+(?P<behind>\d{1,5})\b", re.IGNORECASE
)
_UDP = re.compile(r"\budp\b", re.IGNORECASE)
_UDP_SERVICES = {
    "dns": 53,
    "wireguard": 51820,
    "openvpn": 1194,
    "syslog": 514,
    "snmp": 161,
    "ntp": 123,
    "tftp": 69,
    "radius": 1812,
    "netflow": 2055,
    "statsd": 8125,
    "gelf": 12201,
    "stun": 3478,
}
"""Services that are called over UDP, by the name that people give them."""
_WORD = re.compile(r"[a-z]+")
_ADDRESS = re.compile(rf"(?<![\w.]){_IPV4}(?![\w/-])(?!\.\w)")
"""No network (172.18.0.0/16), and no version."""
_HOST_NAME = r"\w[\w-]{0,62}(?:\.[\w-]{1,63}){0,9}"
_LOOKED_UP = (
    re.compile(
        r"""
        (?: getaddrinfo\ (?:ENOTFOUND|EAI_AGAIN)\  | UnknownHostException:\  | getaddrinfo\ for\ "
          | Could\ not\ resolve\ host:\  | translate\ host\ name\ \\?["'] | bad\ address\ '
          | server\ can't\ find\  | not\ found\ in\ upstream\ " )
        """
        rf"(?P<name>{_HOST_NAME})",
        re.VERBOSE,
    ),
    re.compile(rf"\blookup (?P<name>{_HOST_NAME})(?:\.? on |: )"),
    re.compile(
        rf"^(?:ping: )?(?P<name>{_HOST_NAME}): (?:Temporary failure in name|Name or service not known)"
    ),
)
"""A name that a program looked up, in the errors of many languages' resolvers."""
_SITE = re.compile(r"(?<![\w.@/-])(?:[\w-]{1,63}\.){1,7}[A-Za-z]{2,20}(?![\w.-]|\()")
"""The name of a host; no path, no function, no address of mail."""
_LOOPBACKS = ("localhost", "127.0.0.1", "[::1]")


class NamedEnds(msgspec.Struct, frozen=True):
    """The two ends that a question names: "web cannot reach db"."""

    begin: str
    end: str


class NamedServer(msgspec.Struct, frozen=True):
    """A server that a question names by its URL, or by its address and port."""

    place: str
    port: int
    """The usual one of the scheme where none is typed."""
    is_url: bool
    has_port: bool
    """Whether the port is typed."""

    @property
    def is_loopback(self) -> bool:
        return self.place.lower() in _LOOPBACKS


class UserQuestion(msgspec.Struct, frozen=True):
    """The things that the words of a question or of a pasted message name."""

    words: frozenset[str]
    """As they are typed: one of them may be the name of a container."""
    pairs: tuple[NamedEnds, ...]
    """Both ends of each connection that does not work."""
    port_of_end: int | None
    """The port of the called end, where it stands apart: "on port 5432"."""
    servers: tuple[NamedServer, ...]
    ports: tuple[int, ...]
    """The ports of this host that a visitor names, who is not a program of a container.

    In the line of a program's log, a port belongs to the server that the program calls.
    """
    reached: tuple[str, ...]
    """The places at which other machines call this host, if the addresses are its own.

    `8080`, or `192.0.2.10:8080`.
    """
    udp_ports: tuple[int, ...]
    """The UDP ports that are out of reach by the words of the question, by a number or a service.
    """
    is_of_udp: bool
    """Whether the words name the protocol."""
    is_of_all_ports: bool
    """Whether all published ports are out of reach: "none of my published ports"."""
    is_of_loopback: bool
    """Whether the words name the loopback of this host."""
    addresses: tuple[str, ...]
    """IPv4 addresses."""
    looked_up: tuple[str, ...]
    """The names that a program did not find."""
    sites: tuple[str, ...]
    """Names of several words, such as shop.example.com."""


class _NamedPort(msgspec.Struct, frozen=True):
    number: int
    is_of_loopback: bool


def read(text: str) -> UserQuestion:
    """The things that the text names, each once and in its order."""
    servers = tuple(_servers(text))
    ports = tuple(_ports(text))
    is_from_outside = _FROM_OUTSIDE.search(text) is not None
    is_of_visitor = is_from_outside or _AS_VISITOR.search(text) is not None
    port_of_end = _ON_PORT.search(text)
    return UserQuestion(
        words=frozenset(re.findall(r"[\w.-]+", text)),
        pairs=tuple(_pairs(text)),
        port_of_end=int(port_of_end["port"]) if port_of_end is not None else None,
        servers=servers,
        ports=distinct(port.number for port in ports) if is_of_visitor else (),
        reached=_reached_places(servers, ports if is_from_outside else ()),
        udp_ports=tuple(sorted(_udp_ports(text))) if _LOST.search(text) else (),
        is_of_udp=_UDP.search(text) is not None,
        is_of_all_ports=bool(_ALL_PORTS.search(text) and _LOST.search(text)),
        is_of_loopback=any(place in text for place in _LOOPBACKS),
        addresses=distinct(_ADDRESS.findall(text)),
        looked_up=_looked_up_names(text),
        sites=distinct(_SITE.findall(text)),
    )


def ends(text: str) -> NamedEnds | None:
    """The ends of a connection that does not work, where a person names two."""
    match = _CANNOT_REACH.search(text)
    return _named_ends(match) if match is not None else None


def without_ends(text: str, words_of_symptoms: Container[str]) -> str:
    """The text without the names of two ends, which are not words of a symptom."""

    def shortened(match: re.Match[str]) -> str:
        begin, end = (
            "" if match[group].lower() in words_of_symptoms else match[group]
            for group in ("begin", "end")
        )
        return match[0].removeprefix(begin).removesuffix(end)

    return _CANNOT_REACH.sub(shortened, text)


def _pairs(text: str) -> Iterator[NamedEnds]:
    first = ends(text)
    if first is not None:
        yield first
    for pattern in (_NOT_REACHED_FROM, _FROM_TO):
        yield from map(_named_ends, pattern.finditer(text))


def _named_ends(match: re.Match[str]) -> NamedEnds:
    return NamedEnds(match["begin"], match["end"].rstrip(".:"))


def _servers(text: str) -> Iterator[NamedServer]:
    for match in _SERVER.finditer(text):
        place = (match["place"] or match["address"]).rstrip(".")
        port = int(match["port"] or WEB_PORTS.get((match["scheme"] or "").lower(), 0))
        if 0 < port <= _MOST_PORT:
            yield NamedServer(
                place, port, is_url=bool(match["scheme"]), has_port=bool(match["port"])
            )


def _ports(text: str) -> Iterator[_NamedPort]:
    for match in _PORT.finditer(text):
        number = int(match["port"])
        if 0 < number <= _MOST_PORT:
            yield _NamedPort(number, is_of_loopback=bool(match["loopback"]))


def _udp_ports(text: str) -> set[int]:
    """The numbers of the UDP ports that the text names, and those of the services."""
    typed = {int(match["before"] or match["behind"]) for match in _UDP_PORT.finditer(text)}
    words = set(_WORD.findall(text.lower()))
    return typed | {number for service, number in _UDP_SERVICES.items() if service in words}


def _reached_places(servers: Iterable[NamedServer], ports: Iterable[_NamedPort]) -> tuple[str, ...]:
    """Servers by their address, and ports that belong to none of them and not to the loopback."""
    by_address = [server for server in servers if is_address(server.place)]
    ports_with_address = {server.port for server in by_address}
    reached = [f"{server.place}:{server.port}" for server in by_address]
    reached += [
        str(port.number)
        for port in ports
        if not port.is_of_loopback and port.number not in ports_with_address
    ]
    return distinct(reached)[:MOST_REACHED]


def _looked_up_names(text: str) -> tuple[str, ...]:
    matches = (match for pattern in _LOOKED_UP for match in pattern.finditer(text))
    in_order = sorted(matches, key=lambda match: match.start())
    return distinct(match["name"] for match in in_order)
