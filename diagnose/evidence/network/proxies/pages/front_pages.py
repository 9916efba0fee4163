"""First pages of the web servers in containers: one GET for `/` each, as an engineer's `curl`.

The request goes to the socket of the program, so that it measures the program and not the way to
it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import SERVER_AT_FAULT
from diagnose.evidence.containers.logs.reading import BYTES, MORE_LINES
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.peers.served_names import served_names
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import BROWSED_PORTS, is_everywhere, with_port
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, first_of
from diagnose.model import NOT_IN_BUNDLE, Coverage, Failed, Unavailable, Unexamined
from diagnose.programs.web_programs import (
    CERTAIN_PORTS,
    TLS_PORTS,
    is_proxy,
    is_web_port,
    is_web_program,
    is_web_server,
    speaks_otherwise,
)
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.questions.containers import CgroupGrowth, SampleCgroups
from diagnose.questions.web_pages import PageReply, RequestPage
from diagnose.registry import evidence

MOST = 20
"""Requests of one run."""
MOST_OF_ONE = 2
"""Ports of one container that are asked."""
UNNAMED = "localhost"
"""The host name of requests where the site's name is not known."""
YOUNG_S = 10.0
"""A program that was started later may not listen yet."""
_FORBIDDEN = 403
_EARLY_S = 0.05
"""By how much the engine may stamp a line before our clock has sent the request."""
_HTTPS = "https:"
_OF_CLIENT = LazyPattern(
    r", client: (?P<address>[\da-fA-F.:]{3,45})(?=,)"
    r"|\[client (?P<address_apache>[\da-fA-F.:]{3,45}):\d{1,5}\] "
)
"""The client, in lines of nginx and Apache."""


class HttpPort(msgspec.Struct, frozen=True):
    """A port of a container at which a program most likely speaks HTTP."""

    container: Container
    port: int
    question: RequestPage
    host_port: int = 0
    """The published port; 0 where only neighbours reach the program."""
    names: frozenset[str] = frozenset()
    """The names of the container's processes."""

    @property
    def rank(self) -> tuple[bool, bool, str, int]:
        """Pages of published ports come first, and those of the usual ports before others."""
        return (not self.host_port, self.port not in CERTAIN_PORTS, self.container.name, self.port)

    @property
    def is_surely_http(self) -> bool:
        """Whether a program that reads the request and is silent must be a web server that hangs.

        A program in a language may serve another protocol at a port that is seldom for it.
        """
        ports = {self.port, self.host_port}
        return is_web_server(self.names) or (
            is_web_program(self.names) and bool(ports & CERTAIN_PORTS)
        )


class FrontPage(msgspec.Struct, frozen=True):
    """The answer of one program."""

    http_port: HttpPort
    reply: PageReply
    lines: tuple[str, ...] = ()
    """The lines that its container's log gained meanwhile; only read where the page is an error."""
    is_log_read: bool = False
    forwarded: PageReply | None = None
    """The answer to a request that says it came by HTTPS, where the first one led to HTTPS."""
    cpus: float | None = None
    """How many processors the container kept busy after it had been silent for five seconds."""

    @property
    def container(self) -> Container:
        return self.http_port.container

    @property
    def status(self) -> int:
        """The status of the answer; 0 for none."""
        return self.reply.status

    @property
    def is_error(self) -> bool:
        """Whether the server, or a server behind it, is at fault."""
        return self.status in SERVER_AT_FAULT

    @property
    def is_forbidden(self) -> bool:
        return self.status == _FORBIDDEN

    @property
    def is_silent(self) -> bool:
        """Whether the connection was accepted, and no answer came in time."""
        return self.reply.outcome == "silent"

    @property
    def is_proxy(self) -> bool:
        """Whether its program passes requests on as a rule."""
        return is_proxy(self.http_port.names)

    @property
    def url(self) -> str:
        """The URL at which the host sees the same page."""
        scheme = "https" if self.reply.tls else "http"
        question = self.http_port.question
        return f"{scheme}://{with_port(question.address, question.port)}{self.reply.path}"

    @property
    def leads_to_https(self) -> bool:
        """Whether it sends a client that came by plain HTTP to HTTPS."""
        return not self.reply.tls and self.reply.location.lower().startswith(_HTTPS)


class FrontPages(Items[FrontPage], frozen=True):
    """The first pages by container and port; empty where no container serves pages to others."""

    unexamined: tuple[Unexamined, ...] = ()
    left_out: int = 0
    """Ports that were not asked, since there are more than MOST."""

    @property
    def coverage(self) -> Coverage:
        """The number of pages, and the proxies among them, for the report."""
        proxies = dict.fromkeys(page.container.name for page in self if page.is_proxy)
        return Coverage({}, pages=len(self), pages_left_out=self.left_out, proxies=tuple(proxies))


@evidence
def front_pages(
    host: Host,
    containers: Containers,
    namespaces: Namespaces,
    processes: Processes,
    clock: Clock,
    recent_logs: RecentLogs | None,  # noqa: ARG001 - they are read before our requests are in them
) -> FrontPages | Unavailable:
    """The first page of each published or proxied port of HTTP, twenty at most.

    Each takes one request. The log is read once more where the answer is an error or is forbidden.
    One more request is sent where the first one led to HTTPS. Silent programs are measured for use
    of the processor.
    """
    http_ports = _http_ports(containers, namespaces, processes, clock)
    pages: list[FrontPage] = []
    failed: Failed | None = None
    unexamined: list[Unexamined] = []
    for http_port, reply in host.ask_in_order(
        http_ports[:MOST], lambda http_port: http_port.question
    ):
        if not isinstance(reply, Failed):
            pages.append(FrontPage(http_port, reply))
        elif reply.reason != "gone":
            failed = reply
            unexamined.append(Unexamined(http_port.container.subject, f"its first page: {reply}"))
    if failed is not None and not pages:
        return _reason_unasked(failed)
    completed = tuple(_completed_pages(host, pages))
    unexamined += [
        Unexamined(
            page.container.subject, "its log was not read after it had refused its first page"
        )
        for page in completed
        if page.is_forbidden and not page.is_log_read
    ]
    return FrontPages(completed, tuple(unexamined), max(len(http_ports) - MOST, 0))


def _reason_unasked(failure: Failed) -> Unavailable:
    """The reason why there is no page at all: an option forbids it, or the recording is old."""
    if failure.reason == "not allowed":
        return Unavailable("not applicable", failure.detail)
    if failure.reason in NOT_IN_BUNDLE:
        return Unavailable("not applicable", "no page was asked for when this was recorded")
    return Unavailable.of(failure)


def _completed_pages(host: Host, pages: Sequence[FrontPage]) -> Iterator[FrontPage]:
    """The pages with the lines that the request provoked, and with a second answer."""
    logs = host.answers_about(
        [page.container.id for page in pages if page.is_error or page.is_forbidden],
        lambda id: ReadLogs(id, MORE_LINES, BYTES, round="answered"),
    )
    forwarded = host.answers_about(
        [page.http_port.question for page in pages if page.leads_to_https],
        lambda question: replace(question, forwarded=True),
    )
    growth = _growth(host, [page.container for page in pages if page.is_silent])
    for page in pages:
        log = logs.get(page.container.id) if page.is_error or page.is_forbidden else None
        lines = _gained_lines(log, page) if log is not None else ()
        sample = growth.get(page.container.id)
        yield replace(
            page,
            lines=lines,
            is_log_read=log is not None,
            forwarded=forwarded.get(page.http_port.question),
            cpus=None if isinstance(sample, Failed) or sample is None else sample.cpus,
        )


def _growth(host: Host, silent: Sequence[Container]) -> Mapping[str, CgroupGrowth | Failed]:
    """The growth of the cgroups of silent programs during a second, by container id; or empty."""
    if not silent:
        return {}
    growth = host.ask(SampleCgroups({container.id: container.state.pid for container in silent}))
    return {} if isinstance(growth, Failed) else growth


def _gained_lines(log: ContainerLog, page: FrontPage) -> tuple[str, ...]:
    """The log lines since the request was sent, without their parts about the client: it was we.

    A line about a client explains nothing of the server as a rule.
    """
    begun = page.reply.at - _EARLY_S
    lines = (line.text for line in log.lines if line.at is not None and line.at >= begun)
    page_address = page.http_port.question.address
    return tuple(
        _OF_CLIENT.sub(lambda match: _unless_other(match, page_address), line) for line in lines
    )


def _unless_other(match: re.Match[str], page_address: str) -> str:
    """The replacement of a client's address: empty for our own, unchanged for another one."""
    return "" if page_address in (match["address"], match["address_apache"]) else match[0]


def _http_ports(
    containers: Containers, namespaces: Namespaces, processes: Processes, clock: Clock
) -> list[HttpPort]:
    """The ports to ask, the published ones first."""
    shared = by_key((netns.inode, netns) for netns in namespaces)
    http_ports: list[HttpPort] = []
    for inside in shared.values():
        netns = inside[0]
        container = netns.container
        is_old = not clock.is_within(container.started_at, YOUNG_S)
        if len(inside) > 1 or container.state.status != "running" or not is_old:
            continue
        names = frozenset(processes.names_inside(container.id))
        has_proxy = _is_behind_proxy(container, containers)
        site = _site_of(container, names, containers)
        http_ports += _http_ports_of(netns, names, site, has_proxy=has_proxy)
    return sorted(http_ports, key=lambda http_port: http_port.rank)


def _site_of(container: Container, names: frozenset[str], containers: Containers) -> str:
    """The name of a site that it serves, or that a proxy serves for a neighbour; "" for none."""
    neighbours = containers.running if is_proxy(names) else ()
    reachable = [other for other in neighbours if other.shared_networks(container)]
    return first_of(served_names((container, *reachable)), "")


def _http_ports_of(
    netns: ContainerNetns, names: frozenset[str], site: str, *, has_proxy: bool
) -> list[HttpPort]:
    """The ports of one container to ask.

    has_proxy: whether a neighbour forwards requests to it.
    """
    container = netns.container
    published = {binding.number: binding.host_port for binding in container.published_by("tcp")}
    is_known = is_web_program(names)
    if speaks_otherwise(names) and not is_known:
        return []
    http_ports = []
    for port in netns.served_ports:
        host_port = published.get(port, 0)
        is_offered = bool(host_port) or (has_proxy and is_known)
        is_certain = port in CERTAIN_PORTS or (is_known and is_web_port(port))
        address = _address(netns, port) if is_offered and is_certain else ""
        if address:
            question = _question(container, site, address, port, host_port)
            http_ports.append(HttpPort(container, port, question, host_port, names))
    return sorted(http_ports, key=lambda http_port: http_port.rank)[:MOST_OF_ONE]


def _question(
    container: Container, site: str, address: str, port: int, host_port: int
) -> RequestPage:
    """The request of a client of the container: by the site's name, or by localhost."""
    tls = port in TLS_PORTS
    usual = 443 if tls else 80
    return RequestPage(
        container.state.pid,
        address,
        port,
        name=site or UNNAMED,
        outer_port=usual if site else host_port,
        tls=tls,
    )


def _address(netns: ContainerNetns, port: int) -> str:
    """An address of the container at which the program listens; "" where none is known."""
    sockets = [socket for socket in netns.sockets("tcp", port) if not socket.is_loopback]
    bound_address = next(
        (socket.address for socket in sockets if not is_everywhere(socket.address)), ""
    )
    is_ipv6 = all(socket.v6_only for socket in sockets)
    ends = netns.container.endpoints.values()
    addresses: Iterator[str] = (
        end.global_ipv6_address if is_ipv6 else end.ip_address for end in ends
    )
    return bound_address or next(filter(None, addresses), "")


_NAMES_OF_PROXY: Mapping[str, str] = {"caddy": "", "traefik.enable": "true"}
"""Labels by which a proxy takes a container for one of its own; "" for any value."""


def _is_behind_proxy(container: Container, containers: Containers) -> bool:
    """Whether a label or a variable hands it to a proxy, or a neighbour publishes port 80 or 443.

    The neighbour is on a network that was created for both: on the default one all are neighbours.
    """
    is_labelled = any(
        value in ("", container.labels.get(label)) and label in container.labels
        for label, value in _NAMES_OF_PROXY.items()
    )
    if is_labelled or container.config.sets("VIRTUAL_HOST"):
        return True
    networks = container.endpoints.keys() - {"bridge"}
    return any(
        binding.host_port in BROWSED_PORTS
        for other in containers.running
        if other.id != container.id and networks & other.endpoints.keys()
        for binding in other.published_by("tcp")
    )
