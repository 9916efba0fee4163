"""Ports of this host that a question says others do not reach. Pure."""

import re
from collections.abc import Iterator

_OUTSIDE = re.compile(
    r"\b(?:from|on|by|in|over)\s+(?:the\s+|my\s+|a\s+|an\s+)?"
    r"(?:outside|another|other|lan|local network|network|internet|laptop|pc|phone|desktop|browser"
    r"|workstation|mac)\b"
    r"|\b(?:remotely|browsers?|laptop|other (?:machines?|computers?|devices?|hosts?|pcs?))\b"
    r"|\bnot (?:be )?(?:reachable|accessible)\b|\b(?:unreachable|inaccessible)\b"
    r"|\bport\s+\d{2,5}\s+(?:is|does|do|not|can|cannot|can't|refuses|times)\b",
    re.IGNORECASE,
)
"""Who asks so calls the port of this host from another machine."""
_PORT = re.compile(r"\bports?\s+(?P<port>\d{2,5})\b(?!\.\d)", re.IGNORECASE)
_PLACE = re.compile(
    r"(?<![\w.:/-])(?:(?P<scheme>https?)://)?(?P<address>(?:\d{1,3}\.){3}\d{1,3})(?::(?P<port>\d{2,5}))?"
    r"(?![\w.]*\d|[\w-])"
)
_USUAL = {"http": "80", "https": "443"}
_MOST_PORT = 65535
_MOST = 4


def asked_places(text: str) -> tuple[str, ...]:
    """`8080`, or `192.0.2.10:8080`; which of these are of this host, its addresses decide.

    A port alone counts where the words say that it is called from another machine: in the line of a
    program's log it is that of whom the program calls.
    """
    found = [*_places(text), *(_ports(text) if _OUTSIDE.search(text) else ())]
    return tuple(dict.fromkeys(found))[:_MOST]


def _places(text: str) -> Iterator[str]:
    for match in _PLACE.finditer(text):
        port = match["port"] or _USUAL.get(match["scheme"] or "", "")
        if port and int(port) <= _MOST_PORT:
            yield f"{match['address']}:{port}"


def _ports(text: str) -> Iterator[str]:
    named = {place.rpartition(":")[2] for place in _places(text)}
    for match in _PORT.finditer(text):
        if int(match["port"]) <= _MOST_PORT and match["port"] not in named:
            yield match["port"]
