"""Calls over IPv6 that a log reports as lost, and signs that a program has IPv4. Pure."""

import re
from collections.abc import Iterable, Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.addresses import is_address
from diagnose.lazy_pattern import LazyPattern

_REST = (
    r"(?=:|[0-9a-fA-F:]{0,35}::|(?:[0-9a-fA-F]{1,4}:){6})"
    r"(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{1,4}"
)
"""An IPv6 address after its first group: eight groups or `::`, unlike the time of a request in a
web server's log, `27/Nov/2026:19:28:43`."""
_PUBLIC = LazyPattern(rf"[23](?<![\w:.].)[0-9a-fA-F]{{3}}:{_REST}")
"""An IPv6 address of the internet (2000::/3)."""
_OUTER = LazyPattern(
    rf"(?:[23](?<![\w:.].)[0-9a-fA-F]|[fF](?<![\w:.].)[cCdD])[0-9a-fA-F]{{2}}:{_REST}"
)
"""An outer IPv6 address, or one of a private network (fc00::/7), as VPNs and companies use them."""
_ADDRESS4 = LazyPattern(r"(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_CLIENT = LazyPattern(
    r"\b(?:client|remote|forwarded|x-real)[\w-]*[\W_]{1,5}\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE
)
"""The client of a proxy, in its line about a call that the proxy made itself."""
LOST = frozenset({"unreachable", "timeout"})
_TRIES_IPV4_TOO = LazyPattern(
    r"\[[0-9a-f:]+\](?::\d+)?:? network is unreachable|immediate connect fail for"
    r"|\bfall(?:s|ing)?[ -]?back\b",
    re.IGNORECASE,
)
"""Lines of Postfix, Exim and curl about one address of several; they try the next one."""
_REACHES_IPV4 = LazyPattern(
    r"\bconnected to\b.{0,80}(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)"
    r"|(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d).{0,40}(?<!not )\b(?:connected|established)\b",
    re.IGNORECASE,
)
"""A successful call over IPv4, in the words of wget and curl."""


def tells_of_the_internet(text: str) -> bool:
    """Whether a line says that a call to an IPv6 address of the internet was lost."""
    return tells_of_ipv6(text) and _PUBLIC.search(text) is not None


def tells_of_ipv6(text: str) -> bool:
    """Whether a line says that a call over IPv6 was lost, and IPv4 is not tried next."""
    is_lost = _OUTER.search(text) is not None and bool(signs(text) & LOST)
    return is_lost and _TRIES_IPV4_TOO.search(text) is None


def tells_of_ipv4(text: str) -> bool:
    """Whether a line says that a call over IPv4 was lost."""
    call = _CLIENT.sub("", text)
    return _ADDRESS4.search(call) is not None and bool(signs(call) & LOST)


def reaches_ipv4(lines: Iterable[RecentLine]) -> bool:
    """Whether the log of a program shows that it is connected over IPv4 after all."""
    return any(_REACHES_IPV4.search(line.text) for line in lines)


def called_addresses(reports: Sequence[RecentLine]) -> list[str]:
    """The IPv6 addresses that these lines name, sorted."""
    matches = (_OUTER.search(line.text) for line in reports)
    return sorted({match[0] for match in matches if match is not None and is_address(match[0])})


def is_of_the_internet(address: str) -> bool:
    """Whether a text is an IPv6 address that is not private."""
    return _PUBLIC.fullmatch(address) is not None
