"""Checks of the kernel's tables of traffic.

Tracked connections and neighbours, both in tables of a limited size.
"""

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.network.neighbours import NeighbourLimits
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.conntrack import Conntrack
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import subjects_of
from diagnose.model import HOST, CheckResult, Finding, Percent, Seconds, Severity, Skipped, Subject
from diagnose.phrases import how_often, sentence
from diagnose.registry import check

_CONNTRACK_FULL = LazyPattern(r"nf_conntrack: (?:nf_conntrack: )?table full, dropping packet")
_NEIGHBOURS_FULL = LazyPattern(r"(?P<table>arp_cache|ndisc_cache): neighbou?r table overflow")
_SIGNS = ("table full", "table overflow")
"""The kernel's messages about the two tables."""


def _recent_records(
    kernel_log: KernelLog | None, pattern: LazyPattern, clock: Clock, recent: float
) -> list[Record]:
    """The matching lines of the kernel of the last seconds."""
    if kernel_log is None:
        return []
    return [
        record
        for record, _ in kernel_log.matching(pattern, _SIGNS)
        if clock.is_within(record.at, recent)
    ]


@check("network.conntrack-full", severity=Severity.warning)
def conntrack_full(
    conntrack: Conntrack,
    networks: Networks | None,
    kernel_log: KernelLog | None,
    clock: Clock,
    *,
    warn_pct: Percent = Percent(80),
    critical_pct: Percent = Percent(95),
    recent: Seconds = Seconds(3600),
) -> CheckResult:
    """The host's connection tracking table is full, or nearly so.

    New connections are dropped at random once it is full, DNS among them. It is critical where the
    kernel said so within the last hour.
    """
    if conntrack.limit is None or conntrack.count is None:
        return Skipped("connection tracking is not in use on this host")
    lines = _recent_records(kernel_log, _CONNTRACK_FULL, clock, recent)
    used = 100 * conntrack.count / conntrack.limit if conntrack.limit else 0.0
    dropped = f"the kernel dropped packets {how_often(len(lines))} within the last hour"
    if used >= warn_pct or lines:
        yield Finding(
            subject=HOST,
            summary=sentence(
                f"the kernel's table of connections (conntrack) is {used:.0f} % full: "
                f"{conntrack.count} of {conntrack.limit}; once full, it drops new connections",
                dropped if lines else "",
            ),
            evidence={
                "net.netfilter.nf_conntrack_count": conntrack.count,
                "net.netfilter.nf_conntrack_max": conntrack.limit,
                "kernel log": [record.text for record in lines[-3:]],
            },
            severity=Severity.critical if used >= critical_pct or lines else Severity.warning,
            touches=_bridges(networks),
            onset=lines[0].at if lines else None,
        )


@check("network.neighbour-table-full", severity=Severity.critical)
def neighbour_table_full(
    kernel_log: KernelLog,
    limits: NeighbourLimits | None,
    networks: Networks | None,
    clock: Clock,
    *,
    recent: Seconds = Seconds(3600),
) -> CheckResult:
    """The kernel's neighbour table is full.

    The kernel cannot find the hardware address of new neighbours then. The table is shared by the
    host and all containers; each container on a bridge takes an entry. Full means
    `net.ipv4.neigh.default.gc_thresh3` entries, 1024 unless configured. The kernel logs the
    overflow, at most some lines every five seconds.
    """
    lines = _recent_records(kernel_log, _NEIGHBOURS_FULL, clock, recent)
    if lines:
        is_ipv6 = "ndisc_cache" in lines[-1].text
        family = "IPv6" if is_ipv6 else "IPv4"
        threshold = limits.of(family.lower()) if limits is not None else None
        yield Finding(
            subject=HOST,
            summary=sentence(
                f"the {family} neighbour table overflowed {how_often(len(lines))} within the last "
                "hour: the host cannot reach machines and containers that are not in it",
                f"it holds {threshold} entries" if threshold else "",
            ),
            evidence={
                "kernel log": [record.text for record in lines[-3:]],
                f"net.{family.lower()}.neigh.default.gc_thresh3": threshold,
            },
            variables={"family": family.lower()},
            touches=_bridges(networks),
            signs=frozenset({"timeout", "unreachable"}),
            onset=lines[0].at,
        )


def _bridges(networks: Networks | None) -> tuple[Subject, ...]:
    return () if networks is None else subjects_of(networks.bridges)
