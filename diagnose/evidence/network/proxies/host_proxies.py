"""Log lines of the host's own web server about containers to which it forwards requests.

nginx, Apache, Caddy, HAProxy or Traefik on the host itself is the usual front of published ports,
and only its own log says why its clients get 502, 503 or 504.
"""

import itertools
import re
from collections.abc import Collection, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import is_address, is_loopback
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.proxies.host_proxy_logs import PROGRAMS, HostLine, HostLog, logs_of
from diagnose.evidence.network.proxies.nginx.configurations import HopFile, NginxConfigurations
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops_for_path
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import Unexamined
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.registry import evidence

_REFUSED = "refused"
_SEVERAL = 3
"""Minimum number of failures within minutes that are not a single mishap."""
_FRESH_S = 60.0
_FIRST_CHOSEN = 32768
"""The engine takes ports from here on where a published port has none of its own."""
_INCLUDED = LazyPattern(r"^[ \t]*include\s+(?P<folder>/\S{1,200}/)\*(?:\.conf)?;", re.MULTILINE)


class HostProxyFailure(msgspec.Struct, frozen=True):
    """Requests that a web server of the host could not pass on to one place."""

    log: HostLog
    address: str
    port: int
    lines: tuple[str, ...]
    """Oldest first."""
    container: Container | None
    """The container that publishes that place, has that address, or probably belongs to its port;
    None where nothing listens at that port of this host and no such container is known."""
    is_published: bool
    """Whether the container serves that place now; otherwise only a port inside is the same."""
    moved: PortBinding | None = None
    """The present binding of the container, at a port that the engine chooses: another one after
    each start."""
    drop_in: str = ""
    """The folder whose files nginx reads, with a slash at its end; "" where it is not known."""
    refusing: NginxHop | None = None
    """The location whose requests nginx itself refuses; None where it tries to pass them on."""
    file: HopFile | None = None
    """The file of that location."""

    @property
    def program(self) -> str:
        """nginx, apache2, httpd, caddy, haproxy or traefik."""
        return self.log.program

    @property
    def place(self) -> str:
        return f"{self.address}:{self.port}"


class HostProxyFailures(Items[HostProxyFailure], frozen=True):
    """The failures of the host's proxies, one for each place."""

    programs: tuple[str, ...] = ()
    """The web servers that run on the host itself."""
    unexamined: tuple[Unexamined, ...] = ()
    """Logs that could not be read."""
    without_resolver: tuple[str, ...] = ()
    """Lines of an nginx that asks the engine's resolver, which is not there for the host."""


@evidence
def host_proxy_failures(
    host: Host,
    containers: Containers,
    processes: Processes,
    clock: Clock,
    links: Interfaces,
    namespaces: Namespaces | None,
) -> HostProxyFailures:
    """The failures in logs of the host's own proxies about containers.

    The collector asks nothing where no proxy runs on the host itself; its log is open only to root.
    """
    pids = by_key(
        (process.comm, process.pid) for process in processes.outside if process.comm in PROGRAMS
    )
    logs: list[HostLog] = []
    unread: list[Unexamined] = []
    for program in sorted(pids):
        for log in logs_of(host, program, pids[program], clock):
            if isinstance(log, Unexamined):
                unread.append(log)
            else:
                logs.append(log)
    failures: dict[tuple[str, str], HostProxyFailure] = {}
    for log in logs:
        for failure in _failures(log, containers, links, namespaces, clock):
            failures.setdefault((failure.program, failure.place), failure)
    refusing = [log for log in logs if log.refused]
    if refusing:
        nginx = NginxConfigurations(host, containers, processes)
        for failure in itertools.chain.from_iterable(_refusals(log, nginx) for log in refusing):
            failures.setdefault((failure.program, failure.place), failure)
    resolver_lines = (_lasting_failures(log.without_resolver, clock) for log in logs)
    return HostProxyFailures(
        tuple(_with_drop_in(host, failures.values())),
        tuple(sorted(pids)),
        tuple(unread),
        next(filter(None, resolver_lines), ()),
    )


def _with_drop_in(host: Host, failures: Collection[HostProxyFailure]) -> Iterator[HostProxyFailure]:
    """The failures; those of nginx with the drop-in of its unit, which is read if there is one."""
    drop_in = _drop_in(host) if any(failure.program == "nginx" for failure in failures) else ""
    for failure in failures:
        if failure.program == "nginx":
            yield msgspec.structs.replace(failure, drop_in=drop_in)
        else:
            yield failure


def _lasting_failures(lines: Sequence[HostLine], clock: Clock) -> tuple[str, ...]:
    """The lines of repeated failures that continue; empty otherwise."""
    is_now = len(lines) >= _SEVERAL and clock.is_within(lines[-1].at, _FRESH_S)
    return tuple(line.text for line in lines) if is_now else ()


def _is_host(address: str, links: Interfaces) -> bool:
    """Whether an address or a name is this host."""
    if not is_address(address):
        return address == "localhost"
    return is_loopback(address) or links.holds(address)


def _failures(
    log: HostLog,
    containers: Containers,
    links: Interfaces,
    namespaces: Namespaces | None,
    clock: Clock,
) -> Iterator[HostProxyFailure]:
    """The failures of one log that continue, by their place."""
    for (address, port), failed in by_key((line.place, line) for line in log.lines).items():
        lines = _lasting_failures(failed, clock)
        if not lines:
            continue
        callee = None
        if _is_host(address, links):
            callee = _publisher(containers, port)
            if callee is None and (_REFUSED in lines[-1] or log.mark):
                yield _failure_at_nobody(
                    log, address, port, lines, containers=containers, namespaces=namespaces
                )
        else:
            callee = _holder(containers, address)
        if callee is not None:
            yield HostProxyFailure(
                log, address, port=port, lines=lines, container=callee, is_published=True
            )


def _failure_at_nobody(
    log: HostLog,
    address: str,
    port: int,
    lines: tuple[str, ...],
    containers: Containers,
    namespaces: Namespaces | None,
) -> HostProxyFailure:
    """The failure at a port that no container publishes, with the container that has it inside."""
    callee = _serves_inside(containers, namespaces, port)
    moved = _moved_container(containers, port) if callee is None else None
    if moved is not None:
        callee = moved.container
    return HostProxyFailure(
        log,
        address,
        port=port,
        lines=lines,
        container=callee,
        is_published=False,
        moved=moved.binding if moved is not None else None,
    )


def _refusals(log: HostLog, nginx: NginxConfigurations) -> Iterator[HostProxyFailure]:
    """Requests for containers that nginx itself refuses, by its site.

    The log names the site and the path; the configuration says where they lead.
    """
    of_host = [hop for hop in nginx.hops if hop.proxy is None]
    for site, refused in by_key((request.site, request) for request in log.refused).items():
        if len(refused) < _SEVERAL:
            continue
        of_site = [hop for hop in of_host if site in (hop.names or ("", "_"))]
        callees = {
            hop.program.id: hop
            for request in refused
            for hop in hops_for_path(of_site, request.path)
            if hop.program is not None
        }
        hop = only(callees.values())
        place = place_in(hop.target) if hop is not None else None
        if hop is not None and place is not None:
            yield HostProxyFailure(
                log,
                place.host,
                port=place.port,
                lines=tuple(request.text for request in refused),
                container=hop.program,
                is_published=True,
                refusing=hop,
                file=nginx.file_of(hop),
            )


class _MovedContainer(msgspec.Struct, frozen=True):
    """A container whose port of the host the engine chooses at each start."""

    container: Container
    binding: PortBinding


def _moved_container(containers: Containers, port: int) -> _MovedContainer | None:
    """The only container with an engine-chosen port, where this port may be a former one."""
    if port < _FIRST_CHOSEN:
        return None
    chosen = []
    for container in containers.running:
        free = {
            wanted_port.port for wanted_port in container.wanted_ports if not wanted_port.host_port
        }
        ports = {
            binding.port: binding
            for binding in container.published_by("tcp")
            if binding.port in free
        }
        chosen += [_MovedContainer(container, binding) for binding in ports.values()]
    return only(chosen)


def _publisher(containers: Containers, port: int) -> Container | None:
    """The container that publishes a TCP port of the host, or was created to."""
    wanting = (container for container in containers if container.wants_port(port))
    return containers.publisher_of(port) or next(wanting, None)


def _serves_inside(
    containers: Containers, namespaces: Namespaces | None, port: int
) -> Container | None:
    """The only running container that serves this port in its own network without publishing it.

    A container that publishes it elsewhere is called there; this place was a program's of the host.
    """
    if namespaces is None:
        return None
    serving = []
    for container in containers.running:
        netns = namespaces.of(container)
        if netns is None or port in container.published_tcp_ports:
            continue
        if netns.serves_others("tcp", port):
            serving.append(container)
    return only(serving)


def _holder(containers: Containers, address: str) -> Container | None:
    return next(
        (
            container
            for (_, container_address), container in containers.by_place.items()
            if container_address == address
        ),
        None,
    )


def _drop_in(host: Host) -> str:
    settings = file_text(host, "/etc/nginx/nginx.conf")
    match = _INCLUDED.search(settings)
    return match["folder"] if match is not None else ""
