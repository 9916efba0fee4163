"""Does the engine live, and does it answer whoever asks?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.daemon.containerd import NO_CONTAINERD
from checks.daemon.start import NETWORK, PID_TAKEN, STORAGE
from diagnose.evidence.config_faults import CONFIGURATION
from diagnose.evidence.containers import Containers
from diagnose.evidence.daemon import Daemon
from diagnose.evidence.daemon_log import DaemonLog
from diagnose.evidence.data_root import DataRoot
from diagnose.evidence.kernel_log import KernelLog
from diagnose.evidence.mounts import Mounts
from diagnose.evidence.pressure import Pressure
from diagnose.model import (
    DAEMON,
    Count,
    Finding,
    Json,
    Seconds,
    Severity,
    Skipped,
    Subject,
    Unavailable,
    Yield,
)
from diagnose.registry import check
from diagnose.signs import signs
from diagnose.times import ago

NAMES_SHOWN = 8
OTHERS = (STORAGE, NETWORK, PID_TAKEN, re.compile("|".join(map(re.escape, (CONFIGURATION, *NO_CONTAINERD)))))
"""Last words of an engine that other checks have a name for."""


@check(
    "daemon.not-running",
    severity=Severity.critical,
    caused_by=[
        "daemon.config-invalid",
        "daemon.config-flag-conflict",
        "daemon.storage-driver-failed",
        "daemon.bridge-init-failed",
        "daemon.stale-pidfile",
        "daemon.containerd-down",
        "daemon.containerd-hung",
        "daemon.start-limit-hit",
        "storage.disk-full",
        "storage.inodes-exhausted",
        "storage.read-only",
        "resources.host-oom",
    ],
)
def not_running(
    daemon: Daemon,
    containers: Containers | Unavailable,
    log: DaemonLog | Unavailable,
    root: DataRoot,
    mounts: Mounts | Unavailable,
    kernel: KernelLog | Unavailable,
) -> Iterable[Yield] | Skipped | Unavailable:
    """No Docker engine serves its socket.

    What could be misleading: an address that the user named and where never was a socket here (unknown), an engine
    that serves another socket (unknown), a host without Docker (does not apply), the first minute of a start (a
    warning). The containers that still live are named from their shims, whatever the engine's files say.
    """
    if daemon.answers:
        return ()
    if daemon.is_nonsense and not daemon.endpoint.named:
        return [_nonsense(daemon)]
    if not daemon.is_down:
        return _seen(daemon) if daemon.reason in ("forbidden", "timed out") else _elsewhere(daemon)
    return [_down(daemon, containers, log, root, mounts, kernel)]


def _seen(daemon: Daemon) -> Iterable[Yield] | Unavailable:
    """Nothing found, unless it could not be seen whether the engine lives."""
    if daemon.reason == "forbidden" and daemon.same_host and daemon.process is None:
        return Unavailable("forbidden", "the socket is closed to this user, and no engine's process can be seen")
    return ()


def _elsewhere(daemon: Daemon) -> Skipped | Unavailable:
    if daemon.same_host and daemon.installed is False and not daemon.endpoint.named:
        return Skipped("no Docker is installed here: no program, no unit, no data root")
    assert daemon.silence is not None
    where = f"{daemon.endpoint.url} (from {daemon.endpoint.source})"
    if daemon.others:
        other = daemon.others[0]
        hosts = [word for word in other.cmdline or () if "://" in word]
        return Unavailable(
            daemon.silence.reason,
            f"nothing serves {where}; an engine runs here as process {other.pid}"
            + (f" and serves {', '.join(hosts)}: name it with -H" if hosts else ""),
        )
    if not daemon.same_host:
        return Unavailable(daemon.silence.reason, f"no engine answered at {where}; {daemon.where}")
    return Unavailable(daemon.silence.reason, f"no engine answers at {where}: is that the right address?")


def _nonsense(daemon: Daemon) -> Finding:
    assert daemon.silence is not None
    socket = daemon.endpoint.path or daemon.endpoint.url
    return Finding(
        subject=DAEMON,
        summary=f"what answers at {socket} is no working engine",
        evidence={f"GET /_ping at {socket}": daemon.silence.detail, "who listens": daemon.where},
        variables={"socket": socket, "log": "docker.service"},
    )


def _down(
    daemon: Daemon,
    containers: Containers | Unavailable,
    log: DaemonLog | Unavailable,
    root: DataRoot,
    mounts: Mounts | Unavailable,
    kernel: KernelLog | Unavailable,
) -> Finding:
    failure = log.last_failure if isinstance(log, DaemonLog) else None
    text = failure.text if failure else ""
    evidence: dict[str, Json] = {}
    assert daemon.silence is not None
    socket = daemon.endpoint.path or daemon.endpoint.url
    if daemon.is_asleep:
        evidence[f"{socket}"] = "systemd listens; docker.service is not active"
    else:
        refused = "not allowed for this user" if daemon.reason == "forbidden" else "nobody listens"
        other = daemon.socket is not None and daemon.socket.type not in ("socket", "")
        evidence[f"connect({socket})"] = (
            f"it is a {daemon.socket.type}"
            if daemon.socket and other
            else refused
            if daemon.socket
            else "no such socket"
        )
    evidence["processes"] = f"dockerd {daemon.process.pid}" if daemon.process else "no dockerd"
    if daemon.unit and daemon.unit.exists:
        unit = daemon.unit
        evidence["docker.service"] = f"{unit.active_state} ({unit.sub_state}), result {unit.result}" + (
            f", {unit.unit_file_state}" if unit.unit_file_state in ("masked", "disabled") else ""
        )
    killed = (
        next((kill for kill in reversed(kernel.oom_kills) if kill.task == "dockerd"), None)
        if isinstance(kernel, KernelLog)
        else None
    )
    if failure is not None and isinstance(log, DaemonLog):
        evidence[f"{log.source} {failure.place}".strip()] = failure.text
    elif killed:
        evidence["kernel log"] = f"out of memory: killed process {killed.pid} (dockerd)"
    elif isinstance(log, DaemonLog) and log.lines and (log.lines[-1].is_error or "signal" in log.lines[-1].text):
        evidence[f"{log.source}, last line"] = log.lines[-1].text
    alive = _alive(daemon, containers)
    if alive is not None:
        evidence["containers alive"] = alive or "none"
    point = mounts.point_of(root.path) if isinstance(mounts, Mounts) else None
    came_up = isinstance(log, DaemonLog) and log.came_up
    starting = daemon.is_starting and not came_up
    return Finding(
        subject=DAEMON,
        summary=f"{_what(daemon, socket, came_up)}{_unnamed(text)}{_living(alive)}",
        evidence=evidence,
        variables={
            "socket": socket,
            "log": log.source.removeprefix("journal ") if isinstance(log, DaemonLog) else "docker.service",
        },
        severity=Severity.warning if starting else None,
        touches=(Subject("filesystem", point),)
        if point and signs(text) & {"no-space", "read-only", "io-error"}
        else (),
        signs=signs(text),
    )


def _what(daemon: Daemon, socket: str, came_up: bool) -> str:
    if daemon.process is not None and came_up and daemon.reason == "missing":
        return f"dockerd ({daemon.process.pid}) lives and listens, but its socket {socket} was removed"
    if daemon.process is not None and came_up and daemon.socket and daemon.socket.type == "folder":
        return f"dockerd ({daemon.process.pid}) lives, but a folder has taken the place of its socket {socket}"
    if daemon.process is not None:
        since = f", {ago(daemon.age)} after its start" if daemon.age is not None else ""
        return f"dockerd ({daemon.process.pid}) lives and does not serve {socket}{since}"
    if daemon.is_asleep:
        return "dockerd does not run; systemd will start it for the next client"
    if daemon.unit and daemon.unit.load_state == "masked":
        return "dockerd does not run, and docker.service is masked"
    if daemon.unit and daemon.unit.active_state == "failed":
        return f"dockerd does not run: docker.service failed ({daemon.unit.result})"
    return "dockerd does not run"


def _unnamed(text: str) -> str:
    """Why its last start failed, where no other check says so."""
    if not text or any(pattern.search(text) for pattern in OTHERS):
        return ""
    return f": {text.removeprefix('failed to start daemon: ')}"


def _alive(daemon: Daemon, containers: Containers | Unavailable) -> list[str] | None:
    """The names of the containers whose shim lives, short ids where no name is known; None where nobody could look."""
    if daemon.shims is None:
        return None
    names = {each.id: each.short for each in containers} if isinstance(containers, Containers) else {}
    return sorted(names.get(id, id[:12]) for id in daemon.shims)


def _living(alive: list[str] | None) -> str:
    if alive is None:
        return ""
    if not alive:
        return "; no container is alive"
    shown = ", ".join(alive[:NAMES_SHOWN]) + (
        f" and {len(alive) - NAMES_SHOWN} more" if len(alive) > NAMES_SHOWN else ""
    )
    return f"; still alive: {shown}"


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
    summary = f"{user} may not use {path}"
    evidence: dict[str, Json] = {"api.ping": str(daemon.silence)}
    if daemon.socket is not None:
        evidence[f"stat({path})"] = (
            f"mode {daemon.socket.mode & 0o777:04o}, uid {daemon.socket.uid}, gid {daemon.socket.gid}"
        )
    if daemon.caller.docker_group and not daemon.caller.session_has_it:
        summary += ": the session is older than the membership in group docker"
    elif "HTTP 40" in daemon.silence.detail:
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
    root: DataRoot,
    pressure: Pressure | Unavailable,
    *,
    start: Seconds = Seconds(120),
    busy: Count = Count(10),
) -> Iterable[Yield] | Unavailable:
    """The engine accepts connections but does not answer.

    A stopped process (state T) and threads that wait in the kernel (D) say why. In its first `start` seconds an
    engine with many containers may be silent in health. With more than `busy` tasks in the load average for each
    processor it may only be slow: a warning. An address that the user named and behind which no engine of
    this machine was found stays unknown. One container about which alone the engine is silent is a warning, unless the
    host is that busy: then it was not examined, and no more is said.
    """
    if daemon.answers:
        return () if _overrun(pressure, busy) else _stuck_alone(daemon, containers)
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


def _stuck_alone(daemon: Daemon, containers: Containers | Unavailable) -> Iterable[Yield]:
    if isinstance(containers, Unavailable) or not len(containers):
        return
    for each in containers.unexamined:
        if each.why.startswith("inspect: timed out"):
            yield Finding(
                subject=each.subject,
                summary=f"the engine answers about every container but {each.subject.name}: its lock is held",
                evidence={f"GET /containers/{each.subject.name}/json": each.why, "GET /_ping": "answered"},
                variables={
                    "socket": daemon.endpoint.path or daemon.endpoint.url,
                    "pid": str(daemon.process.pid) if daemon.process else "PID",
                },
                severity=Severity.warning,
                touches=(DAEMON,),
            )


def _hung(
    daemon: Daemon, mounts: Mounts | Unavailable, root: DataRoot, pressure: Pressure | Unavailable, busy: float
) -> Finding:
    process = daemon.process
    socket = daemon.endpoint.path or daemon.endpoint.url
    assert daemon.silence is not None
    evidence: dict[str, Json] = {f"GET /_ping at {socket}": daemon.silence.detail or "no answer"}
    point = mounts.point_of(root.path) if isinstance(mounts, Mounts) else None
    slow = False
    if process is None:
        evidence["who listens"] = daemon.where
        summary = f"whoever listens at {socket} takes connections and does not answer"
    else:
        evidence[f"/proc/{process.pid}/stat"] = f"state {process.state}, threads {_threads(process.threads)}"
        if process.waits_for:
            evidence[f"/proc/{process.pid}/task/*/wchan"] = process.waits_for
        if process.is_stopped:
            summary = f"dockerd ({process.pid}) is stopped by a signal (state {process.state}) and answers nobody"
        elif process.blocked:
            summary = f"dockerd ({process.pid}) does not answer: {process.blocked} of its threads wait in the kernel"
        else:
            summary = f"dockerd ({process.pid}) takes connections and does not answer"
            slow = _overrun(pressure, busy)
            if slow and isinstance(pressure, Pressure):
                summary += f"; the host is busy: load {pressure.load[0]:.0f} on {pressure.cpus} processors"
    if daemon.shims is not None:
        evidence["containers alive"] = len(daemon.shims)
    return Finding(
        subject=DAEMON,
        summary=summary,
        evidence=evidence,
        variables={"socket": socket, "pid": str(process.pid) if process else "PID"},
        severity=Severity.warning if slow else None,
        touches=(Subject("filesystem", point),) if point and process and process.blocked else (),
    )


def _overrun(pressure: Pressure | Unavailable, busy: float) -> bool:
    """Whether so many tasks want a processor that silence may be slowness."""
    return isinstance(pressure, Pressure) and bool(pressure.load) and pressure.load[0] > busy * pressure.cpus


def _threads(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "not known"
