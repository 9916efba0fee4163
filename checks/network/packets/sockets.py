"""Programs that do not take the connections that come, or cannot open any more."""

import re

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces, Socket
from diagnose.evidence.network.sockets.full_queues import FullQueues
from diagnose.evidence.network.sockets.losses import FullUdpSocket, NetworkLosses
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Count, Finding, Seconds, Severity, Skipped, Unavailable
from diagnose.phrases import count, quoted, sentence, shortened
from diagnose.programs.telling_line import TellingLine
from diagnose.registry import check


@check("network.accept-queue-full", severity=Severity.warning)
def accept_queue_full(
    namespaces: Namespaces, full_queues: FullQueues, repeated_errors: RepeatedErrors | None
) -> CheckResult:
    """A program in a container does not accept waiting connections.

    The kernel finishes handshakes for a program that listens, and keeps them in a queue until the
    program accepts them. Once the queue is full it drops what comes, and clients get no answer.
    This happens where a program hangs, or all its workers are busy. A burst of clients may fill a
    short queue for a moment: the queue counts only if it is full a second later too. It shows in
    the kernel's list of listening sockets. The report also shows lines that the program repeats,
    such as that its workers wait for a database.
    """
    sockets = [
        socket for netns in namespaces for socket in netns.listeners if socket.protocol == "tcp"
    ]
    if not any(netns.listeners for netns in namespaces):
        return Skipped("no program in a running container listens")
    if sockets and all(socket.backlog is None for socket in sockets):
        return Unavailable("not recorded", "the queues of listening sockets")
    errors = {error.container.id: error.line for error in repeated_errors or ()}
    for queue in full_queues:
        yield _full_queue_finding(queue.container, queue.socket, errors.get(queue.container.id))
    yield from namespaces.unvisited


def _full_queue_finding(container: Container, socket: Socket, error: TellingLine | None) -> Finding:
    log_clause = f"its log repeats: {shortened(error.text, 140)}" if error is not None else ""
    return Finding.about(
        container,
        sentence(
            f"{container} does not accept connections on port {socket.port}: "
            f"{count(socket.waiting, 'client')} wait, its queue has room for {socket.backlog}, "
            "and further clients get no answer",
            log_clause,
        ),
        {
            f"listening socket inside {container.name}": f"{socket.address}:{socket.port}",
            "connections that wait": socket.waiting,
            "backlog of listen()": socket.backlog,
        },
        discriminator=str(socket.port),
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables={"port": str(socket.port)},
    )


@check("network.datagrams-dropped", severity=Severity.warning)
def datagrams_dropped(network_losses: NetworkLosses, *, least: Count = Count(3)) -> CheckResult:
    """A program in a container loses datagrams: its receive buffer is full.

    The kernel keeps what comes for a UDP socket in a buffer until the program reads it. Once the
    buffer is full, further datagrams are dropped without an error. Log lines, metrics, DNS queries
    and calls are lost in this way. It counts only while datagrams are being lost.
    """
    if not network_losses.counted:
        return Skipped("no running container has a network of its own")
    for loss in network_losses:
        for socket in loss.datagrams:
            if socket.within >= least:
                yield _lost_datagrams_finding(loss.container, socket)


def _lost_datagrams_finding(container: Container, socket: FullUdpSocket) -> Finding:
    return Finding.about(
        container,
        f"{container} loses what comes to UDP port {socket.port}: {count(socket.within, 'datagram')}"
        f" within a moment, {socket.total} since it was opened; its receive buffer is full",
        {
            f"UDP socket inside {container.name}": f"{socket.address}:{socket.port}",
            "dropped while it was watched": socket.within,
            "dropped since it was opened": socket.total,
        },
        discriminator=str(socket.port),
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables={"port": str(socket.port)},
    )


@check(
    "network.connections-left-open",
    severity=Severity.warning,
    caused_by=["network.requests-unanswered"],
)
def connections_left_open(
    network_losses: NetworkLosses, *, least: Count = Count(300)
) -> CheckResult:
    """A program in a container never closes connections that its peers have closed.

    They stay in the state CLOSE_WAIT until the program closes them, and none times out. Each holds
    an open file: a program that leaks them, or whose workers hang, accepts no client in the end.
    They are counted in namespaces with many connections, and only those that remain after a moment.
    """
    if not network_losses.counted:
        return Skipped("no running container has a network of its own")
    for loss in network_losses:
        if loss.left_open >= least:
            yield Finding.about(
                loss.container,
                f"{loss.container} leaves {loss.left_open} connections open "
                "that their peers have closed: the program hangs or leaks them",
                {"connections in CLOSE_WAIT": loss.left_open},
                signs=frozenset({"timeout", "open-files"}),
                recheck=(loss.container.run,),
            )


FEW_SOCKETS = 10
"""Fewer sockets cannot use up any ordinary range of local ports."""
_NO_PORT = LazyPattern(
    r"connect.{0,300}(?:\(99: |EADDRNOTAVAIL|cannot assign requested address|address not available)",
    re.IGNORECASE,
)
"""The error of connect(2) when no local port is left for the destination."""
_BINDS = LazyPattern(r"\b(?:bind|listen)", re.IGNORECASE)
_WITHOUT_IPV6 = LazyPattern(
    r"\blocalhost\b"
    r"|(?<![\w:])(?:(?:[0-9a-f]{1,4}:){1,7}|:):(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?(?![\w:])"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])",
    re.IGNORECASE,
)
"""An IPv6 address, or localhost, which may stand for ::1. In a container without IPv6 connect(2)
gives the same error for them, and no port is missing (seen on engine 20.10.24)."""


@check("network.local-ports-exhausted", severity=Severity.critical)
def local_ports_exhausted(
    containers: Containers,
    recent_logs: RecentLogs,
    namespaces: Namespaces | None,
    network_losses: NetworkLosses | None,
    clock: Clock,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A container has no local port left for further connections.

    A connection needs a local port of its own for each destination. A proxy that opens one for each
    request, and does not keep or close them, uses up the range `net.ipv4.ip_local_port_range` of
    its namespace. Its log repeats it, and within the last moments. A call over IPv6 from a
    container without IPv6 fails with the same error: a namespace with hardly any socket has ports.
    """
    callers = list(containers.running)
    for container in callers:
        lines = recent_logs.repeated(container, _lacks_a_port, clock, least, fresh)
        if not lines or _has_ports(container, namespaces, network_losses):
            continue
        yield Finding.about(
            container,
            f"{container} cannot open further connections: no local port is left for them",
            {"log": quoted(lines[-1].text), "times in its last lines": len(lines)},
            signs=NO_WAY_OUT,
            recheck=(container.run,),
        )
    yield from recent_logs.left_out(callers)


def _has_ports(
    container: Container, namespaces: Namespaces | None, network_losses: NetworkLosses | None
) -> bool:
    """Whether almost no port of the namespace is in use; False if that is not known."""
    netns = namespaces.of(container) if namespaces is not None else None
    if netns is None or network_losses is None:
        return False
    return network_losses.ports_used.get(netns.inode, FEW_SOCKETS) < FEW_SOCKETS


def _lacks_a_port(text: str) -> bool:
    """Whether a line mentions a connection without a local port."""
    if not _NO_PORT.search(text):
        return False
    return not _BINDS.search(text) and not _WITHOUT_IPV6.search(text)
