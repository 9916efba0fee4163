"""Calls that another container answers with an HTTP error, and the reason in that one's log.

The caller's log has the address and the status; the server has the reason: in its log, or in a file
of its own.
"""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.addresses.proxy_settings import (
    exceptions,
    is_excepted,
    proxy_settings,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.own_files.program_logs import log_of
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail, read_tails
from diagnose.evidence.containers.peers.published_peers import publisher_in
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.programs.log_message import message
from diagnose.questions import Host
from diagnose.registry import evidence

LEAST = 3
"""Minimum number of refusals that are not a single mishap."""
_SHORT = 4
"""Maximum length of a path that occurs in many lines by chance."""
MOST = 5
"""Servers whose logs are read for a reason."""
_URL = LazyPattern(
    r"\bhttps?://(?P<host>[A-Za-z0-9][\w.-]{0,252})(?::\d{2,5})?(?P<path>/[^\s\"'?\]>)]{0,300})?"
)
"""The host and the path of a URL in a line of a log."""
_STATUS = LazyPattern(
    r"""
      (?<![\w./:-])(?P<named>400|401|403|421)\s{1,2}
        (?:Bad\ Request|Client\ Error|Unauthorized|Forbidden|Misdirected)
    | \b(?:
            status(?:\ ?code)? | HTTP(?:/\d(?:\.\d)?)? | responded\ with
          | returned(?:\ an?)?(?:\ error)?
          | response\ code
        )[\s:="'(]{1,5}(?P<number>400|401|403|421)(?![\w.])
    """,
    re.VERBOSE,
)
"""Statuses by which a server refuses a caller, rather than lacks a page."""


class RefusedCaller(msgspec.Struct, frozen=True):
    """A container whose calls another one refuses."""

    caller: Container
    server: Container
    status: int
    host: str
    """The name or the address by which it calls the server."""
    path: str
    """The requested path; "" where the lines do not say."""
    line: str
    """The caller's last line about the refusal."""
    times: int
    of: int
    """Lines of the caller that were read."""
    is_seen: bool = False
    """Whether the server's access log has such answers too."""
    words: str = ""
    """The server's words about the refusal."""
    written_to: str = ""
    """The server's own file that says so; "" for its container's log."""
    tail: LogTail = LogTail(())
    """The log in which its words were found."""


class RefusedCallers(Items[RefusedCaller], frozen=True):
    """The callers that are refused, one for each caller and server."""


@evidence
def refused_callers(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock, links: Interfaces
) -> RefusedCallers:
    """The containers whose calls another container refuses, with the reason if known.

    A server's log is read where it refuses a caller repeatedly.
    """
    candidates = [
        refused
        for caller in containers.running
        for refused in _refusals(caller, containers, recent_logs, clock, links)
    ]
    servers = host.first(
        list({refused.server.id: refused.server for refused in candidates}.values()),
        MOST,
        "servers that refuse a container",
    )
    tails = read_tails(host, servers).tails
    explained = [
        _with_explanation(
            host, refused, tails.get(refused.server.id, LogTail(())), recent_logs, clock
        )
        for refused in candidates
    ]
    return RefusedCallers(tuple(refused for refused in explained if not _is_of_a_proxy(refused)))


def _is_of_a_proxy(refused: RefusedCaller) -> bool:
    """Whether the proxy of the caller may have answered, since the server shows no such request."""
    if refused.is_seen or refused.written_to or not proxy_settings(refused.caller):
        return False
    return not is_excepted(refused.host, exceptions(refused.caller))


def _refusals(
    caller: Container,
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    links: Interfaces,
) -> Iterator[RefusedCaller]:
    """The servers that lately answered this caller's requests with an error, each status apart."""
    lines = recent_logs.of_this_run(caller)
    refused = [(status, line) for line in lines if (status := _status(line.text))]
    configured = _configured_address(caller) if refused else ""
    by_server: dict[tuple[str, int], list[tuple[Container, RecentLine]]] = {}
    for status, line in refused:
        server = _server(_with_url(line, configured), caller, containers, links)
        if server is not None and server.id != caller.id:
            by_server.setdefault((server.id, status), []).append((server, line))
    for (_, status), items in by_server.items():
        server, last = items[-1]
        if len(items) < LEAST or not clock.is_within(last.at, 90.0):
            continue
        url = _URL.search(_with_url(last, configured))
        if url is not None:
            name = url["host"]
            path = url["path"] or ""
            yield RefusedCaller(
                caller,
                server=server,
                status=status,
                host=name,
                path=path,
                line=last.text,
                times=len(items),
                of=len(lines),
            )


def _configured_address(caller: Container) -> str:
    """The only address of HTTP in a container's command and variables; "" for several.

    curl prints the answer, and not its sender.
    """
    words = (*caller.config.words, *caller.command)
    texts = (*words, *(value for _, value in caller.config.environment))
    urls = {match[0] for text in texts for match in _URL.finditer(text)}
    return only(urls) or ""


def _with_url(line: RecentLine, configured: str) -> str:
    """The line where it names an address, and is not a request that the caller itself answered.

    After a request the line has the page before it, or the server that a proxy asked: that server
    refuses the client of the proxy. urllib3 writes the address before the request.
    """
    url = _URL.search(line.text)
    answered = next(access_lines([line]), None)
    if answered is None:
        return configured if url is None else line.text
    is_call = url is not None and url.start() < line.text.find(answered.what)
    return line.text if is_call else ""


def _status(text: str) -> int:
    match = _STATUS.search(text)
    return int(match["named"] or match["number"]) if match is not None else 0


def _server(
    text: str, caller: Container, containers: Containers, links: Interfaces
) -> Container | None:
    """The container behind the URL: on a network of the caller, or by a published port."""
    match = _URL.search(text)
    host = match["host"] if match is not None else ""
    for network in caller.endpoints:
        holder = containers.by_place.get((network, host))
        if holder is not None:
            return holder
    for other in containers.by_dns_name.get(host, ()):
        if other.is_running and other.shared_networks(caller):
            return other
    publisher = publisher_in(text, caller, containers, links)
    return publisher.container if publisher is not None else None


def _with_explanation(
    host: Host, refused: RefusedCaller, tail: LogTail, recent_logs: RecentLogs, clock: Clock
) -> RefusedCaller:
    """The refused caller with the server's line about this request, or else its telling line."""
    answers = list(access_lines(recent_logs.of(refused.server)))
    is_seen = any(line.status == refused.status for line in answers)
    reported = {line.line for line in answers}
    printed = LogTail(tuple(line for line in tail.lines if line not in reported))
    words = _last_line_about(printed, refused)
    written_to = ""
    explained = printed
    if not words:
        log = log_of(
            host, refused.server, clock, lambda tail: bool(_last_line_about(tail, refused))
        )
        if log is not None:
            words = _last_line_about(log.tail, refused)
            written_to = log.path
            explained = log.tail
    return msgspec.structs.replace(
        refused,
        is_seen=is_seen,
        words=words or _complaint(printed),
        written_to=written_to,
        tail=explained,
    )


def _last_line_about(tail: LogTail, refused: RefusedCaller) -> str:
    """The last line that names the requested path, the caller's address, or the called name."""
    marks = [end.ip_address for end in refused.caller.endpoints.values() if end.ip_address]
    if len(refused.path) > _SHORT:
        marks.append(refused.path.partition("?")[0])
    if "." in refused.host or "_" in refused.host or "-" in refused.host:
        marks.append(refused.host)
    for line in reversed(tail.lines):
        if any(mark in line for mark in marks):
            return message(line).text
    return ""


def _complaint(tail: LogTail) -> str:
    """The telling line of a log, for any caller."""
    telling = tail.telling
    is_complaint = telling is not None and telling.explains and telling.is_complaint
    return message(telling.whole).text if is_complaint and telling is not None else ""
