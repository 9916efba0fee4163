"""Places that a program called, by the lines of its log. Pure."""

from typing import NamedTuple

import msgspec

from diagnose.evidence.dns.names.failed_names import failed_name
from diagnose.evidence.network.addresses import WEB_PORTS, is_address
from diagnose.lazy_pattern import LazyPattern

EPHEMERAL = 32_768
"""The port of a client begins here; a line may name who called, too."""
_UPSTREAM = LazyPattern(r'upstream: "\w+://(?P<host>[\w.-]+|\[[0-9a-f:]+\]):(?P<port>\d{2,5})')
"""The server behind nginx, in its log."""
_ADDRESS = LazyPattern(
    r"(?<![\w.:/])(?P<host>\d{1,3}(?:\.\d{1,3}){3})"
    r"(?:[\"')\]]{0,2}(?:[:,]\s?(?:port )?| port )(?P<port>\d{2,5})(?!\d))?(?![\w.]\d)"
)
"""An IPv4 address, and its port: 192.0.2.1:5432, "192.0.2.1", port 5432."""
_OF_THE_CALLER = LazyPattern(
    r"^\S{1,60} \S{1,40} \S{1,60} \[\d{1,2}/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d[^\]]{0,12}\]"
)
"""The text that a web server puts before a message: the client and the time."""
_ADDRESS6 = LazyPattern(
    r"\[(?P<inside>[0-9A-Fa-f:.]{2,45})\](?::(?P<port>\d{2,5})(?!\d))?"
    r"|(?<![\w:.\[])(?P<bare>[0-9A-Fa-f:]{2,39})(?: port |[\"')]{0,2}, port )(?P<behind>\d{2,5})(?!\d)"
)
"""An IPv6 address as URLs and Go write it, and as curl and psycopg do."""
_URL = LazyPattern(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9][\w.-]*)(?::(?P<port>\d{2,5}))?")
_NAME = LazyPattern(
    r"(?<![\w./-])(?!(?:code|errno|line|pid|port|status):)"
    r"(?P<host>[A-Za-z][\w.-]*[A-Za-z0-9])(?:`:`|:)(?P<port>\d{2,5})(?![\w]|:\d)"
)
"""A name with its port: db:5432, or both in backquotes, as Prisma has them. No line of a file, and
no exit code."""
_NAME_OF_CURL = LazyPattern(
    r"\bconnect to (?P<host>[A-Za-z][\w.-]{0,252}) port (?P<port>\d{2,5})(?!\d)"
)
_BEHIND_LIBPQ = LazyPattern(
    r"\bon host \"(?P<host>[\w.-]{1,253})\"[^\n]{0,60}?\baccepting[;\s]{1,4}"
    r"TCP/IP connections on port (?P<port>\d{2,5})"
)
"""The server that libpq called, as its releases before 14 name it on two lines."""
_FILE = LazyPattern(
    r"\.(?:c|cc|clj|cjs|cpp|cs|ex|exs|go|java|js|jsx|kt|lua|mjs|php|pl|pm|py|rb|rs|scala|ts|tsx)$"
)
"""The name of a source file: a number behind it is that of a line."""


class CalledPlace(NamedTuple):
    """The host and the port that a program calls."""

    host: str
    """An address or a name; "" where it is not known."""
    port: int
    """0 where it is not known."""


class ContainerCall(msgspec.Struct, frozen=True):
    """The key of a call: the caller, and the address and port."""

    caller: str
    """The container's id."""
    address: str
    port: int


def called_host(text: str) -> str:
    """The called address or name in a line; "" without one."""
    return failed_name(text) or place_in(text).host


def place_in(text: str) -> CalledPlace:
    """The called host and port in a line; "" and 0 without one."""
    text = _OF_THE_CALLER.sub("", text)
    upstream = _UPSTREAM.search(text)
    if upstream is not None:
        return CalledPlace(upstream["host"].strip("[]"), int(upstream["port"]))
    behind_libpq = _BEHIND_LIBPQ.search(text)
    if behind_libpq is not None:
        return CalledPlace(behind_libpq["host"], int(behind_libpq["port"]))
    address6 = _address6_in(text)
    if address6 is not None:
        return address6
    bare = ""
    for match in _ADDRESS.finditer(text):
        port = int(match["port"] or 0)
        if port and port < EPHEMERAL:
            return CalledPlace(match["host"], port)
        bare = bare or match["host"]
    url = _URL.search(text)
    if url is not None:
        return CalledPlace(url["host"], int(url["port"] or WEB_PORTS[url["scheme"]]))
    by_curl = _NAME_OF_CURL.search(text)
    if by_curl is not None:
        return CalledPlace(by_curl["host"], int(by_curl["port"]))
    for match in _NAME.finditer(text):
        if _FILE.search(match["host"]) is None and int(match["port"]) < EPHEMERAL:
            return CalledPlace(match["host"], int(match["port"]))
    return CalledPlace(bare, 0)


def _address6_in(text: str) -> CalledPlace | None:
    """The IPv6 address and the port that a line says was called."""
    for match in _ADDRESS6.finditer(text):
        host = match["inside"] or match["bare"]
        port = int(match["port"] or match["behind"] or 0)
        if ":" in host and is_address(host) and 0 < port < EPHEMERAL:
            return CalledPlace(host, port)
    return None
