"""network.idle-connections-forgotten: connections that break after some minutes without a word."""

import re

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.conntrack import IDLE, IdleTimeout
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, Seconds, Severity, Skipped
from diagnose.phrases import agree, named, quoted, sentence
from diagnose.registry import check

_BROKEN = LazyPattern(
    r"connection reset|ECONNRESET|server closed the connection|broken pipe|EPIPE\b|unexpected EOF"
    r"|lost connection to (?:mysql )?server|server has gone away|connection (?:was )?terminated",
    re.IGNORECASE,
)
"""A program found its connection closed: "server has gone away", ECONNRESET."""
_SINCE_S = 300.0


@check("network.idle-connections-forgotten", severity=Severity.warning)
def idle_connections_forgotten(
    idle_timeout: IdleTimeout,
    containers: Containers,
    recent_logs: RecentLogs | None,
    clock: Clock,
    *,
    short: Seconds = Seconds(300),
) -> CheckResult:
    """The kernel forgets idle TCP connections of containers within minutes.

    A container's connections to the outside are translated by an entry of the kernel's table.
    Guides against floods lower its time (`nf_conntrack_tcp_timeout_established`, five days unless
    configured) to a minute or two. Later packets of the other side are answered with a reset, while
    programs send their keep-alives only after two hours: pools of database connections and message
    queues suffer. It is a warning where a container's log mentions broken connections within the
    last minutes, advice otherwise.
    """
    seconds = idle_timeout.seconds
    if seconds is None:
        return Skipped("connection tracking is not in use on this host")
    if seconds >= short:
        return None
    lines = _broken_connections(containers, recent_logs, clock)
    names = sorted(lines)
    broken = f"{named('container', names)} {agree(names, 'logs', 'log')} broken connections"
    yield Finding(
        subject=HOST,
        summary=sentence(
            f"the kernel forgets a TCP connection that is idle for {seconds} s: the next packet on it gets "
            "no answer or a reset",
            broken if names else "",
        ),
        evidence=present({IDLE: seconds, "log": lines or None}),
        severity=None if names else Severity.advice,
        touches=tuple(
            container.subject for container in containers.running if container.name in lines
        ),
    )


def _broken_connections(
    containers: Containers, recent_logs: RecentLogs | None, clock: Clock
) -> dict[str, str]:
    """The last line about a broken connection, by the name of the container that logged it."""
    if recent_logs is None:
        return {}
    reports = {
        container.name: recent_logs.repeated(container, _tells_of_a_break, clock, 1, _SINCE_S)
        for container in containers.running
        if not container.shares_host_network
    }
    return {name: quoted(lines[-1].text) for name, lines in reports.items() if lines}


def _tells_of_a_break(text: str) -> bool:
    return _BROKEN.search(text) is not None
