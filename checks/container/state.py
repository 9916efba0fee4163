"""Containers in a state in which nobody wanted them: dead, paused, without their shim, full of zombies."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable

from diagnose.error_signatures import signs
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.model import DAEMON, Count, Finding, Seconds, Severity, Skipped, Unavailable
from diagnose.phrases import ago
from diagnose.registry import check

RUNC = ("", "runc", "io.containerd.runc.v2", "crun")
_UNLINK = re.compile(r"unlinkat (/\S+?):")


@check(
    "container.dead",
    severity=Severity.warning,
    caused_by=["storage.disk-full", "storage.network-volume-stale", "storage.read-only"],
)
def dead(containers: Containers) -> Iterable[Finding]:
    """A container could not be removed and is left in the state dead.

    Told by the engine's own error: without one it is being removed at this moment (a large layer takes minutes).
    The list says "removing" until the engine restarts, inspect says "dead". Seen on engines 20.10.24, 26.1.5 and
    28.5.2.
    """
    for each in containers:
        if each.state.status in ("dead", "removing") and each.state.error:
            path = _UNLINK.search(each.state.error)
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} could not be removed and is dead: {each.state.error.rpartition(': ')[2]}",
                evidence={"State.Status": each.state.status, "State.Error": each.state.error},
                variables={
                    "container": each.name,
                    "id": each.id,
                    "path": path[1] if path else f"/var/lib/docker/containers/{each.id}",
                },
                signs=signs(each.state.error),
                service=each.service,
            )


@check("container.shim-lost", severity=Severity.critical, caused_by=["daemon.containerd-down"])
def shim_lost(containers: Containers, processes: Processes) -> Generator[Finding, None, Skipped | None]:
    """A container is listed as running, but its shim or its first process is gone.

    The shim is containerd's hold on a container: without it nothing can be stopped, asked or logged, and `docker rm
    -f` hangs. Other runtimes than runc have shims of other names and are not looked at. Where the engine's own
    process is not to be seen, neither are the shims.
    """
    if not any(process.comm == "dockerd" for process in processes):
        return Skipped("the engine's process cannot be seen from here")
    for each in containers.running:
        if each.host_config.runtime not in RUNC:
            continue
        alive = each.state.pid in processes.by_pid and processes.by_pid[each.state.pid].state != "Z"
        if alive and each.id in processes.shims:
            continue
        what = "its shim is gone, its process lives on" if alive else f"process {each.state.pid} is gone"
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} is listed as running, but {what}",
            evidence={
                "State": f"{each.state.status}, Pid {each.state.pid}",
                "process": "alive" if alive else "none",
                "containerd-shim": "alive" if each.id in processes.shims else "none",
            },
            variables={"container": each.name, "pid": str(each.state.pid)},
            touches=(DAEMON,),
            settled=(each.life,),
            service=each.service,
        )
    return None


@check("container.paused", severity=Severity.warning)
def paused(
    containers: Containers, clock: Clock, events: Events | Unavailable, *, grace: Seconds = Seconds(300)
) -> Iterable[Finding]:
    """A container is paused: its processes are frozen and its health is not checked.

    Backup tools pause for moments: advice within `grace`. A pause that the engine's events do not remember is taken
    for a long one.
    """
    for each in containers:
        if each.state.status != "paused":
            continue
        known = () if isinstance(events, Unavailable) else events.of(each.id, "pause")
        age = clock.age(known[-1].at) if known else None
        since = f" for {ago(age)}" if age is not None else ""
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} is paused{since}: it answers nobody",
            evidence={
                "State.Status": "paused",
                "event pause": f"{ago(age)} ago" if age is not None else "not remembered",
            },
            variables={"container": each.name},
            severity=Severity.advice if age is not None and age < grace else Severity.warning,
            onset=known[-1].at if known else None,
            service=each.service,
        )


@check("container.zombies", severity=Severity.warning)
def zombies(containers: Containers, processes: Processes, *, most: Count = Count(20)) -> Iterable[Finding]:
    """A container's first process does not reap its children, and zombies pile up.

    Counted in /proc, for the engine's own list leaves them out; they count against the container's pids limit. One
    or two are the trace of a health check that has just ended.
    """
    for each in containers.running:
        ended = processes.zombies.get(each.id, ())
        if len(ended) < most:
            continue
        names = sorted({process.comm for process in ended})
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} has {len(ended)} zombies that its first process does not reap",
            evidence={
                "zombies": len(ended),
                "their names": names[:5],
                "first process": " ".join(each.command)[:120],
                "HostConfig.Init": bool(each.host_config.init),
            },
            variables={"container": each.name, "pid": str(each.state.pid)},
            service=each.service,
        )


@check("container.ignores-stop-signal", severity=Severity.advice)
def ignores_stop_signal(containers: Containers, events: Events, *, wait: Seconds = Seconds(1)) -> Iterable[Finding]:
    """A container ignores its stop signal and is killed after its grace period.

    Read from events: a signal, then SIGKILL at least `wait` later, then an end with code 137. A `docker kill` sends
    no signal before it, and `docker stop -t 0` leaves no time. What the engine no longer remembers is not seen.
    """
    for each in containers:
        history = events.of(each.id, "kill", "die", "start")
        triples = zip(history, history[1:], history[2:], strict=False)
        waited = max((_waited(*triple) for triple in triples), default=0.0)
        if waited >= wait:
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} ignored its stop signal and was killed after {ago(waited)}",
                evidence={
                    "events": f"kill (signal {each.config.stop_signal or '15'}), {ago(waited)} later kill (signal 9), die 137",
                    "first process": " ".join(each.command)[:120],
                    "HostConfig.Init": bool(each.host_config.init),
                },
                variables={"container": each.name, "image": each.config.image},
                service=each.service,
            )


def _waited(one: Event, two: Event, three: Event) -> float:
    """Seconds between a signal and the SIGKILL that ended it; 0 for any other three events."""
    signals = (one.attributes.get("signal"), two.attributes.get("signal"))
    killed = (one.action, two.action, three.action) == ("kill", "kill", "die") and three.exit_code == 137
    return two.at - one.at if killed and signals[0] != "9" and signals[1] == "9" else 0.0


@check("container.no-restart-policy", severity=Severity.advice, posture=True)
def no_restart_policy(containers: Containers) -> Iterable[Finding]:
    """A service has no restart policy: a crash or a reboot ends it for good.

    A service is what publishes ports, has a health check, or belongs to a service of compose. Tasks of swarm are
    replaced by swarm; containers that are removed at their end are jobs.
    """
    for each in containers.running:
        if each.restarts_always or each.host_config.auto_remove or not _is_service(each):
            continue
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} has no restart policy",
            evidence={"HostConfig.RestartPolicy": each.host_config.restart_policy.name or "no"},
            variables={"container": each.name},
            service=each.service,
        )


def _is_service(each: Container) -> bool:
    labels = each.labels
    if "com.docker.swarm.service.name" in labels or labels.get("com.docker.compose.oneoff", "").lower() == "true":
        return False
    return bool(each.wanted_ports or each.service or each.state.health)
