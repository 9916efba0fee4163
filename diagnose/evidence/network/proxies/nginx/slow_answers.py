"""Requests that an nginx gives up, although the program behind it works: it needs longer.

nginx logs the request, and other requests to the same program are answered meanwhile.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import CHANGING_PART
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.configurations import (
    HopFile,
    NginxConfigurations,
    configured_at,
)
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops_for_path
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.questions import Host
from diagnose.registry import evidence

LEAST = 2
_FRESH_S = 900.0
_MOST = 4
"""Places of which the configuration is read."""
_GIVEN_UP = LazyPattern(
    r"upstream timed out \(\d+: [^)]{1,60}\) while reading response header from upstream,"
    r".{0,400}request: \"(?P<method>[A-Z]{3,7}) (?P<path>/[^\s\"]{0,500}).{0,20}\","
    r" upstream: \"https?://(?P<address>[\d.]{7,15})(?::(?P<port>\d{1,5}))?"
)
"""nginx' own line: `upstream timed out (110: Connection timed out) while reading response header
from upstream, client: 192.0.2.1, request: "POST /export HTTP/1.1", upstream:
"http://172.18.0.3:8000/export"`."""
_USUAL = "60s"
"""The proxy_read_timeout of an nginx to which nobody gave another one."""
_POLLS = LazyPattern(
    r"(?:^|[/_.-])(?:long-?poll(?:ing)?|poll(?:ing)?|events?|sse|streams?|subscribe|updates?"
    r"|notifications?|sync)(?=[/?._-]|$)",
    2,  # re.IGNORECASE
)
"""Requests that wait for news: their clients ask again."""


class SlowAnswer(msgspec.Struct, frozen=True):
    """Requests for one place of a program that an nginx has given up."""

    proxy: Container
    program: Container
    port: int
    """The port at which nginx calls the program."""
    what: str
    """Method and path of the last one: GET /report."""
    line: str
    times: int
    hop: NginxHop
    file: HopFile

    @property
    def limit(self) -> str:
        """How long nginx waits for an answer."""
        return self.hop.read_timeout or _USUAL

    @property
    def may_wait_for_news(self) -> bool:
        """Whether the path is one at which programs leave requests unanswered on purpose."""
        return _POLLS.search(self.what) is not None


class SlowAnswers(Items[SlowAnswer], frozen=True):
    """The slow answers, at most one for each location."""

    def explains(self, container: Container, port: int) -> bool:
        """Whether clients at this port of a container are an nginx that has given up."""
        return any(slow.program.id == container.id and slow.port == port for slow in self)


@evidence
def slow_answers(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock, processes: Processes
) -> SlowAnswers:
    """The requests that an nginx gives up while the program answers others.

    A configuration is read only where a log has several of them. Lines from before nginx read its
    files the last time are left out: another limit may have held then.
    """
    shown = [
        (proxy, lines)
        for proxy in containers.running
        for lines in _given_up(proxy, recent_logs, processes, clock)
    ]
    if not shown:
        return SlowAnswers()
    nginx = NginxConfigurations(host, containers, processes)
    answers: dict[tuple[str, str], SlowAnswer] = {}
    for proxy, lines in host.first(shown, _MOST, "requests that nginx gave up"):
        slow = _slow_answer(nginx, proxy, lines, containers, recent_logs)
        if slow is not None:
            answers.setdefault((proxy.id, slow.hop.directive), slow)
    return SlowAnswers(tuple(answers.values()))


def _given_up(
    proxy: Container, recent_logs: RecentLogs, processes: Processes, clock: Clock
) -> Iterator[list[RecentLine]]:
    """The lines about requests for one place that were given up."""
    by_place = by_key(
        ((match["method"], CHANGING_PART.sub("", match["path"])), line)
        for line in recent_logs.of(proxy)
        if (match := _GIVEN_UP.search(line.text)) is not None
    )
    for given_up in by_place.values():
        begun = configured_at(proxy, processes, clock)
        present_lines = [line for line in given_up if line.at >= begun]
        if len(present_lines) >= LEAST and clock.is_within(present_lines[-1].at, _FRESH_S):
            yield present_lines


def _slow_answer(
    nginx: NginxConfigurations,
    proxy: Container,
    lines: Sequence[RecentLine],
    containers: Containers,
    recent_logs: RecentLogs,
) -> SlowAnswer | None:
    """The requests with their location; None where the program may answer nobody."""
    match = _GIVEN_UP.search(lines[-1].text)
    assert match is not None  # the line was chosen by it
    path = match["path"].partition("?")[0]
    hop = only(hops_for_path((hop for hop in nginx.hops if hop.is_of(proxy)), path))
    called = [containers.by_place.get((network, match["address"])) for network in proxy.endpoints]
    program = next((container for container in called if container is not None), None)
    if hop is None or program is None or not hop.leads_to(program):
        return None
    served = [line for line in recent_logs.requests_of(proxy) if not line.failed]
    if not any(line.at >= lines[0].at and _is_of(line.path, hop, nginx) for line in served):
        return None
    return SlowAnswer(
        proxy,
        program,
        port=int(match["port"] or 80),
        what=f"{match['method']} {path}",
        line=lines[-1].text,
        times=len(lines),
        hop=hop,
        file=nginx.file_of(hop),
    )


def _is_of(path: str, hop: NginxHop, nginx: NginxConfigurations) -> bool:
    """Whether nginx passes a path on by this location, or by another one to the same program."""
    chosen_hops = hops_for_path((other for other in nginx.hops if other.proxy == hop.proxy), path)
    return any(hop.program is not None and other.leads_to(hop.program) for other in chosen_hops)
