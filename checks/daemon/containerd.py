"""containerd, which the engine cannot do without."""

from __future__ import annotations

from checks.daemon.last_words import meaning, page_variables
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped, Unavailable
from diagnose.registry import check

NO_CONTAINERD = ("containerd.sock", "failed to start containerd", "timeout waiting for containerd")
"""Parts of the last words of a dockerd that could not reach its containerd (engines 20.10 to 28).
"""
NOTHING_STARTS = "no container can be started or stopped, and exec fails"
WAITED = LazyPattern(r"timeout|deadline exceeded")
"""Words that tell how long dockerd waited, and not why containerd did not come."""


@check(
    "daemon.containerd-down",
    severity=Severity.critical,
    caused_by=[
        "daemon.stale-pidfile",
        "daemon.database-damaged",
        "daemon.database-locked",
        "storage.disk-full",
        "resources.host-oom",
    ],
)
def containerd_down(daemon: Daemon, log: DaemonLog | None) -> CheckResult:
    """The containerd that the engine needs is not running.

    dockerd goes on answering and says that its containers run; nothing can be started, stopped or
    entered. A dockerd that starts its containerd itself brings it back within seconds, so that one
    which is gone now is looked for in the process list only, and not while dockerd starts. A dead
    dockerd takes its own containerd along: it counts there only where containerd is the system's,
    or where dockerd's last words say so.
    """
    unclear = _unclear(daemon)
    if unclear is not None:
        return unclear
    is_dead = daemon.processes.engine is None
    if daemon.processes.containerds or (is_dead and not daemon.is_down):
        return None
    failure = _failure(log)
    is_of_system = _is_of_system(daemon)
    went_with_dockerd = is_dead and failure is None and not is_of_system
    comes_up_yet = daemon.is_starting and daemon.processes.managed
    if went_with_dockerd or comes_up_yet:
        return None
    effect = "the engine cannot start" if is_dead else NOTHING_STARTS
    owner = "containerd" if is_of_system else "docker"
    yield Finding(
        subject=DAEMON,
        summary=f"containerd is not running: {effect}{_reason(failure)}",
        evidence={
            "processes": "no containerd",
            **_unit_evidence(daemon),
            **(log.evidence(failure) if log is not None else {}),
            **_shim_evidence(daemon),
        },
        variables={"unit": owner} | _cure(failure, owner if is_dead or is_of_system else ""),
    )
    return None


def _reason(failure: LogLine | None) -> str:
    """Why containerd did not come, as the engine's last words say it."""
    if failure is None or WAITED.search(failure.text):
        return ""
    known = meaning(failure.text)
    return f" ({known.cause if known else failure.text})"


def _cure(failure: LogLine | None, stopped: str) -> dict[str, str]:
    """The program to install, or else the unit that is stopped and that a start brings back."""
    known = meaning(failure.text) if failure is not None else None
    if known is not None and known.failure.page:
        return page_variables(known, None)
    return {"stopped": stopped} if stopped else {}


def _unclear(daemon: Daemon) -> Skipped | Unavailable | None:
    """Why the process list does not show whether the engine has its containerd."""
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    if daemon.processes.containerds is None:
        return Unavailable("missing", "the processes of this host cannot be seen")
    is_hidden = (
        daemon.processes.engine is None and not daemon.is_down and daemon.reason == "forbidden"
    )
    if is_hidden and not daemon.processes.containerds:
        return Unavailable("forbidden", "the engine's process cannot be seen")
    return None


def _is_of_system(daemon: Daemon) -> bool:
    """Whether the engine uses a containerd that it does not start itself."""
    unit = daemon.installation.containerd_unit
    return daemon.processes.managed is False or (unit is not None and unit.exists)


def _unit_evidence(daemon: Daemon) -> dict[str, Json]:
    unit = daemon.installation.containerd_unit
    if unit is None or not unit.exists:
        return {}
    return {"containerd.service": str(unit)}


def _shim_evidence(daemon: Daemon) -> dict[str, Json]:
    shims = daemon.processes.shims
    return {} if shims is None else {"shims alive": len(shims)}


def _failure(log: DaemonLog | None) -> LogLine | None:
    """dockerd's last words, if they are about containerd."""
    last = log.last_failure if log is not None else None
    return last if last is not None and any(part in last.text for part in NO_CONTAINERD) else None


@check(
    "daemon.containerd-hung",
    severity=Severity.critical,
    caused_by=["kernel.hung-task", "storage.read-only", "resources.io-saturated"],
)
def containerd_hung(
    daemon: Daemon, info: Info | Unavailable, containers: Containers | None
) -> CheckResult:
    """containerd does not answer the engine.

    The engine's lists go on being served, while /info waits for containerd (seen on engines 20.10,
    26.1 and 28.5). A stopped containerd (state T) is proof by itself; otherwise /info must have
    been silent while /_ping and the list of containers were answered.
    """
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    stopped = next(
        (process for process in daemon.processes.containerds or () if process.is_stopped), None
    )
    is_silent = isinstance(info, Unavailable) and info.reason == "timed out" and daemon.answers
    process = stopped or (
        daemon.processes.containerd if is_silent and containers is not None else None
    )
    if process is None:
        return None
    pid = str(process.pid)
    how = "does not answer the engine"
    variables = {"pid": pid, "unit": "docker" if daemon.processes.managed else "containerd"}
    if process.is_stopped:
        how = f"is stopped by a signal (state {process.state})"
        variables["stopped"] = pid
    yield Finding(
        subject=DAEMON,
        summary=f"containerd ({pid}) {how}: {NOTHING_STARTS}",
        evidence={
            **process.evidence,
            **({"GET /info": str(info), "GET /_ping": "answered"} if is_silent else {}),
            **_shim_evidence(daemon),
        },
        variables=variables,
    )
    return None
