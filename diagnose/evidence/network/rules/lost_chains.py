"""Engine requests that fail because a chain of the packet filter is missing."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.lazy_pattern import LazyPattern

_CHAIN_GONE = LazyPattern(
    r"iptables failed: (?P<program>ip6?tables) [^\n]{0,40}?(?:-t (?P<table>\w+) )?"
    r"-[AI] (?P<chain>DOCKER[\w-]*) [^\n]{0,1000}No chain/target/match by that name"
)
"""The engine's error about a start for which it cannot write a rule."""


def refusals_for_chains(log: DaemonLog | None, lost: tuple[str, ...]) -> Iterator[LogLine]:
    """The log lines about requests for which the engine needed a rule in one of these chains."""
    for line in log or ():
        match = _CHAIN_GONE.search(line.text)
        if match is not None and f"{match['table'] or 'filter'} {match['chain']}" in lost:
            yield line


def refused_by_lost_chain(
    containers: Containers | None, firewall: Firewall
) -> Iterator[tuple[tuple[str, str], Container]]:
    """The containers whose start wanted a rule in a chain that is gone, by the table and chain."""
    existing = {(chain.table.family, chain.table.name, chain.name) for chain in firewall.chains}
    for container in containers or ():
        match = _CHAIN_GONE.search(container.state.error) if container.start_failed else None
        if match is None:
            continue
        family = "ip6" if match["program"] == "ip6tables" else "ip"
        table = match["table"] or "filter"
        chain = match["chain"]
        if (family, table, chain) not in existing:
            yield (f"{family} {table}", chain), container
