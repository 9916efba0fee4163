"""Does an engine live that serves the socket, and if not, what is known of its end?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.daemon.containerd import NO_CONTAINERD
from checks.daemon.start import NETWORK, PID_TAKEN, STORAGE
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config_faults import CONFIGURATION
from diagnose.evidence.engine.daemon import TRACES, Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.network.listeners import Listeners
from diagnose.evidence.storage.mounts import Mounts
from diagnose.model import DAEMON, CheckItem, Finding, Json, Severity, Subject, Unavailable
from diagnose.phrases import ago
from diagnose.registry import check

NAMES_SHOWN = 8
OTHERS = (STORAGE, NETWORK, PID_TAKEN, re.compile("|".join(map(re.escape, (CONFIGURATION, *NO_CONTAINERD)))))
"""Last words of an engine that other checks have a name for."""
TAKEN = re.compile(r"listen tcp\S* (\S+:\d+): bind: address already in use")
SIGNAL = re.compile(r"Processing signal '(\w+)'")
CLOCKS_APART_S = 5.0
"""So far the kernel's time of a line may be from the engine's."""


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
    root: DataRoot | Unavailable,
    mounts: Mounts | Unavailable,
    kernel: KernelLog | Unavailable,
    listeners: Listeners | Unavailable,
    clock: Clock | Unavailable,
) -> Iterable[CheckItem] | Unavailable:
    """No Docker engine serves its socket.

    What could be misleading: an address that the user named and where never was a socket here (unknown), an engine
    that serves another socket (unknown), a host with Podman alone whose socket is not served (unknown), the first minute
    of a start (a warning). The containers that still live are named from their shims, whatever the engine's files say.
    """
    if daemon.answers:
        return ()
    if daemon.is_not_an_engine and not daemon.endpoint.named:
        return [_nonsense(daemon)]
    if not daemon.is_down:
        return _seen(daemon) if daemon.is_hung or daemon.reason == "forbidden" else _elsewhere(daemon)
    if isinstance(log, DaemonLog) and isinstance(clock, Clock) and log.mtime is not None and log.mtime < clock.booted:
        log = Unavailable("missing", f"{log.source} is from before this host's boot")
    return [_down(daemon, containers, log, root, mounts, kernel, listeners)]


def _seen(daemon: Daemon) -> Iterable[CheckItem] | Unavailable:
    """Nothing found, unless it could not be seen whether the engine lives."""
    if daemon.reason == "forbidden" and daemon.same_host and daemon.process is None:
        return Unavailable("forbidden", "the socket is closed to this user, and no engine's process can be seen")
    return ()


def _elsewhere(daemon: Daemon) -> Iterable[CheckItem] | Unavailable:
    assert daemon.silence is not None
    if daemon.same_host and daemon.installed is False and not daemon.endpoint.named:
        if daemon.has_podman:
            return Unavailable(
                "missing", "Podman is installed here and no Docker: `systemctl start podman.socket` lets it be asked"
            )
        return [_not_installed(daemon)]
    where = f"{daemon.endpoint.url} (from {daemon.endpoint.source})"
    if daemon.others:
        other = daemon.others[0]
        hosts = [word for word in other.cmdline or () if "://" in word]
        if not hosts and other.uid:
            hosts = [f"unix:///run/user/{other.uid}/docker.sock"]
        return Unavailable(
            daemon.silence.reason,
            f"nothing serves {where}; an engine runs here as process {other.pid}"
            + (f" and serves {', '.join(hosts)}: name it with -H" if hosts else ""),
        )
    if not daemon.same_host:
        return Unavailable(daemon.silence.reason, f"no engine answered at {where}; {daemon.where}")
    return Unavailable(daemon.silence.reason, f"no engine answers at {where}: is that the right address?")


def _not_installed(daemon: Daemon) -> Finding:
    return Finding(
        subject=DAEMON,
        summary="no Docker is installed here: no program, no unit, no data root",
        evidence={f"connect({daemon.endpoint.path})": "no such socket", "looked for": ", ".join(TRACES)},
        variables={"socket": daemon.endpoint.path, "log": "docker.service"},
    )


def _nonsense(daemon: Daemon) -> Finding:
    assert daemon.silence is not None
    socket = daemon.endpoint.path or daemon.endpoint.url
    return Finding(
        subject=DAEMON,
        summary=f"what answers at {socket} is not a working engine",
        evidence={f"GET /_ping at {socket}": daemon.silence.detail, "who listens": daemon.where},
        variables={"socket": socket, "log": "docker.service"},
    )


def _down(
    daemon: Daemon,
    containers: Containers | Unavailable,
    log: DaemonLog | Unavailable,
    root: DataRoot | Unavailable,
    mounts: Mounts | Unavailable,
    kernel: KernelLog | Unavailable,
    listeners: Listeners | Unavailable,
) -> Finding:
    failure = log.last_failure if isinstance(log, DaemonLog) else None
    text = failure.text if failure else ""
    evidence: dict[str, Json] = {}
    assert daemon.silence is not None
    socket = daemon.endpoint.path or daemon.endpoint.url
    if daemon.is_socket_activated:
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
    evidence["processes"] = _processes(daemon)
    if daemon.unit and daemon.unit.exists:
        unit = daemon.unit
        evidence["docker.service"] = f"{unit.active_state} ({unit.sub_state}), result {unit.result}" + (
            f", {unit.unit_file_state}" if unit.unit_file_state in ("masked", "disabled") else ""
        )
    killed = _killed(kernel, log)
    if failure is not None and isinstance(log, DaemonLog):
        evidence[f"{log.source} {failure.place}".strip()] = failure.text
    elif killed:
        evidence["kernel log"] = f"out of memory: killed process {killed.pid} (dockerd)"
    elif isinstance(log, DaemonLog) and log.lines and (log.lines[-1].is_error or "signal" in log.lines[-1].text):
        evidence[f"{log.source}, last line"] = log.lines[-1].text
    elif isinstance(log, Unavailable) and log.detail:
        evidence["the engine's log"] = log.detail
    taken = TAKEN.search(text)
    holder = _holder(taken[1], listeners) if taken else ""
    if taken and holder:
        evidence[f"listens at {taken[1]}"] = holder
    alive = _alive(daemon, containers)
    if alive is not None:
        evidence["containers alive"] = alive or "none"
    came_up = isinstance(log, DaemonLog) and log.came_up
    starting = daemon.is_starting and not came_up
    return Finding(
        subject=DAEMON,
        summary=_what(daemon, socket, came_up)
        + (_unnamed(text) if text or daemon.process else _ended(killed, log))
        + (f", by {holder}" if holder else "")
        + _living(alive),
        evidence=evidence,
        variables={
            "socket": socket,
            "log": log.source.removeprefix("journal ") if isinstance(log, DaemonLog) else "docker.service",
        },
        severity=Severity.warning if starting else None,
        touches=_written(text, root, mounts) if signs(text) & {"no-space", "read-only", "io-error"} else (),
        signs=signs(text),
    )


def _written(text: str, root: DataRoot | Unavailable, mounts: Mounts | Unavailable) -> tuple[Subject, ...]:
    """The file systems of the paths that the words name; the data root's where they name none."""
    if isinstance(mounts, Mounts):
        paths = [path.replace("/var/run/", "/run/", 1) for path in re.findall(r"(?<![\w.])/[\w./-]+", text)]
        own = [root.path] if isinstance(root, DataRoot) else []
        points = dict.fromkeys(mounts.point_of(path) for path in paths or own)
        return tuple(Subject("filesystem", point) for point in points if point)
    return ()


def _processes(daemon: Daemon) -> str:
    if daemon.process:
        return f"dockerd {daemon.process.pid}"
    others = ", ".join(str(each.pid) for each in daemon.others)
    return f"no dockerd of this socket; dockerd {others} of another" if others else "no dockerd"


def _killed(kernel: KernelLog | Unavailable, log: DaemonLog | Unavailable) -> OomKill | None:
    """The end of its last life, if the kernel made it: an engine that was started since died of something else."""
    kills = [each for each in kernel.oom_kills if each.task == "dockerd"] if isinstance(kernel, KernelLog) else []
    began = log.last_start[0].at if isinstance(log, DaemonLog) and log.lines else None
    return kills[-1] if kills and (began is None or kills[-1].at > began - CLOCKS_APART_S) else None


def _holder(address: str, listeners: Listeners | Unavailable) -> str:
    """Who listens where the engine wanted to; empty if nobody does any more, or nobody could look."""
    host, _, port = address.rpartition(":")
    held = listeners.on("tcp", host, int(port)) if isinstance(listeners, Listeners) else ()
    return held[0].holder if held else ""


def _what(daemon: Daemon, socket: str, came_up: bool) -> str:
    if daemon.process is not None and came_up and daemon.reason == "missing":
        return f"dockerd ({daemon.process.pid}) lives and listens, but its socket {socket} was removed"
    if daemon.process is not None and came_up and daemon.socket and daemon.socket.type == "folder":
        return f"dockerd ({daemon.process.pid}) lives, but a folder has taken the place of its socket {socket}"
    if daemon.process is not None:
        since = f", {ago(daemon.age)} after its start" if daemon.age is not None else ""
        return f"dockerd ({daemon.process.pid}) lives and does not serve {socket}{since}"
    if daemon.program == "":
        return "dockerd does not run, and its program is not where packages put it"
    if daemon.is_socket_activated:
        return "dockerd is not running; systemd will start it for the next client"
    if daemon.unit and daemon.unit.load_state == "masked":
        return "dockerd is not running, and docker.service is masked"
    if daemon.unit and daemon.unit.active_state == "failed":
        return f"dockerd is not running: docker.service failed ({daemon.unit.result})"
    return "dockerd is not running"


def _ended(killed: OomKill | None, log: DaemonLog | Unavailable) -> str:
    """How its last life ended, where it came up and said nothing of a failure; nothing where it is starting."""
    if killed:
        return ": the kernel killed it for memory"
    if isinstance(log, Unavailable) or not log.came_up:
        return ""
    signal = next((match[1] for line in log.last_start if (match := SIGNAL.search(line.message))), None)
    return (
        f": it was told to stop (signal {signal})"
        if signal
        else ": its log ends without a word, as a killed one's does"
    )


def _unnamed(text: str) -> str:
    """Why its last start failed, where no other check says so."""
    if not text or any(pattern.search(text) for pattern in OTHERS):
        return ""
    return f": {text.removeprefix('failed to start daemon: ')}"


def _alive(daemon: Daemon, containers: Containers | Unavailable) -> list[str] | None:
    """The names of the containers whose shim lives, short ids where no name is known; None where nobody could look.

    Beside another engine only those that this one's files name are its own. Those of a user's engine are its user's.
    """
    if daemon.shims is None:
        return None
    own = daemon.endpoint.rootless
    names = {each.id: each.name for each in containers} if isinstance(containers, Containers) else {}
    return sorted(
        names.get(id, id[:12])
        for id, shim in daemon.shims.items()
        if id in names or (shim.uid == own.uid if own else not daemon.others)
    )


def _living(alive: list[str] | None) -> str:
    if alive is None:
        return ""
    if not alive:
        return "; no container is alive"
    shown = ", ".join(alive[:NAMES_SHOWN]) + (
        f" and {len(alive) - NAMES_SHOWN} more" if len(alive) > NAMES_SHOWN else ""
    )
    return f"; still alive: {shown}"
