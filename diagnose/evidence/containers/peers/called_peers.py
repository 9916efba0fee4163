"""The containers that a container called without an answer.

Read from its log lines and its configuration.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.containers import Subnet
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.numbers import is_number

_DISTRUSTED = LazyPattern(r"x509: |certificate (?:signed|verify)|self[- ]signed", re.IGNORECASE)
"""Errors of a program about a peer that answers, and that it does not trust."""
_HOST = LazyPattern(r"(?:(?<=//)|(?<![/\w.-]))[\w.-]++(?!:(?:\w{1,20}:)?//)")
"""A word that may be a host name: not part of a path, unless it opens a URL, and no scheme."""
_ADDRESS = LazyPattern(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?")
_PORT = LazyPattern(
    r"(?:(?<=[A-Za-z)\]]):(?=\d\d)|`:`(?=\d\d)|(?<=\d):(?=\d{3})|\bport[ =:]+)(\d{2,5})\b(?!:\d)"
)
"""The port of a call, behind a host or after its word; no time of day."""
_PORT_ASKED = LazyPattern(r"connections on port (\d{2,5})\?")
_LINES_OF_LIBPQ = 2
"""libpq before version 14 names the port two lines below "Connection refused"."""
_CALLED_AT = LazyPattern(
    r"(?:(?<=//)|(?<=[@,])|^)(?P<host>[A-Za-z][\w.-]*):(?P<port>\d{2,5})(?=[/?,]|$)"
)
"""A place in the value of a variable."""
_NAMES_HOST = LazyPattern(r"(?<![A-Z])(?:ADDR(?:ESS)?|HOST(?:NAME)?|SERVER)$")
_PLACE = LazyPattern(
    r"//|\d{1,3}(?:\.\d{1,3}){3}|(?<![\w.-])[A-Za-z][\w.-]*+:\d{2,5}\b|(?<![\w.-])[a-z0-9-]++(?:\.[a-z0-9-]++)++(?![\w.-])"
    r"(?![ \t|:\[-]{1,30}(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b)"
    r"|['\"][\w.-]+['\"]|\blocalhost\b"
)
"""The called place in a line: a URL, an address, a port, a domain (no class of Java and no logger
of Python before its level), a name in quotes."""


def called_peers(
    lines: Iterable[str],
    caller: Container,
    containers: Containers,
    configured: Iterable[str] | None = None,
) -> tuple[Container, ...]:
    """The containers on a network of the caller that did not answer its calls.

    Their name or address is in a line that reports a failed call. Where no line has the target
    ("connect timed out", or an address on the network that no container has any more), they are the
    containers that the caller's configuration names: `configured`, or else its command, environment
    and compose file.
    """
    texts = list(lines)
    unanswered = [line for line in texts if signs(line) & CALL_FAILED]
    if not unanswered:
        distrusted = [line for line in texts if _DISTRUSTED.search(line)]
        return _named_in(distrusted, caller, containers) if distrusted else ()
    peers = _named_in(unanswered, caller, containers)
    if peers:
        return peers
    subnets = {subnet for network in caller.endpoints for subnet in containers.subnets(network)}
    if any(_names_target(line, subnets) for line in unanswered):
        return ()
    words = _configuration(caller) if configured is None else configured
    return _configured_in(words, caller, containers)


def _names_target(line: str, subnets: Collection[Subnet]) -> bool:
    """Whether a line names the target of its call: a name that is unknown, or a place elsewhere."""
    return "dns" in signs(line) or bool(_PLACE.search(_without_neighbours(line, subnets)))


def refused_port(lines: Iterable[str]) -> int:
    """The port on which calls were refused, by the last line that names one; or 0.

    Node.js writes lines about the same error below that one. 0 where no line names one, or one
    names several.
    """
    every = list(lines)
    for place in reversed(range(len(every))):
        if "refused" not in signs(every[place]):
            continue
        ports = set(map(int, _PORT.findall(every[place]))) or _port_asked_below(every, place)
        if ports:
            return only(ports) or 0
    return 0


def configured_port(caller: Container, callee: Container) -> int:
    """The port at which the variables of a container call another one; or 0.

    DATABASE_URL=postgres://db:5433/shop, or DB_PORT beside DB_HOST=db. 0 where none does, or
    several do.
    """
    values = dict(caller.config.environment)
    ports: set[str] = set()
    for name, value in values.items():
        for called in _CALLED_AT.finditer(value):
            if called["host"] in callee.dns_names:
                ports.add(called["port"])
        port_name = _NAMES_HOST.sub("PORT", name)
        if value in callee.dns_names and port_name != name:
            ports.add(values.get(port_name, ""))
    numbers = {int(port) for port in ports if is_number(port)}
    return only(sorted(numbers)) or 0


def _port_asked_below(lines: Sequence[str], place: int) -> set[int]:
    """The port after which libpq asks below its complaint."""
    below = "\n".join(lines[place + 1 : place + 1 + _LINES_OF_LIBPQ])
    return {int(port) for port in _PORT_ASKED.findall(below)}


def named_peers(
    lines: Iterable[str], caller: Container, containers: Containers
) -> tuple[Container, ...]:
    """The containers on the caller's networks that a line names.

    By name or address; if there are none, those that its configuration names.
    """
    return _named_in(lines, caller, containers) or _configured_in(
        _configuration(caller), caller, containers
    )


def _configured_in(
    texts: Iterable[str], caller: Container, containers: Containers
) -> tuple[Container, ...]:
    """The containers that a configuration names.

    A name of the caller's own tells the program who it is: its replicas have it too.
    """
    return _named_in(texts, caller, containers, but=caller.dns_names)


def _named_in(
    texts: Iterable[str], caller: Container, containers: Containers, but: Collection[str] = ()
) -> tuple[Container, ...]:
    """The containers on the caller's networks whose names or addresses stand in the texts."""
    words = {word.strip(".") for text in texts for word in _HOST.findall(text)}.difference(but)
    peers = {peer.id: peer for word in words for peer in containers.called_by(caller, word)}
    peers.pop(caller.id, None)
    return containers.in_order(peers.values())


def _without_neighbours(line: str, subnets: Collection[Subnet]) -> str:
    """The line without the addresses in these subnets.

    The host's own address there stays: a gateway is not a container.
    """

    def blanked(match: re.Match[str]) -> str:
        return "" if _is_in(match["address"], subnets) else match[0]

    return _ADDRESS.sub(blanked, line)


def _is_in(text: str, subnets: Collection[Subnet]) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return any(address in subnet.addresses and text != subnet.gateway for subnet in subnets)


def _configuration(caller: Container) -> list[str]:
    """The parts of a container's configuration that may name other containers.

    Arguments, values of variables, `depends_on` of compose.
    """
    values = [value for _, value in caller.config.environment]
    return [*caller.command, *values, caller.compose_label("depends_on")]
