"""Calls of localhost in the logs of containers and in the counters of the kernel. Pure."""

from collections.abc import Collection, Iterator, Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.loopback_calls import (
    LoopbackCall,
    is_refused_inside,
    named_call,
    repeated_call,
    with_target,
)
from diagnose.evidence.containers.peers.loopback_targets import LoopbackTargets
from diagnose.evidence.containers.peers.variable_calls import VariableCalls
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.model import EvidenceGroup


class CallRecords(EvidenceGroup, frozen=True):
    """Evidence, beside the tail of the log, that a container calls its localhost."""

    recent_logs: RecentLogs | None
    loopback_targets: LoopbackTargets | None
    network_losses: NetworkLosses | None
    variable_calls: VariableCalls | None


def recent_calls(
    container: Container,
    lines: Sequence[RecentLine],
    namespaces: Namespaces | None,
    records: CallRecords,
    least: int,
) -> Iterator[LoopbackCall]:
    """The call that the recent lines of a running container repeat, if they repeat one."""
    call = repeated_call(container, lines, namespaces, least)
    if call is None and is_refused_inside(container, records.network_losses):
        call = named_call(container, lines, namespaces, least)
    if call is not None:
        yield with_target(call, records.loopback_targets)


def calls_meant(
    containers: Containers,
    log_tails: LogTails,
    targets: LoopbackTargets | None,
    failed: Collection[str],
) -> Iterator[LoopbackCall]:
    """The calls of failed containers whose log names only the kind of the server.

    A single mounted file of settings has the address. failed: ids of containers whose log names the
    place.
    """
    for container in containers:
        target = targets.meant_by(container) if targets is not None else None
        if target is not None and container.id not in failed:
            tail = log_tails.of(container)
            line = next(line for line in tail.lines if "refused" in signs(line))
            yield LoopbackCall(container, str(target.port), line, tail.signs, target)
