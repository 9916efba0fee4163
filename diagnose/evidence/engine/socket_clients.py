"""Log lines of containers that use the engine's socket."""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.registry import evidence

SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run"})
TOO_OLD = LazyPattern(
    r"client version (?P<client>[\d.]+) is too old\. Minimum supported API version is (?P<least>[\d.]+)"
)
"""The engine's answer, which clients log as they get it (the same words from 20.10 to 29)."""
_STOPS = LazyPattern(r"\b(?:stop|kill|restart|remov|terminat|shut)", re.IGNORECASE)
AROUND_S = 60.0
"""Seconds between the log line and the end: the grace period of the container."""
MOST = 10
"""A host has a proxy, a dashboard and an updater; more logs are not read for this."""
LINES = 100
BYTES = 64 * 1024


class TurnedAway(msgspec.Struct, frozen=True):
    """A container that the engine turned away, and the last line of its log about that."""

    container: Container
    client: str
    least: str
    line: str


class StopOrder(msgspec.Struct, frozen=True):
    """A line of such a container about the end of one or more others."""

    container: Container
    """The container of the log."""
    at: float
    text: str

    def is_about(self, ended: Container) -> bool:
        """Whether it names this container, and was written at the time of its end."""
        finished = ended.finished_at
        if finished is None or not -AROUND_S <= finished - self.at <= AROUND_S:
            return False
        return self.names(ended)

    def names(self, container: Container) -> bool:
        """Whether the line has the name or the short id of this container."""
        name = re.search(rf"(?<![\w.-]){re.escape(container.name)}(?![\w.-])", self.text)
        return name is not None or container.id[:12] in self.text


class SocketClients(msgspec.Struct, frozen=True):
    """Containers that command the engine through its socket."""

    holders: tuple[Container, ...]
    """The running containers with the socket."""
    turned_away: tuple[TurnedAway, ...] = ()
    """The containers whose API version is too old for the engine."""
    orders: tuple[StopOrder, ...] = ()
    """The lines about stopping others: Watchtower, autoheal and similar programs log their actions.
    """

    def order_for(self, ended: Container) -> StopOrder | None:
        """The line by which a client reports the end of this container."""
        orders_of_others = (order for order in self.orders if order.container.id != ended.id)
        return next((order for order in orders_of_others if order.is_about(ended)), None)


@evidence
def socket_clients(host: Host, containers: Containers) -> SocketClients:
    """The containers that use the engine's socket, and their lines about it.

    An unreadable log says nothing: such a client is not known to be turned away.
    """
    holders = tuple(
        container
        for container in containers
        if container.state.status in ("running", "restarting") and container.mounts_from(*SOCKETS)
    )
    clients = []
    orders: list[StopOrder] = []
    for container, log in host.ask_about(
        host.first(holders, MOST, "containers with the engine's socket"),
        lambda container: ReadLogs(container.id, LINES, BYTES),
    ):
        lines = [] if isinstance(log, Failed) else log.text.splitlines()
        match = next(filter(None, map(TOO_OLD.search, reversed(lines))), None)
        if match is not None:
            clients.append(TurnedAway(container, match["client"], match["least"], match[0]))
        if not isinstance(log, Failed):
            orders += _orders(container, log)
    orders.sort(key=lambda order: (order.at, order.text))
    return SocketClients(
        holders,
        tuple(sorted(clients, key=lambda turned_away: turned_away.container.name)),
        tuple(orders),
    )


def _orders(container: Container, log: ContainerLog) -> Iterator[StopOrder]:
    for line in log.lines:
        if line.at is not None and _STOPS.search(line.text):
            yield StopOrder(container, line.at, line.text.strip())
