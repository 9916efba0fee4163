"""What a web server of the host writes of containers that it passes requests on to.

nginx or Apache on the host itself is the usual front of published ports, and its own log alone says
why its clients get 502 or 504.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.log_folder import BYTES, RECENT_S
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import is_address, is_loopback
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import HOST, Failed, Unexamined
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import FileText, ListFolder, ReadFile
from diagnose.registry import evidence

_FOLDERS = {"nginx": "/var/log/nginx", "apache2": "/var/log/apache2", "httpd": "/var/log/httpd"}
"""Where the packages of each program write, by the name of its processes."""
_ERROR_LOG = LazyPattern(r"error(?:[_.]log|\.log)$|error_log$")
_ABOUT_UPSTREAM = LazyPattern(
    r"^(?P<nginx>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?:error|crit|alert|emerg)\] .*\bupstream: \""
    r"|^\[[A-Z][a-z]{2} (?P<apache>[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d)\.\d{1,6} (?P<year>\d{4})\] \[proxy\w*:error\] "
)
_IDLE = "while proxying upgraded connection"
"""A websocket that was idle for a minute, or whose server was restarted: its client calls again."""
_REFUSED = "refused"
_SEVERAL = 3
"""So many failures within minutes are no single mishap."""
_FRESH_S = 60.0
MOST_FILES = 8
_INCLUDED = LazyPattern(r"^\s*include\s+(?P<folder>/\S{1,200}/)\*(?:\.conf)?;", re.MULTILINE)


class HostProxyFailure(msgspec.Struct, frozen=True):
    """Requests that a web server of the host could not pass on to one place."""

    program: str
    """nginx, apache2 or httpd."""
    path: str
    """Its log."""
    address: str
    port: int
    lines: tuple[str, ...]
    """Oldest first."""
    container: Container
    """Who publishes that place, has that address, or is meant by its port."""
    is_published: bool
    """Whether the container serves that place now; otherwise only a port inside is the same."""
    drop_in: str = ""
    """The folder whose files nginx reads, with a slash at its end; "" where it is not known."""

    @property
    def place(self) -> str:
        return f"{self.address}:{self.port}"


class HostProxyFailures(Items[HostProxyFailure], frozen=True):
    """One for each place."""

    programs: tuple[str, ...] = ()
    """The web servers that run on the host itself."""
    unexamined: tuple[Unexamined, ...] = ()
    """Logs that could not be read."""


@evidence
def host_proxy_failures(
    host: Host,
    containers: Containers,
    processes: Processes,
    clock: Clock,
    links: Interfaces,
    namespaces: Namespaces | None,
) -> HostProxyFailures:
    """Nothing is asked where no such server runs on the host itself; its log is root's to read."""
    programs = sorted({process.comm for process in processes.outside} & _FOLDERS.keys())
    found: list[HostProxyFailure] = []
    unread: list[Unexamined] = []
    for program in programs:
        for path, file in _logs(host, program):
            if isinstance(file, Failed):
                unread.append(Unexamined(HOST, f"{path} of {program}: {file}"))
            elif clock.is_within(file.mtime, RECENT_S):
                found += _failures(program, path, file, containers, links, namespaces, clock)
    drop_in = _drop_in(host) if any(item.program == "nginx" for item in found) else ""
    items = (
        msgspec.structs.replace(item, drop_in=drop_in) if item.program == "nginx" else item
        for item in found
    )
    return HostProxyFailures(tuple(items), tuple(programs), tuple(unread))


def _logs(host: Host, program: str) -> Iterator[tuple[str, FileText | Failed]]:
    """The ends of the error logs of a web server; of its folder, where that cannot be listed."""
    folder = _FOLDERS[program]
    listing = host.ask(ListFolder(folder))
    if isinstance(listing, Failed):
        if listing.reason != "missing":
            yield folder, listing
        return
    for name in sorted(filter(_ERROR_LOG.search, listing.names))[:MOST_FILES]:
        path = f"{folder}/{name}"
        end = host.ask(ReadFile(path, max_bytes=BYTES, tail=True))
        yield path, end


def _failures(
    program: str,
    path: str,
    file: FileText,
    containers: Containers,
    links: Interfaces,
    namespaces: Namespaces | None,
    clock: Clock,
) -> Iterator[HostProxyFailure]:
    """The failures of one log that go on, by their place."""
    for (address, port), lines in by_key(_recent(file, clock)).items():
        if len(lines) < _SEVERAL:
            continue
        is_host = address == "localhost" or (
            is_address(address) and (is_loopback(address) or links.holds(address))
        )
        callee, is_published = None, True
        if is_host:
            callee = _publisher(containers, port)
            if callee is None and _REFUSED in lines[-1]:
                callee, is_published = _serves_inside(containers, namespaces, port), False
        else:
            callee = _holder(containers, address)
        if callee is not None:
            yield HostProxyFailure(program, path, address, port, tuple(lines), callee, is_published)


def _recent(file: FileText, clock: Clock) -> Iterator[tuple[tuple[str, int], str]]:
    """The place and the text of each line about an upstream of the last minute.

    The stamps are of the host's zone: the last line of all was written when the file was.
    """
    stamped = [
        (at, line)
        for line in file.lines_of_end
        if _IDLE not in line
        and (match := _ABOUT_UPSTREAM.search(line))
        and (at := _seconds(match)) is not None
    ]
    if not stamped or not clock.is_within(file.mtime, _FRESH_S):
        return
    last = stamped[-1][0]
    for at, line in stamped:
        host, port = place_in(line)
        if host and port and last - at <= RECENT_S:
            yield (host, port), line


def _seconds(match: re.Match[str]) -> float | None:
    if match["nginx"]:
        return unix(match["nginx"].replace("/", "-"))
    month, day, time = match["apache"].split()
    number = "JanFebMarAprMayJunJulAugSepOctNovDec".index(month) // 3 + 1
    return unix(f"{match['year']}-{number:02}-{day} {time}")


def _publisher(containers: Containers, port: int) -> Container | None:
    """The container that publishes a TCP port of the host, or was created to."""
    running = (
        container
        for container in containers.running
        if any(item.host_port == port for item in container.published_by("tcp"))
    )
    wanting = (
        container
        for container in containers
        if any(item.host_port == port for item in container.wanted_ports)
    )
    return next(running, None) or next(wanting, None)


def _serves_inside(
    containers: Containers, namespaces: Namespaces | None, port: int
) -> Container | None:
    """The one running container that serves this port in its own network, and does not publish it.

    One that publishes it elsewhere is called there; this place was a program's of the host.
    """
    serving = [
        container
        for container in containers.running
        if namespaces is not None
        and port not in container.published_tcp_ports
        and (netns := namespaces.of(container)) is not None
        and netns.serves_others("tcp", port)
    ]
    return only(serving)


def _holder(containers: Containers, address: str) -> Container | None:
    return next(
        (container for (_, held), container in containers.by_place.items() if held == address), None
    )


def _drop_in(host: Host) -> str:
    answer = host.ask(ReadFile("/etc/nginx/nginx.conf"))
    match = None if isinstance(answer, Failed) else _INCLUDED.search(answer.text)
    return match["folder"] if match is not None else ""
