"""Does the engine answer whoever asks?"""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon, ProcessDetail
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Process
from diagnose.evidence.storage.mounts import Mounts
from diagnose.model import (
    DAEMON,
    CheckItem,
    Count,
    Finding,
    Json,
    Seconds,
    Severity,
    Subject,
    Unavailable,
    container,
)
from diagnose.phrases import ago
from diagnose.registry import check


@check("daemon.socket-forbidden", severity=Severity.advice)
def socket_forbidden(daemon: Daemon) -> Iterable[Finding]:
    """This user is not allowed to use the engine's socket.

    The host may be well: nothing is said about it. A user whom the group file makes a member and whose session is
    older than that is told so. An engine's authorization plugin refuses with HTTP 403.
    """
    if daemon.reason != "forbidden" or daemon.is_down:
        return
    assert daemon.silence is not None
    user = daemon.caller.user or str(daemon.caller.uid)
    path = daemon.endpoint.path or daemon.endpoint.url
    summary = f"{user} is not allowed to use {path}"
    evidence: dict[str, Json] = {"api.ping": str(daemon.silence)}
    if daemon.socket is not None:
        evidence[f"stat({path})"] = (
            f"mode {daemon.socket.mode & 0o777:04o}, uid {daemon.socket.uid}, gid {daemon.socket.gid}"
        )
    if daemon.caller.docker_group and not daemon.caller.session_has_it:
        summary += ": the session is older than the membership in group docker"
    elif daemon.silence.detail.startswith("HTTP "):
        summary = f"the engine refuses requests of {user}: {daemon.silence.detail}"
    elif daemon.caller.session_has_it:
        summary += ", although in group docker: the socket's group or mode keeps it out"
    evidence["groups of the caller"] = "docker is one of them" if daemon.caller.session_has_it else "without docker"
    yield Finding(subject=DAEMON, summary=summary, evidence=evidence, variables={"user": user, "socket": path})


@check(
    "daemon.hung",
    severity=Severity.critical,
    caused_by=[
        "storage.network-volume-stale",
        "storage.read-only",
        "kernel.hung-task",
        "kernel.netdevice-stuck",
        "resources.io-saturated",
        "daemon.containerd-down",
        "daemon.containerd-hung",
    ],
)
def hung(
    daemon: Daemon,
    containers: Containers | Unavailable,
    mounts: Mounts | Unavailable,
    root: DataRoot | Unavailable,
    pressure: Pressure | Unavailable,
    *,
    start: Seconds = Seconds(120),
    busy: Count = Count(10),
) -> Iterable[CheckItem] | Unavailable:
    """The engine accepts connections but does not answer.

    A stopped process (state T) and threads that wait in the kernel (D) say why. In its first `start` seconds an
    engine with many containers may be silent in health. With more than `busy` tasks in the load average for each
    processor it may only be slow: a warning. An address that the user named and behind which no engine of
    this machine was found stays unknown. One container about which alone the engine is silent is a warning, unless the
    host is that busy: then it was not examined, and no more is said. So is one whose shim is stopped: the engine waits
    for it as soon as it is asked for more than its memory holds.
    """
    if daemon.answers:
        return list(_stuck_alone(daemon, containers, _overrun(pressure, busy)))
    if not daemon.is_hung:
        return ()
    process = daemon.process
    if process is None and daemon.endpoint.named and not daemon.endpoint.is_default:
        return Unavailable(
            "timed out", f"{daemon.endpoint.url} (from {daemon.endpoint.source}) does not answer; {daemon.where}"
        )
    if (
        process is not None
        and not process.is_stopped
        and not process.blocked
        and daemon.age is not None
        and daemon.age < start
    ):
        return Unavailable(
            "timed out", f"dockerd ({process.pid}) started {ago(daemon.age)} ago and does not answer yet"
        )
    return [_hung(daemon, mounts, root, pressure, busy)]


def _stuck_alone(daemon: Daemon, containers: Containers | Unavailable, slow: bool) -> Iterable[Finding]:
    """Containers that alone do not work: their shim is stopped, or the engine answers about all but them."""
    known = {each.id: each.name for each in containers} if isinstance(containers, Containers) else {}
    left_out = containers.unexamined if isinstance(containers, Containers) else ()
    silent = {each.subject.name: each.why for each in left_out if each.why.startswith("inspect: timed out")}
    stopped = {
        next((name for name, why in silent.items() if id in why), known.get(id, id[:12])): shim
        for id, shim in (daemon.shims or {}).items()
        if shim.state == "T"
    }
    for name in (*stopped, *(name for name in silent if known and not slow and name not in stopped)):
        shim = stopped.get(name)
        process = shim or daemon.process
        summary = (
            f"the shim of {name} ({shim.pid}) is stopped by a signal: it cannot be stopped, entered or probed"
            if shim
            else f"the engine answers about every container but {name}: its lock is held"
        )
        evidence: dict[str, Json] = {f"/proc/{shim.pid}/stat": f"{shim.comm}, state {shim.state}"} if shim else {}
        if name in silent:
            evidence |= {f"GET /containers/{name}/json": silent[name], "GET /_ping": "answered"}
        yield Finding(
            subject=container(name),
            summary=summary,
            evidence=evidence,
            variables={"socket": daemon.endpoint.path or daemon.endpoint.url} | _pid(process),
            severity=Severity.warning,
            touches=(DAEMON,),
        )


def _pid(process: ProcessDetail | Process | None) -> dict[str, str]:
    """The variable of the commands that need a process; without one they are not shown."""
    return {"pid": str(process.pid)} if process else {}


def _hung(
    daemon: Daemon,
    mounts: Mounts | Unavailable,
    root: DataRoot | Unavailable,
    pressure: Pressure | Unavailable,
    busy: float,
) -> Finding:
    process = daemon.process
    socket = daemon.endpoint.path or daemon.endpoint.url
    assert daemon.silence is not None
    evidence: dict[str, Json] = {f"GET /_ping at {socket}": daemon.silence.detail or "no answer"}
    point = mounts.point_of(root.path) if isinstance(mounts, Mounts) and isinstance(root, DataRoot) else None
    slow = False
    if process is None:
        evidence["who listens"] = daemon.where
        summary = f"what listens at {socket} accepts connections but does not answer"
    else:
        evidence[f"/proc/{process.pid}/stat"] = f"state {process.state}, threads {_threads(process.threads)}"
        if process.waits_for:
            evidence[f"/proc/{process.pid}/task/*/wchan"] = process.waits_for
        if process.is_stopped:
            summary = f"dockerd ({process.pid}) is stopped by a signal (state {process.state}) and answers nobody"
        elif process.blocked:
            summary = f"dockerd ({process.pid}) does not answer: {process.blocked} of its threads wait in the kernel"
        else:
            summary = f"dockerd ({process.pid}) accepts connections but does not answer"
            slow = _overrun(pressure, busy)
            if slow and isinstance(pressure, Pressure):
                summary += f"; the host is busy: load {pressure.load[0]:.0f} on {pressure.cpus} processors"
    if daemon.shims is not None:
        evidence["containers alive"] = len(daemon.shims)
    return Finding(
        subject=DAEMON,
        summary=summary,
        evidence=evidence,
        variables={"socket": socket} | _pid(process),
        severity=Severity.warning if slow else None,
        touches=(Subject("filesystem", point),) if point and process and process.blocked else (),
    )


def _overrun(pressure: Pressure | Unavailable, busy: float) -> bool:
    """Whether so many tasks want a processor that silence may be slowness."""
    return isinstance(pressure, Pressure) and bool(pressure.load) and pressure.load[0] > busy * pressure.cpus


def _threads(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "not known"
