"""The places at localhost that a file of settings names. Pure."""

import re
from collections.abc import Iterator, Sequence

_LOOPBACK = re.compile(
    r"(?P<listens>\b(?:listen|bind)\w{0,20}[\s:=\"']{1,9})?"
    r"(?<![\w.-])(?P<place>(?:localhost|127\.0\.0\.1|\[::1\]):\d{2,5})(?!\d)",
    re.IGNORECASE,
)
"""A port of the loopback, and the word before it where the program listens there itself."""
_OF_BROWSERS = re.compile(
    r"(?:allow|callback|cors|external|frontend|origin|public|redirect|referer|return_)\w{0,20}\b"
    r"|\breturn[ \t]+30\d\b",
    re.IGNORECASE,
)
"""What is for the programs of visitors: their localhost is another one."""
_NEAR = 120
"""Characters before an address that say what it is for."""
_PASSES = re.compile(r"\b(?:proxy_pass|reverse_proxy|server|upstream)\b")
_LIST_BEGINS = re.compile(r"[ \t]*(?P<key>[\"']?[\w.-]{1,60}[\"']?)[ \t]*[:=][ \t]*(?:\[[ \t]*)?")
_ENTRY = re.compile(r"[ \t]*(?:-[ \t]|[\"'])")
_LOOPBACK_HOST = re.compile(
    r"(?:export[ \t]+)?(?P<host>(?P<of>\w{1,60}_)HOST(?:NAME)?=[\"']?"
    r"(?:localhost|127\.0\.0\.1|\[?::1\]?)[\"']?)[ \t]*",
    re.IGNORECASE,
)
"""DB_HOST=localhost, and the part of the name that its port shares: DB_."""
_LOOPBACK_PAIR = re.compile(
    r"[\"'](?:localhost|127\.0\.0\.1)[\"'],[ \t]{0,4}(?P<port>\d{2,5})(?![\w.])"
)
"""Host and port as code has them: ("127.0.0.1", 6379)."""
_PORT = re.compile(r"(?:export[ \t]+)?(?P<of>\w{1,60}_)PORT=[\"']?(?P<port>\d{2,5})[\"']?[ \t]*")
"""Two lines of a file of variables: DB_HOST=127.0.0.1 and DB_PORT=3306."""
_LOOPBACK_KEY = re.compile(
    r"(?P<before>[ \t]*[\"']?\w{0,60}?)(?P<host>(?:host|hostname|server|address)[\"']?[ \t]{0,9}[:=][ \t]{0,9}"
    r"[\"']?(?:localhost|127\.0\.0\.1|\[?::1\]?)[\"']?),?[ \t]*(?:#.*)?",
    re.IGNORECASE,
)
"""A line of a settings file that names the loopback: db_host: localhost."""
_PORT_KEY = re.compile(
    r"(?P<before>[ \t]*[\"']?\w{0,60}?)port[\"']?[ \t]{0,9}[:=][ \t]{0,9}[\"']?(?P<port>\d{2,5})[\"']?,?"
    r"[ \t]*(?:#.*)?",
    re.IGNORECASE,
)
"""Two keys of one block of settings: `host: localhost` and, beside it, `port: 5432`."""
_BESIDE = 6
"""So many lines the two are apart at most."""


def loopback_places(text: str) -> Iterator[str]:
    """The places at localhost that settings name, without those of listeners and of comments.

    grafana.ini has its defaults behind semicolons. Where two variables or two keys name host and
    port, the port follows behind a `|`: DB_HOST=127.0.0.1|3306.
    """
    yield from _loopback_pairs(text.splitlines())
    yield from _loopback_keys(text.splitlines())
    key = ""
    for line in text.splitlines():
        if line.lstrip().startswith((";", "//")):
            continue
        begun = _LIST_BEGINS.fullmatch(line)
        if begun is not None:
            key = begun["key"]
        elif not _ENTRY.match(line):
            key = ""
        for match in _LOOPBACK.finditer(line.partition("#")[0]):
            before = f"{key} {line[max(match.start() - _NEAR, 0) : match.start()]}"
            if not match["listens"] and not _is_of_browsers(before):
                yield match["place"]
        for match in _LOOPBACK_PAIR.finditer(line.partition("#")[0]):
            yield f"{match[0]}|{match['port']}"


def _is_of_browsers(before: str) -> bool:
    """Whether the words before an address say that visitors are led there."""
    return _OF_BROWSERS.search(before) is not None and not _PASSES.search(before)


def _loopback_pairs(lines: Sequence[str]) -> Iterator[str]:
    """Variables that name localhost, with the port that the variable beside them names."""
    ports = {match["of"]: match["port"] for match in filter(None, map(_PORT.fullmatch, lines))}
    for line in lines:
        match = _LOOPBACK_HOST.fullmatch(line)
        if match and match["of"] in ports:
            yield f"{match['host']}|{ports[match['of']]}"


def _loopback_keys(lines: Sequence[str]) -> Iterator[str]:
    """The one key that names localhost, with the port of the key beside it.

    Where several do, nobody can replace one of them by its text.
    """
    hosts = [
        (at, match) for at, line in enumerate(lines) if (match := _LOOPBACK_KEY.fullmatch(line))
    ]
    if len(hosts) != 1:
        return
    at, host = hosts[0]
    for line in (*_block(lines[at + 1 :], host), *_block(lines[:at][::-1], host)):
        port = _PORT_KEY.fullmatch(line)
        if port is not None and port["before"] == host["before"]:
            yield f"{host['host']}|{port['port']}"
            return


def _block(lines: Sequence[str], host: re.Match[str]) -> Iterator[str]:
    """The lines from the key on that are not indented less: those of its block."""
    indent = len(host[0]) - len(host[0].lstrip())
    for line in lines[:_BESIDE]:
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            return
        yield line
