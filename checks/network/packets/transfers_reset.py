"""network.transfers-reset: the host ends connections of containers for packets that it misreads."""

import re

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.stray_packets import COUNTERS, StrayPackets
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped
from diagnose.model.units import Count, Seconds
from diagnose.phrases import count, named, quoted
from diagnose.registry import check

_BROKEN_OFF = LazyPattern(
    r"""
      with\ [1-9]\d*\ out\ of\ \d+\ bytes\ received      # curl: timed out in the midst
    | transfer\ closed\ with\ \d+\ bytes\ remaining      # curl
    | Recv\ failure:\ Connection\ reset\ by\ peer        # curl
    | IncompleteRead\(\d+\ bytes\ read                   # Python
    | Connection\ broken:\ ConnectionResetError          # Python's requests
    | \bread\ tcp\ [^\n]{1,120}connection\ reset\ by\ peer  # Go
    | Premature\ end\ of\ (?:Content-Length|chunk)       # Java
    | Read\ error\ at\ byte\ [1-9]\d*                    # wget
    """,
    re.VERBOSE,
)
"""What programs print of a transfer that began and broke off: curl, wget, Python, Go, Java."""
_MARKS = (
    "bytes received",
    "bytes remaining",
    "reset by peer",
    "IncompleteRead(",
    "ConnectionResetError",
    "Premature end of",
    "Read error at byte",
)
"""Words of these lines, of which each has one: to look for them costs less than the pattern."""


@check(
    "network.transfers-reset",
    severity=Severity.warning,
    causes=[
        "container.errors-in-log",
        "container.exits-at-start",
        "container.restart-loop",
        "container.restarts-exhausted",
        "network.calls-failing",
    ],
)
def transfers_reset(
    containers: Containers,
    recent_logs: RecentLogs,
    strays: StrayPackets,
    clock: Clock,
    *,
    least: Count = Count(3),
    fresh: Seconds = Seconds(180),
) -> CheckResult:
    """Transfers of containers break off, because the host resets them.

    conntrack takes a packet outside the window of its connection for invalid. For a container's
    connection it undoes no translation then: the packet is taken for the host's own, and the
    kernel answers it with a reset, which ends a good connection. Fast transfers, and networks that
    repeat or reorder packets, bring such packets. The same transfer works from the host itself.

    It counts where a log says so at least `least` times, the last time within `fresh` seconds, and
    where at least as many packets were invalid and answered since the host has booted. A server
    that ends its own answers looks the same: the counter of the rule in the fix tells.
    """
    if not strays.are_answered:
        return Skipped("this host answers no packets that belong to no connection")
    met = min(strays.invalid, strays.resets)
    if met < least:
        return None
    broken = {
        container.id: recent_logs.repeated(container, _breaks_off, clock, least, fresh)
        for container in containers.running
    }
    members = [container for container in containers.running if broken[container.id]]
    lines = [line for container in members for line in broken[container.id]]
    if members and met >= len(lines):
        yield _finding(members, lines[-1], strays)
    yield from recent_logs.left_out(containers.running)


def _breaks_off(text: str) -> bool:
    return any(mark in text for mark in _MARKS) and _BROKEN_OFF.search(text) is not None


def _finding(members: list[Container], line: RecentLine, strays: StrayPackets) -> Finding:
    names = names_of(members)
    return Finding(
        subject=HOST,
        summary=f"transfers of {named('container', names)} break off, and this host answers "
        "packets outside the window of a connection with a reset, which ends it: no rule drops "
        f"them, and it has met {count(strays.invalid, 'such packet')}",
        evidence={
            "log": quoted(line.text),
            f"invalid in {COUNTERS}": strays.invalid,
            "Tcp OutRsts": strays.resets,
            "rules for invalid packets": "none drops them on INPUT",
        },
        variables={"program": "iptables"},
        touches=subjects_of(members),
        recheck=tuple(container.run for container in members),
    )
