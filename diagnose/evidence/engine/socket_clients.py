"""What containers that hold the engine's socket say of it in their logs."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadLogs
from diagnose.registry import evidence

SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run"})
TOO_OLD = LazyPattern(
    r"client version (?P<client>[\d.]+) is too old\. Minimum supported API version is (?P<least>[\d.]+)"
)
"""The engine's answer, which clients log as they get it (the same words from 20.10 to 29)."""
MOST = 10
"""A host has a proxy, a dashboard and an updater; more logs are not read for this."""
LINES = 100
BYTES = 64 * 1024


class TurnedAway(msgspec.Struct, frozen=True):
    """A container whose log says that the engine turned it away, with the last line that does."""

    container: Container
    client: str
    least: str
    line: str


class SocketClients(msgspec.Struct, frozen=True):
    """Containers that command the engine through its socket."""

    holders: tuple[Container, ...]
    """The running containers with the socket."""
    turned_away: tuple[TurnedAway, ...] = ()
    """The containers that speak an API that is too old for the engine."""


@evidence
def socket_clients(host: Host, containers: Containers) -> SocketClients:
    """A log that cannot be read tells nothing: such a client is not known to be turned away."""
    holders = tuple(
        container
        for container in containers
        if container.state.status in ("running", "restarting")
        and any(mount.source in SOCKETS for mount in container.mounts)
    )
    clients = []
    for container, log in host.ask_about(
        holders[:MOST], lambda container: ReadLogs(container.id, LINES, BYTES)
    ):
        lines = [] if isinstance(log, Failed) else log.text.splitlines()
        match = next((match for line in reversed(lines) if (match := TOO_OLD.search(line))), None)
        if match is not None:
            clients.append(TurnedAway(container, match["client"], match["least"], match[0]))
    return SocketClients(
        holders, tuple(sorted(clients, key=lambda turned_away: turned_away.container.name))
    )
