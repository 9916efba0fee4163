"""Containers in a state that nobody wants: dead, paused, without their shim, full of zombies."""

from collections import Counter
from collections.abc import Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.leaked_mounts import LeakedMount, LeakedMounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.model.units import Count, Seconds
from diagnose.phrases import duration
from diagnose.registry import check

RUNC = ("", "runc", "io.containerd.runc.v2", "crun")
_UNLINK = LazyPattern(r"unlinkat (/\S+?):")


@check(
    "container.dead",
    severity=Severity.warning,
    caused_by=["storage.disk-full", "storage.network-volume-stale", "storage.read-only"],
    observed=True,
)
def dead(containers: Containers, leaks: LeakedMounts | None) -> CheckResult:
    """A container could not be removed and is left in the state dead.

    The engine's own error says so; without one it is being removed at this moment (a large layer
    takes minutes). The list says "removing" until the engine restarts, inspect says "dead". Seen on
    engines 20.10.24, 26.1.5 and 28.5.2. A mount that is still there is named, in this namespace or
    in that of another process.
    """
    leaked = leaks.by_id if leaks is not None else {}
    for container in containers:
        if container.state.status in ("dead", "removing") and container.state.error:
            mounts = leaked.get(container.id, ())
            yield _dead_finding(container, mounts[0] if mounts else None)


def _dead_finding(container: Container, leak: LeakedMount | None) -> Finding:
    error = container.state.error
    evidence: dict[str, Json] = {"State.Status": container.state.status, "State.Error": error}
    still_mounted = ""
    if leak is not None:
        holder = f" for process {leak.pid} ({leak.comm})" if leak.pid else ""
        evidence["mountinfo"] = f"{leak.fstype} at {leak.point}{holder}"
        still_mounted = f"; {leak.point} is still mounted{holder}"
    return Finding.about(
        container,
        f'{container} could not be removed and is in state "dead": '
        f"{error.rpartition(': ')[2]}{still_mounted}",
        evidence,
        signs=signs(error),
        variables={"id": container.id, **_release_variables(container.id, error, leak)},
    )


def _release_variables(id: str, error: str, leak: LeakedMount | None) -> PageVariables:
    """The page variables of the block that ends the hold on the container."""
    if leak is not None:
        return {"mount": leak.point, "pid": str(leak.pid)} if leak.pid else {"point": leak.point}
    path = _UNLINK.search(error)
    return {"path": path[1] if path else f"/var/lib/docker/containers/{id}"}


@check("container.shim-lost", severity=Severity.critical, caused_by=["daemon.containerd-down"])
def shim_lost(
    containers: Containers,
    processes: Processes,
    clock: Clock | None,
    *,
    settling: Seconds = Seconds(30),
) -> CheckResult:
    """A container is listed as running, but its shim or its first process is gone.

    The shim is containerd's handle on a container: without it nothing can be stopped, asked or
    logged, and `docker rm -f` hangs. Other runtimes than runc have shims of other names and are not
    looked at. Where the engine's own process cannot be seen, neither can the shims. A container
    whose process is gone, and that began less than `settling` seconds ago, has most often ended
    this moment: the shim ends next, and the engine calls the container ended only once its network
    is released, which takes seconds on a busy host.
    """
    if not any(process.comm == "dockerd" for process in processes):
        return Skipped("the engine's process cannot be seen from here")
    for container in containers.running:
        if container.host_config.runtime not in RUNC:
            continue
        first = processes.by_pid.get(container.state.pid)
        is_alive = first is not None and not first.is_zombie
        has_shim = container.id in processes.shims
        is_young = clock is not None and clock.is_within(container.started_at, settling)
        may_have_ended_now = not is_alive and is_young
        is_whole = is_alive and has_shim
        if not is_whole and not may_have_ended_now:
            yield _lost_process_finding(container, is_alive=is_alive, has_shim=has_shim)


def _lost_process_finding(container: Container, *, is_alive: bool, has_shim: bool) -> Finding:
    loss = f"process {container.state.pid} is gone"
    if is_alive:
        loss = "its helper process (containerd-shim) is gone, although its program still runs"
    return Finding.about(
        container,
        f"{container} is listed as running, but {loss}",
        {
            "State": f"{container.state.status}, Pid {container.state.pid}",
            "process": "alive" if is_alive else "none",
            "containerd-shim": "alive" if has_shim else "none",
        },
        touches=(DAEMON,),
        recheck_later=(container.run,),
        variables={"pid": str(container.state.pid)},
    )


@check("container.paused", severity=Severity.warning, aloud=("is paused", "are paused"))
def paused(
    containers: Containers, clock: Clock, events: Events | None, *, grace: Seconds = Seconds(300)
) -> CheckResult:
    """A container is paused: its processes are frozen and its health is not checked.

    Backup tools pause for moments: advice within `grace`. A pause that the engine's events do not
    remember is taken for a long one.
    """
    for container in containers:
        if container.state.status != "paused":
            continue
        pauses = events.of(container.id, "pause") if events is not None else ()
        age = clock.age(pauses[-1].at) if pauses else None
        pause_clause = f"has been paused for {duration(age)}" if age is not None else "is paused"
        is_short = age is not None and age < grace
        yield Finding.about(
            container,
            f"{container} {pause_clause} and answers no request",
            {
                "State.Status": "paused",
                "event pause": f"{duration(age)} ago" if age is not None else "not remembered",
            },
            severity=Severity.advice if is_short else Severity.warning,
            onset=pauses[-1].at if pauses else None,
        )


@check("container.zombies", severity=Severity.warning)
def zombies(
    containers: Containers, processes: Processes, *, most: Count = Count(20)
) -> CheckResult:
    """A container's first process does not reap its children, and zombies pile up.

    They are counted in /proc, because the engine's own list leaves them out; they count against the
    container's pids limit. A health check that has just ended leaves one or two.
    """
    for container in containers.running:
        ended = processes.zombies.get(container.id, ())
        if len(ended) < most:
            continue
        yield _zombies_finding(container, processes, ended)


def _zombies_finding(
    container: Container, processes: Processes, ended: Sequence[Process]
) -> Finding:
    """The finding that names the parent of most zombies: only that one can collect them.

    A parent that is not seen is taken for the first process.
    """
    parents = Counter(process.ppid for process in ended)
    keeper = processes.by_pid.get(parents.most_common(1)[0][0])
    if keeper is not None and keeper.pid == container.state.pid:
        keeper = None
    parent = f'its process "{keeper.comm}"' if keeper is not None else "its first process"
    names = sorted({process.comm for process in ended})
    return Finding.about(
        container,
        f"{container} has {len(ended)} zombies that {parent} does not reap",
        {
            "zombies": len(ended),
            "their names": names[:5],
            "their parent": keeper.comm if keeper is not None else "the first process",
            "first process": container.shown_command,
            "HostConfig.Init": bool(container.host_config.init),
        },
        variables=_zombie_steps(container, keeper),
    )


def _zombie_steps(container: Container, keeper: Process | None) -> PageVariables:
    """The page variables of the cure: an init helps only where the first process is the parent.

    keeper: another process that is the parent.
    """
    if keeper is not None:
        return {"pid": str(keeper.pid), "keeper": keeper.comm}
    return {"pid": str(container.state.pid), "init": "--init"}
