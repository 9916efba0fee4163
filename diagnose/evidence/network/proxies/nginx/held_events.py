"""Streams of events that an nginx holds back: its clients wait, and go without having got a byte.

The access log of nginx shows it, its configuration why, and the header of the program's own answer
proves that it is a stream.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.configurations import HopFile, NginxConfigurations
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops_for_path
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.web_pages import PageReply, RequestPage
from diagnose.registry import evidence

LEAST = 3
FRESH_S = 300.0
MOST = 4
"""Places that a program is asked for."""
_STREAM = LazyPattern(
    r"(?:^|[/_.-])(?:events?|event-?source|event-?stream|sse|streams?|streaming|subscribe|live|updates?"
    r"|notifications?|progress|tail|logs|chat|completions?|generate|listen)(?=[/?._-]|$)",
    2,  # re.IGNORECASE
)
"""Names that programs give to a stream of events."""
_SURE_STREAM = LazyPattern(
    r"(?:^|[/_.-])(?:events?|event-?source|event-?stream|sse|streams?|streaming|subscribe)(?=[/?._-]|$)",
    2,
)
"""Those that slow pages are hardly called: enough where the program wants a login."""
_POSTED = LazyPattern(
    r"(?:^|[/_.-])(?:events?|sse|streams?|streaming|chat|completions?|generate|converse|ask)(?=[/?._-]|$)",
    2,
)
"""The same of streams that answer a posted question: those of language models."""
_LEFT = 499
"""nginx: the client has closed the connection before the header of the answer was sent."""
_HELD_PORTS = {"http": 80, "https": 443}
_SECRET = frozenset({401, 403})
_KIND = "text/event-stream"


class HeldEvents(msgspec.Struct, frozen=True):
    """A stream of events, and the location of an nginx that holds it back."""

    hop: NginxHop
    program: Container
    file: HopFile
    line: str
    """The last client that got nothing."""
    path: str
    times: int
    reply: PageReply | None
    """The answer of the program itself; None where it was not asked, since clients send data."""

    @property
    def is_seen(self) -> bool:
        """Whether the program sends a stream of events to a client without a login."""
        return self.reply is not None and self.reply.kind.startswith(_KIND)


class AllHeldEvents(Items[HeldEvents], frozen=True):
    """The held streams, at most one for each location."""


@evidence
def all_held_events(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock, processes: Processes
) -> AllHeldEvents:
    """The streams of events that an nginx holds back.

    A program is asked only where clients of an nginx got nothing at such a path.
    """
    shown = [
        (proxy, lines)
        for proxy in containers.running
        for lines in _empty_handed(recent_logs.requests_of(proxy), clock)
    ]
    if not shown:
        return AllHeldEvents()
    nginx = NginxConfigurations(host, containers, processes)
    held_by_path: dict[tuple[str, str], HeldEvents] = {}
    for proxy, lines in host.first(shown, MOST, "paths whose clients got nothing"):
        hops_of_proxy = [hop for hop in nginx.hops if hop.is_of(proxy)]
        for hop in hops_for_path(hops_of_proxy, lines[-1].path):
            stream = _held_stream(host, nginx, hop, lines)
            if stream is not None:
                held_by_path.setdefault((proxy.id, hop.directive), stream)
    return AllHeldEvents(tuple(held_by_path.values()))


def _empty_handed(requests: Sequence[AccessLine], clock: Clock) -> Iterator[list[AccessLine]]:
    """The requests for one path whose clients all went without a byte."""
    streams = (line for line in requests if _may_stream(line))
    by_path = by_key(((line.method, line.path.partition("?")[0]), line) for line in streams)
    for lines in by_path.values():
        is_fresh = clock.is_within(lines[-1].at, FRESH_S)
        if len(lines) >= LEAST and is_fresh and all(map(_got_nothing, lines)):
            yield lines


def _may_stream(line: AccessLine) -> bool:
    """Whether the answer may be a stream, by the path."""
    pattern = {"GET": _STREAM, "POST": _POSTED}.get(line.method)
    return pattern is not None and pattern.search(line.path.partition("?")[0]) is not None


def _got_nothing(line: AccessLine) -> bool:
    """Whether the client got no byte of the body. nginx writes the bytes of the body behind the
    status."""
    return line.status == _LEFT and line.rest.split(maxsplit=1)[:1] == ["0"]


def _held_stream(
    host: Host, nginx: NginxConfigurations, hop: NginxHop, lines: Sequence[AccessLine]
) -> HeldEvents | None:
    """The stream of events that the proxy holds back; None where it is passed on."""
    program = hop.program
    if program is None or not hop.holds_back or "$" in hop.target:
        return None
    path = lines[-1].path.partition("?")[0]
    if lines[-1].method != "GET":
        file = nginx.file_of(hop)
        return HeldEvents(
            hop, program, file, line=lines[-1].line, path=path, times=len(lines), reply=None
        )
    question = _question(hop, program, hop.sent_path(path))
    if question is None:
        return None
    reply = host.ask(question)
    if isinstance(reply, Failed) or reply.buffering == "no":
        return None
    is_secret = reply.status in _SECRET and _SURE_STREAM.search(path) is not None
    if not reply.kind.startswith(_KIND) and not is_secret:
        return None
    return HeldEvents(
        hop,
        program,
        file=nginx.file_of(hop),
        line=lines[-1].line,
        path=path,
        times=len(lines),
        reply=reply,
    )


def _question(hop: NginxHop, program: Container, target: str) -> RequestPage | None:
    """The request as nginx sends it, without the client's own headers."""
    try:
        url = urlsplit(hop.target)
        port = url.port or _HELD_PORTS.get(url.scheme, 0)
    except ValueError:
        return None
    names = hop.proxy.endpoints if hop.proxy is not None else program.endpoints
    ends = (program.endpoints[name] for name in names if name in program.endpoints)
    address = next((end.ip_address for end in ends if end.ip_address), "")
    if not address or not port:
        return None
    return RequestPage(program.state.pid, address, port, tls=url.scheme == "https", target=target)
