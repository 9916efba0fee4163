"""Traces of containers' connections after the engine's rules are restored."""

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.paths.packet_paths import packet_paths as paths_on
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.rules.lost_rules import LostRules
from diagnose.firewall.docker import is_docker_chain
from diagnose.firewall.packet import Family
from diagnose.phrases import count
from diagnose.registry import evidence


class SimulatedRepair(msgspec.Struct, frozen=True):
    """Connections into and out of containers that pass: now, and with the repaired rules.

    Without those that the engine itself should stop.
    """

    total: int = 0
    now: int = 0
    afterwards: int = 0
    broken: int = 0
    """How many connections pass now and would not pass after the repair."""
    families: tuple[Family, ...] = ("ip",)
    """The families whose rules the repair knows."""
    rules: int = 0
    """Rules that the repair adds or takes away; 0 where there is nothing to repair."""

    @property
    def helps(self) -> bool:
        """Whether there is a repair that breaks nothing."""
        return bool(self.rules) and not self.broken

    def __str__(self) -> str:
        return f"{self.afterwards} of {count(self.total, 'connection')} pass the packet filter (now: {self.now})"


@evidence
def simulated_repair(
    lost_rules: LostRules,
    packet_paths: PacketPaths,
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    walked_host: WalkedHost,
    clock: Clock,
) -> SimulatedRepair:
    """The connections that pass now, and those that pass after the repair of the rules."""
    repair = lost_rules.repair
    if repair is None:
        return SimulatedRepair()
    stack = replace(host_stack.stack, ruleset=repair.ruleset)
    mended_host = replace(host_stack, stack=stack)
    mended = paths_on(mended_host, containers, networks, walked_host, clock)
    ways = list(zip(packet_paths.all_ways, mended.all_ways, strict=True))
    repaired_ways = [(now, then) for now, then in ways if not _is_stopped_by_engine(then)]
    return SimulatedRepair(
        len(repaired_ways),
        now=sum(passes(now) for now, _ in repaired_ways),
        afterwards=sum(passes(then) for _, then in repaired_ways),
        broken=sum(passes(now) and not passes(then) for now, then in repaired_ways),
        families=repair.families,
        rules=len(repair.missing) + len(repair.stale),
    )


def _is_stopped_by_engine(way: OutboundPath | InboundPath) -> bool:
    """Whether a rule of the engine's own stops the connection on purpose."""
    verdict = way.reach if isinstance(way, InboundPath) else way.block
    step = verdict.by if verdict is not None and verdict.is_blocked else None
    is_guarded = isinstance(way, OutboundPath) and way.is_guarded
    return is_guarded or (step is not None and is_docker_chain(step.table, step.chain))


def passes(way: OutboundPath | InboundPath) -> bool:
    """Whether a connection gets through, with the addresses that the engine intends."""
    if isinstance(way, InboundPath):
        return way.reach.outcome == "accept" and way.reach.nat is not None
    is_open = way.block is None and way.sample.outcome == "accept"
    is_hidden = way.sample.nat is not None or way.sample.nat_unknown or not way.network.masquerades
    return is_open and is_hidden
