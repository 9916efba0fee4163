"""Log lines of the host's web servers and proxies about the servers behind them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.logs.own_files.log_folder import BYTES, RECENT_S
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.called_places import CalledPlace, place_in
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import HOST, Failed, Unexamined
from diagnose.numbers import is_number
from diagnose.programs.line_times import written_at
from diagnose.programs.log_message import ERROR, message
from diagnose.questions import Host
from diagnose.questions.files import FileText, ListFolder, ReadFile
from diagnose.questions.log_files import FindLogFiles
from diagnose.questions.service import ReadJournal

MOST_FILES = 8
_FRESH_S = 60.0
_REFUSED_S = 1800.0
"""Seconds for which refusals of requests count, longer than failures: nobody uploads a file each
second."""
_ENGINE = CalledPlace("127.0.0.11", 53)
_IDLE = "while proxying upgraded connection"
"""A websocket that was idle for a minute, or whose server was restarted: its client calls again."""
_FOLDERS = {
    "apache2": "/var/log/apache2",
    "caddy": "/var/log/caddy",
    "haproxy": "",
    "httpd": "/var/log/httpd",
    "nginx": "/var/log/nginx",
    "traefik": "/var/log/traefik",
}
"""Log folders of each program's packages, by the name of its processes."""
PROGRAMS = _FOLDERS.keys()
_FILES = {"haproxy": "/var/log/haproxy.log", "traefik": "/var/log/traefik/access.log"}
"""The file that rsyslog writes for HAProxy, and the usual file of Traefik's requests."""
_WITH_JOURNAL = frozenset({"caddy", "haproxy", "traefik"})
"""Programs that print, so that systemd has their lines."""
_ERROR_LOG = LazyPattern(r"error(?:[_.]log|\.log)$|error_log$|^(?:caddy|traefik)[\w.-]{0,40}\.log$")
_OF_NGINX = LazyPattern(
    r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:error|crit|alert|emerg)\] .*\bupstream: \""
)
_ASKS_ENGINE = LazyPattern(
    r"\b111: Connection refused\) while resolving, resolver: 127\.0\.0\.11(?::53)?(?!\d)"
)
_REFUSED_BY_NGINX = LazyPattern(
    r"(?:client intended to send too large (?:chunked )?body|worker_connections are not enough)"
    r".{0,200}?, server: (?P<site>[^\s,]{0,253}), request: \"[A-Z]{1,20} (?P<path>/[^\s?\"]{0,1000})"
)
"""Requests that nginx itself refuses: the server behind it never learns of them."""
_OF_APACHE = LazyPattern(r"^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [^\]]{1,40}\] \[proxy\w*:error\] ")
_OF_HAPROXY = LazyPattern(
    r"\s(?P<backend>[\w.:-]{1,80})/(?P<server><NOSRV>|[\w.:-]{1,80}) [\d+/-]{5,60} 50[234] "
    r"\S{1,20} \S{1,80} \S{1,80} [SsP][A-Z-]"
)
"""The first letter of a session's end: S, s where the server ended it or was silent, P where the
proxy did. An error page of the server itself ends as usual, with `-`."""
_OF_TRAEFIK = LazyPattern(
    r"\" (?:502 11|503 19|504 15) .{0,300}\"https?://(?P<place>[^\"/\s]{1,200})\""
    r"|\"OriginContentSize\":(?:11|15|19),\"OriginDuration\":\d{1,20},\"OriginStatus\":50[234]\b"
    r"|\b50[234] (?:Bad Gateway|Gateway Timeout|Service Unavailable)\b"
)
"""Its own answer is the name of the status: so many bytes. An error page of the server has others.
The keys of its JSON are sorted."""
_OF_CADDY = LazyPattern(r"\"status\": ?50[234]\b")
"""An error of its proxy; 500 is Caddy's own, such as a template that fails."""
_SERVICE = LazyPattern(r"\"ServiceAddr\":\"(?P<place>[^\"]{1,200})\"")
_SETTINGS = {
    "caddy": ReadFile("/etc/caddy/Caddyfile", parts="loopback"),
    "haproxy": ReadFile("/etc/haproxy/haproxy.cfg", parts="servers"),
}
"""Settings files with the servers, for programs whose lines have no address."""


class HostLine(msgspec.Struct, frozen=True):
    """A line about a request that could not be passed on to a server."""

    at: float
    text: str
    place: CalledPlace
    """The server."""


class RefusedRequest(msgspec.Struct, frozen=True):
    """A line about a request that nginx did not want to pass on."""

    at: float
    text: str
    site: str
    """The `server_name` of the site; "" or _ where it has none."""
    path: str


class HostLog(msgspec.Struct, frozen=True):
    """The lines of one log of a program, oldest first."""

    program: str
    path: str
    """The file; "" for the journal of the program's unit."""
    lines: tuple[HostLine, ...]
    mark: str = ""
    """Words that all of these lines have, where they do not name the server's address."""
    without_resolver: tuple[HostLine, ...] = ()
    """The lines of nginx where the engine's resolver is not reachable for it."""
    refused: tuple[RefusedRequest, ...] = ()
    """Requests of half an hour that nginx itself refused."""

    @property
    def name(self) -> str:
        return self.path or f"the journal of {self.program}.service"


def asks_engine(line: str) -> bool:
    """Whether nginx reports that the engine's resolver refuses it: the host has none there."""
    return _ASKS_ENGINE.search(line) is not None


def logs_of(
    host: Host, program: str, pids: Sequence[int], clock: Clock
) -> Iterator[HostLog | Unexamined]:
    """A program's recent logs; an unreadable one is reported as not examined.

    Within a minute for requests that could not be forwarded, within half an hour for those that
    nginx itself refused.
    """
    servers = _servers(host, program)
    for path, answer in _files(host, program, pids):
        if not isinstance(answer, Failed):
            yield from _recent_log(program, path, answer, servers, clock)
        elif answer.reason != "missing":
            yield Unexamined(HOST, f"{path} of {program}: {answer}")
    if program in _WITH_JOURNAL:
        yield from _log_in_journal(host, program, servers, clock)


def _recent_log(
    program: str, path: str, file: FileText, servers: Mapping[str, CalledPlace], clock: Clock
) -> Iterator[HostLog]:
    """The log in a file, unless it is old."""
    refused = tuple(_refused_requests(file)) if program == "nginx" else ()
    if clock.is_within(file.mtime, _FRESH_S):
        dated = dated_lines(file, RECENT_S)
        no_resolver = (HostLine(at, line, _ENGINE) for at, line in dated if asks_engine(line))
        yield HostLog(
            program,
            path,
            tuple(_failed_requests(program, dated, servers)),
            mark=_mark(program),
            without_resolver=tuple(no_resolver),
            refused=refused,
        )
    elif refused and clock.is_within(file.mtime, _REFUSED_S):
        yield HostLog(program, path, (), refused=refused)


def _log_in_journal(
    host: Host, program: str, servers: Mapping[str, CalledPlace], clock: Clock
) -> Iterator[HostLog | Unexamined]:
    """The log in the journal of the program's unit, unless it is old."""
    journal = host.ask(ReadJournal(f"{program}.service"))
    if isinstance(journal, Failed):
        if journal.reason == "forbidden":
            yield Unexamined(HOST, f"the journal of {program}: {journal}")
        return
    dated = [(entry.at, entry.message) for entry in journal.entries]
    recent = [(at, text) for at, text in dated if clock.is_within(at, RECENT_S)]
    if recent and clock.is_within(recent[-1][0], _FRESH_S):
        failures = _failed_requests(program, recent, servers)
        yield HostLog(program, "", tuple(failures), _mark(program))


def _mark(program: str) -> str:
    return " 50" if program == "haproxy" else ""


def _files(
    host: Host, program: str, pids: Sequence[int]
) -> Iterator[tuple[str, FileText | Failed]]:
    """The ends of a program's error logs; of its folder, where that cannot be listed."""
    paths = [_FILES[program]] if program in _FILES else []
    if folder := _FOLDERS[program]:
        listing = host.ask(ListFolder(folder))
        if isinstance(listing, Failed):
            yield folder, listing
        else:
            names = sorted(filter(_ERROR_LOG.search, listing.names))
            paths += [f"{folder}/{name}" for name in names]
    if program in _WITH_JOURNAL:
        opened = host.ask(FindLogFiles(pids, (), RECENT_S))
        paths += [] if isinstance(opened, Failed) else [log.path for log in opened.open]
    for path in list(dict.fromkeys(paths))[:MOST_FILES]:
        end = host.ask(ReadFile(path, max_bytes=BYTES, tail=True))
        yield path, end


def _refused_requests(file: FileText) -> Iterator[RefusedRequest]:
    for at, line in dated_lines(file, _REFUSED_S):
        match = _REFUSED_BY_NGINX.search(line)
        if match is not None and "upstream: " not in line:
            yield RefusedRequest(at, line, match["site"], match["path"])


def dated_lines(file: FileText, seconds: float) -> list[tuple[float, str]]:
    """The lines of the last seconds.

    Their stamps are of the host's zone: the last line of all was written when the file was.
    """
    stamps = [
        (stamp, line) for line in file.lines_of_end if (stamp := written_at(line)) is not None
    ]
    if not stamps or file.mtime is None:
        return []
    last = max(stamp for stamp, _ in stamps)
    return [
        (file.mtime - (last - stamp), line) for stamp, line in stamps if last - stamp <= seconds
    ]


def _failed_requests(
    program: str, dated: Sequence[tuple[float, str]], servers: Mapping[str, CalledPlace]
) -> Iterator[HostLine]:
    for at, line in dated:
        place = None if _IDLE in line else _PLACES[program](line, servers)
        if place is not None and all(place):
            yield HostLine(at, line, place)


def _nginx_place(line: str, _servers: Mapping[str, CalledPlace]) -> CalledPlace | None:
    return place_in(line) if _OF_NGINX.search(line) else None


def _apache_place(line: str, _servers: Mapping[str, CalledPlace]) -> CalledPlace | None:
    return place_in(line) if _OF_APACHE.search(line) else None


def _caddy_place(line: str, servers: Mapping[str, CalledPlace]) -> CalledPlace | None:
    """The server that a line of Caddy is about; or None.

    For a message without an address it is the only server in the settings.
    """
    is_error = '"http.log.error' in line and (message(line).level or 0) >= ERROR
    if not is_error or not _OF_CADDY.search(line):
        return None
    place = place_in(message(line).text)
    return place if place.port else only(set(servers.values()))


def _haproxy_place(line: str, servers: Mapping[str, CalledPlace]) -> CalledPlace | None:
    match = _OF_HAPROXY.search(line)
    if match is None:
        return None
    of_backend = {
        place for name, place in servers.items() if name.startswith(f"{match['backend']}/")
    }
    return servers.get(f"{match['backend']}/{match['server']}") or only(of_backend)


def _traefik_place(line: str, _servers: Mapping[str, CalledPlace]) -> CalledPlace | None:
    match = _OF_TRAEFIK.search(line)
    if match is None:
        return None
    service = _SERVICE.search(line)
    place = match["place"] or (service["place"] if service is not None else "")
    host, _, port = place.rpartition(":")
    return CalledPlace(host, int(port)) if is_number(port) else place_in(line)


_PLACES: Mapping[str, Callable[[str, Mapping[str, CalledPlace]], CalledPlace | None]] = {
    "apache2": _apache_place,
    "caddy": _caddy_place,
    "haproxy": _haproxy_place,
    "httpd": _apache_place,
    "nginx": _nginx_place,
    "traefik": _traefik_place,
}
"""The function that reads the called place from a line, by the program that wrote it."""


def _servers(host: Host, program: str) -> dict[str, CalledPlace]:
    """The servers in its settings: by BACKEND/SERVER for HAProxy, by their own text for Caddy.

    A line of the answer is BACKEND/SERVER HOST:PORT, or HOST:PORT alone; more may follow behind |.
    """
    if program not in _SETTINGS:
        return {}
    answer = host.ask(_SETTINGS[program])
    if isinstance(answer, Failed):
        return {}
    servers: dict[str, CalledPlace] = {}
    for line in answer.text.splitlines():
        name, _, text = line.rpartition(" ")
        address, _, port = text.partition("|")[0].rpartition(":")
        if is_number(port):
            servers[name or text] = CalledPlace(address.strip("[]"), int(port))
    return servers
