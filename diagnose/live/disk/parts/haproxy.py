"""The parts of HAProxy's configuration that name its servers, or its time limits. Pure.

The rest is not recorded.
"""

import re
from collections.abc import Iterator

_SECTION = re.compile(r"(?P<kind>[a-z-]{3,20})(?:[ \t]+(?P<name>[\w.:-]{1,100}))?[ \t]*(?:#.*)?")
_SERVER = re.compile(
    r"[ \t]+server[ \t]+(?P<name>[\w.:-]{1,100})[ \t]+(?P<place>[\w.:\[\]-]{1,200})"
)
_CHECK = re.compile(
    r"[ \t]+option[ \t]+httpchk(?:[ \t]+(?P<words>[\w/.?&=-]{1,200}[^\n#]{0,100}))?"
)
_TIMEOUT = re.compile(
    r"[ \t]+timeout[ \t]+(?P<kind>client|server|tunnel)[ \t]+(?P<time>\d{1,12}(?:us|ms|[smhd])?)\b"
)
_WITH_SERVERS = frozenset({"backend", "listen"})


def backends(text: str) -> Iterator[str]:
    """`backend NAME`, `server NAME PLACE` and `httpchk WORDS`, a line each."""
    is_inside = False
    for line in text.splitlines():
        section = _SECTION.fullmatch(line)
        if section is not None:
            is_inside = section["kind"] in _WITH_SERVERS and section["name"] is not None
            if is_inside:
                yield f"backend {section['name']}"
        elif is_inside and (server := _SERVER.match(line)) is not None:
            yield f"server {server['name']} {server['place']}"
        elif is_inside and (checked := _CHECK.match(line)) is not None:
            yield f"httpchk {' '.join((checked['words'] or 'OPTIONS /').split()[:2])}"


def time_limits(text: str) -> Iterator[str]:
    """`defaults` for each such section, and `timeout KIND TIME`, a line each."""
    for line in text.splitlines():
        section = _SECTION.fullmatch(line)
        limit = _TIMEOUT.match(line)
        if section is not None and section["kind"] == "defaults":
            yield "defaults"
        elif limit is not None:
            yield f"timeout {limit['kind']} {limit['time']}"
