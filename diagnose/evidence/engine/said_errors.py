"""Recent errors of the engine, without those that a healthy one writes too."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.engine.log import UP, DaemonLog, LogLine
from diagnose.evidence.images.pulls.pull_failures import failure as failed_pull
from diagnose.evidence.images.pulls.pushes import push_error
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.registry import evidence

ONCE_S = 3600
"""An error that was written once counts for so many seconds."""
OFTEN = 3
"""From so many times on it counts as long as the user looks back."""

HARMLESS = LazyPattern(
    # the end of a command or a client that was stopped while it waited
    r"(?:reading from|writing to) a closed fifo|failed to close container stdin"
    r"|ttrpc: received message on inactive stream|file already closed"
    r"|broken pipe|connection reset by peer|use of closed network connection|context canceled"
    r"|Could not send KILL signal|process already finished|unexpected HTTP error handling"
    # a program that `docker exec`, a health check or a probe of a monitor did not find
    r"|Error running exec|Error setting up exec|Handler for \w+ \S*/exec|No such exec|Handler for GET "
    # a request that does not fit the state of a container, a network or a swarm
    r"|is not (?:running|paused|connected to network)|[Nn]o such container|service \S+ not found"
    r"|not a swarm manager|swarm/leave returned error"
    # the end of a container, of an engine or of a swarm, in the order that happened
    r"|dispatcher is stopped|name conflicts with an existing object|object does not exist"
    r"|network allocator state|unknown network \S+ id|set up rule failed|failed to clean up assignments"
    r"|failed to shut down cluster node|failed to report status to agent"
    r"|dial unix \S+containerd\.sock\S*: connect: connection refused|Error saving dying container"
    r"|Failed to delete firewall mark rule|Failed add IP alias|network ingress remove failed"
    r"|cluster update failed|is already in progress"
    r"|failed to delete container from containerd: NotFound"
    # settings that this kernel lacks, and that the engine does not need
    r"|error reading the kernel parameter|(?:set|enabling) (?:bridge )?default vlan|ipvs"
    r"|failed to load cni during init"
    # a new network with IPv6 on 20.10: the kernel adds the route itself once the bridge is up
    r"|Could not add route to IPv6 network \S{1,64} via device \S{1,20}: network is down"
    # a rootless engine may not watch version 1 of control groups
    r"|add cg to OOM monitor: open \S{1,200}/cgroup\.event_control: permission denied"
    # a copy of a socket, by a question of ours or by `docker cp`
    r"|archive/tar: sockets not supported"
    # a network whose addresses are given, and no driver for them: each one of Compose with a subnet
    r"|Unable to find plugin without name"
)
"""Collected in full on healthy engines 20.10.24, 26.1.5 and 28.5.2 through starts, stops, kills,
removals, failed execs, builds, a swarm of one node, a restart and a kill of the engine; a client's
request of the kind GET harms nobody but the client."""
ELSEWHERE = LazyPattern(
    r"Handler for POST \S{0,200}/images/create|Not continuing with pull|Error trying v2 registry"
    r"|pulling image failed|TLS handshake error|Health check|moby\.buildkit\.v1\.\S{0,200}/Solve"
)
"""Lines that other checks read."""
_CHANGING = LazyPattern(r"\b[0-9a-z]{25}\b|\b[0-9a-f]{8,}\b|\d+")
"""Parts that differ from one time to the next: ids, times, numbers."""
_OF_CONTAINER = LazyPattern(
    r"Handler for \w+ \S*/containers/(?P<id>[\w.-]{2,128})/|(?P<other>[0-9a-f]{64})"
)


class SaidError(msgspec.Struct, frozen=True):
    """An error in the engine's log, by its newest line."""

    line: LogLine
    times: int
    first: float
    """Unix time of the oldest line."""
    kind: str = ""
    """The message without the parts that differ from one time to the next."""
    container: str = ""
    """The container that it names, by its id or as the client called it: by a name or a short id.
    """


class SaidErrors(Items[SaidError], frozen=True):
    """The newest first."""


@evidence
def said_errors(log: DaemonLog, clock: Clock, options: Options) -> SaidErrors:
    """The errors of the engine since its last start, from its log."""
    lines = [
        line
        for line in _lines_since_start(log, clock.wall - options.since_s)
        if _is_unexplained_error(line)
    ]
    groups = by_key((_CHANGING.sub("#", line.text), line) for line in lines)
    errors = []
    for kind, same in groups.items():
        first = same[0].at or 0.0
        last = same[-1].at or 0.0
        if len(same) >= OFTEN or clock.wall - last < ONCE_S:
            errors.append(SaidError(same[-1], len(same), first, kind, _container(same[-1])))
    return SaidErrors(tuple(sorted(errors, key=lambda error: -(error.line.at or 0.0))))


def _lines_since_start(log: DaemonLog, since: float) -> Iterable[LogLine]:
    """The lines since the engine came up the last time; all that are known, if that is not."""
    recent = log.since(since)
    for at in range(len(recent) - 1, -1, -1):
        if recent[at].message.startswith(UP):
            return recent[at:]
    return recent


def _is_unexplained_error(line: LogLine) -> bool:
    """Whether a line is an error that neither health nor another check explains."""
    if not line.is_error or HARMLESS.search(line.text) or ELSEWHERE.search(line.text):
        return False
    return failed_pull(line) is None and push_error(line) is None


def _container(line: LogLine) -> str:
    match = _OF_CONTAINER.search(line.message)
    return line.fields.get("container", "") or (
        (match["id"] or match["other"]) if match is not None else ""
    )
