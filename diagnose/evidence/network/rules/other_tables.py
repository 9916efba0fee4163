"""Programs in containers whose iptables works on other tables than those of the host. Pure.

iptables is two programs: one writes the legacy tables of the kernel, the other one nftables. An
image brings one of them along, and on the host's network it meets the chains of the host's.
"""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.rules import Backend
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_UNKNOWN_CHAIN = LazyPattern(
    r"\((?P<front>legacy|nf_tables)\): (?:Couldn't load target"
    r"|[Cc]hain) [`'\"](?P<chain>[\w-]{1,30})[`'\"]"
)
"""`iptables v1.8.9 (legacy): Couldn't load target 'DOCKER': No such file or directory`."""
_UNNAMED = LazyPattern(r"\((?P<front>legacy|nf_tables)\):.{0,60}No chain/target/match by that name")
_ASKED = LazyPattern(
    r"\s-(?:[ADCIRFLSX]|j|-jump|-append|-check|-delete|-insert) (?P<chain>DOCKER[\w-]{0,24})"
)
_BACKENDS: Mapping[str, Backend] = {"legacy": "legacy", "nf_tables": "nft"}


class OtherTables(msgspec.Struct, frozen=True):
    """A container whose iptables does not see a chain that the host has."""

    container: Container
    chain: str
    own: Backend
    """The backend of its iptables."""
    table: str
    """The table of the host that has the chain."""
    line: str


class AllOtherTables(Items[OtherTables], frozen=True):
    """The one that the newest line of each container names."""


@evidence
def all_other_tables(
    containers: Containers,
    firewall: Firewall,
    log_tails: LogTails | None,
    recent_logs: RecentLogs | None,
) -> AllOtherTables:
    """The logs of containers on the host's network, running or not."""
    tables = []
    for container in containers:
        if container.shares_host_network:
            lines = _lines(container, log_tails, recent_logs)
            missed = [_missed_tables(container, line, firewall) for line in lines]
            tables += list(filter(None, missed))[-1:]
    return AllOtherTables(tuple(tables))


def _lines(
    container: Container, log_tails: LogTails | None, recent_logs: RecentLogs | None
) -> Iterator[str]:
    if log_tails is not None:
        tail = log_tails.of(container)
        yield from (*tail.earlier, *tail.lines)
    if recent_logs is not None:
        yield from recent_logs.texts_of(container)


def _missed_tables(container: Container, line: str, firewall: Firewall) -> OtherTables | None:
    """The chain that a line reports as missing, where the tables of the other kind have it."""
    unknown = _UNKNOWN_CHAIN.search(line)
    unnamed = _UNNAMED.search(line) if unknown is None else None
    wanted_table = _ASKED.search(line) if unnamed is not None else None
    if unknown is not None:
        front = unknown["front"]
        chain = unknown["chain"]
    elif unnamed is not None and wanted_table is not None:
        front = unnamed["front"]
        chain = wanted_table["chain"]
    else:
        return None
    own_backends = _BACKENDS[front]
    homes = [home for home in firewall.chains if home.name == chain]
    if not homes or any(home.table.backend == own_backends for home in homes):
        return None
    return OtherTables(container, chain, own_backends, homes[0].label, line)
