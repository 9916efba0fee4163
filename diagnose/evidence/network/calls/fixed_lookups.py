"""Containers whose nginx resolves the names behind it once, when it reads its configuration."""

from collections.abc import Iterable, Iterator, Mapping

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.calls.failing_calls import FailingCalls
from diagnose.evidence.network.proxies.nginx.files import NginxFiles
from diagnose.nginx_text import Directive
from diagnose.questions import Host
from diagnose.registry import evidence

_PROGRAM = "nginx"
_MOST = 4
"""Web servers whose files are read."""


class FixedLookups(Items[Container], frozen=True):
    """The containers, of those whose calls fail."""

    read_at: Mapping[str, float] = {}
    """The Unix time of the youngest worker's begin, by the id of each container with nginx whose
    calls fail: a reload resolves all names again."""

    def of(self, container: Container) -> bool:
        return any(fixed.id == container.id for fixed in self)


@evidence
def fixed_lookups(
    host: Host, failing_calls: FailingCalls, processes: Processes, clock: Clock
) -> FixedLookups:
    """The containers with nginx whose failed calls use addresses that were resolved once.

    Files are read only of these. A name in a variable, and one with the parameter `resolve`, is
    resolved again.
    """
    callers = {
        call.container.id: call.container for call in failing_calls if not call.by_socket
    }.values()
    servers = [caller for caller in callers if processes.runs(caller.id, (_PROGRAM,))]
    return FixedLookups(
        tuple(
            server
            for server in host.first(servers, _MOST, "web servers with nginx")
            if looks_up_once(NginxFiles(host, server).directives())
        ),
        {server.id: _read_at(server, processes, clock) for server in servers},
    )


def _read_at(server: Container, processes: Processes, clock: Clock) -> float:
    """When the youngest worker of a container's nginx began.

    Each reload starts new ones, and old ones stay while they have a connection.
    """
    server_processes = [
        process for process in processes.inside(server.id) if process.comm == _PROGRAM
    ]
    return clock.booted + max((process.start for process in server_processes), default=0.0)


def looks_up_once(directives: Iterable[Directive]) -> bool:
    """Whether no name behind an nginx is looked up a second time."""
    called = list(_called_words(directives))
    return bool(called) and not any("$" in words[1] or "resolve" in words[2:] for words in called)


def _called_words(directives: Iterable[Directive]) -> Iterator[tuple[str, ...]]:
    """Each `proxy_pass`, and each `server` of a group of servers, by its words."""
    for directive in directives:
        is_place = directive.name in ("proxy_pass", "server") and not directive.is_block
        if is_place and len(directive.words) > 1:
            yield directive.words
        yield from _called_words(directive.inner)
