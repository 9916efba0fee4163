"""The logs of running containers that serve none of the ports that they publish or declare."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.reading import BYTES, LINES, MORE_BYTES, MORE_LINES
from diagnose.evidence.containers.logs.tail import NO_LINES, LogTail, read_tails
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed, Unexamined
from diagnose.programs.failures.languages.installs import QUESTIONS
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.registry import evidence

MOST = 10
"""Logs that are read."""
MOST_MUTE = 40
"""Logs that are read of containers that publish nothing; workers listen nowhere too."""
_START_S = 600.0
"""Within this time after its start a program that should serve a port begins to listen, or says why
it cannot."""
_LAST_LINES = 6
"""The telling line and its continuation, such as the end of a stack trace."""
_WATCHERS = {
    "air": LazyPattern(r"^Process Exit with Code:? [1-9]"),
    "cargo watch": LazyPattern(r"^\[Finished running\. Exit status: [1-9]"),
    "dotnet watch": LazyPattern(r"Waiting for a file to change before restarting"),
    "Node.js": LazyPattern(r"^Failed running '[^']+'"),
    "nodemon": LazyPattern(r"\[nodemon\] app crashed - waiting for file changes"),
    "the reloader of Django": LazyPattern(
        r"Exception in thread django-main-thread"
        r"|Unhandled exception in thread started by <function .{0,60}wrapper"
    ),
    "the reloader of uvicorn": LazyPattern(r"^Process SpawnProcess-\d+:"),
}
"""Lines of a program that starts another one again only when its files change, after that one has
failed."""
_STARTED_AGAIN = LazyPattern(
    r"^\[nodemon\] (?:re)?starting\b|^Restarting '|\bchanged, reloading\b|\bdetected changes in\b"
    r"|^\[Running '|^building\.\.\.|\bFile changed: "
)
"""Lines of such a program when it has seen a change and starts the program again."""


class UnservedPorts(msgspec.Struct, frozen=True):
    """The logs of running containers that serve none of their published ports."""

    tails: dict[str, LogTail] = {}
    """The last lines of each, by container id, where one of them explains a failure."""
    silent: frozenset[str] = frozenset()
    """The ids of all of them."""
    declared: dict[str, LogTail] = {}
    """The last lines of containers that publish nothing, listen nowhere although they declare
    ports, and whose log ends with the error, by container id."""
    declared_unread: tuple[Unexamined, ...] = ()
    """The containers that listen nowhere, and whose log was not read."""

    def of(self, container: Container) -> LogTail:
        """Its last lines; none where it serves a port, or where its log explains nothing."""
        return self.tails.get(container.id, NO_LINES)

    def watcher_of(self, container: Container) -> str:
        """The watcher that waits for a file change after its program has ended; "" without one."""
        lines: list[str] = []
        for line in self.of(container).lines:
            lines = [] if _STARTED_AGAIN.search(line) else [*lines, line]
        watchers = (name for name, pattern in _WATCHERS.items() if any(map(pattern.search, lines)))
        return next(watchers, "")


@evidence
def unserved_ports(host: Host, containers: Containers, namespaces: Namespaces) -> UnservedPorts:
    """The log of a program that failed while its container runs on; most hosts have none."""
    silent = [
        container
        for container, netns in paired(containers.running, namespaces.of)
        if _serves_nothing(netns)
    ]
    tails = read_tails(host, host.first(silent, MOST, "containers that serve nothing")).tails
    explained = {id: tail for id, tail in tails.items() if tail.explains or _is_known(tail)}
    ids = frozenset(container.id for container in silent)
    mute = _mute_containers(host, containers, namespaces)
    return UnservedPorts(explained, ids, mute.declared, mute.unread)


def _is_known(tail: LogTail) -> bool:
    """Whether the last line is that of a known failure, though it calls itself no error.

    A question may have several lines, and the last one, which has no end, is in no log.
    """
    last = LogTail(tail.lines[-1:])
    is_asked = tail.failure_named(*QUESTIONS) is not None
    return is_asked or last.known_failure is not None


class _MuteContainers(msgspec.Struct, frozen=True):
    """The logs of containers in which nothing listens; see `UnservedPorts`."""

    declared: dict[str, LogTail]
    unread: tuple[Unexamined, ...]


def _mute_containers(host: Host, containers: Containers, namespaces: Namespaces) -> _MuteContainers:
    """The containers that listen nowhere and whose log reports that they gave up."""
    mute = [
        container
        for container, netns in paired(containers.running, namespaces.of)
        if _listens_nowhere(netns)
    ]
    tails, unread = read_tails(host, mute[:MOST_MUTE])
    unread |= {container.id: f"only {MOST_MUTE} logs are read" for container in mute[MOST_MUTE:]}
    declared = {
        container.id: tails[container.id]
        for container in mute
        if container.id in tails and _gave_up_at_start(host, container, tails[container.id])
    }
    left_out = (
        Unexamined(container.subject, f"its log: {unread[container.id]}")
        for container in mute
        if container.id in unread
    )
    return _MuteContainers(declared, tuple(left_out))


def _serves_nothing(netns: ContainerNetns) -> bool:
    """Whether the container publishes TCP ports, and nothing listens at any of them."""
    published = netns.container.published_tcp_ports
    return bool(published) and not any(netns.sockets("tcp", port) for port in published)


def _listens_nowhere(netns: ContainerNetns) -> bool:
    """Whether the container declares TCP ports, publishes none, and listens at none for others."""
    container = netns.container
    sockets = (socket for socket in netns.listeners if socket.protocol == "tcp")
    return (
        bool(container.declared_tcp_ports)
        and not container.published_ports
        and all(socket.is_loopback for socket in sockets)
    )


def _gave_up_at_start(host: Host, container: Container, tail: LogTail) -> bool:
    """Whether a log ends with the error, soon after the program's start.

    Hardly anything follows the line: a program that works writes on. A worker that listens nowhere
    by design may end with an error of its work, hours later.
    """
    telling = tail.telling
    started = container.started_at
    if telling is None or not telling.explains or started is None:
        return False
    if len(tail.lines) - telling.index > _LAST_LINES + len(telling.details):
        return False
    is_longer = len(tail.lines) > LINES
    line_limits = (MORE_LINES, MORE_BYTES) if is_longer else (LINES, BYTES)
    log = host.ask(ReadLogs(container.id, *line_limits))  # asked before: its lines have their times
    if isinstance(log, Failed):
        return False
    times = [line.at for line in log.lines if line.text.rstrip() == telling.text]
    last_time = next((at for at in reversed(times) if at is not None), None)
    return last_time is not None and last_time - started <= _START_S
