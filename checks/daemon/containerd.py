"""containerd, which the engine cannot do without."""

from __future__ import annotations

import re
from collections.abc import Iterable

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon, ProcessDetail
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.model import DAEMON, CheckItem, Finding, Json, Severity, Skipped, Unavailable
from diagnose.registry import check

NO_CONTAINERD = ("containerd.sock", "failed to start containerd", "timeout waiting for containerd")
"""Parts of the last words of a dockerd that could not reach its containerd (engines 20.10 to 28)."""
VAIN = re.compile(r"timeout|deadline exceeded")
"""It was waited for: no reason why it did not come."""


@check(
    "daemon.containerd-down",
    severity=Severity.critical,
    caused_by=["daemon.stale-pidfile", "storage.disk-full", "resources.host-oom"],
)
def containerd_down(daemon: Daemon, log: DaemonLog | Unavailable) -> Iterable[CheckItem] | Skipped | Unavailable:
    """The containerd that the engine needs is not running.

    dockerd goes on answering and says that its containers run; nothing can be started, stopped or entered. A dockerd
    that starts its containerd itself brings it back within seconds, so that one which is gone now is looked for in
    the process list only, and not while dockerd starts. A dead dockerd takes its own containerd along: it counts
    there only where containerd is the system's, or where dockerd's last words say so.
    """
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    failure = log.last_failure if isinstance(log, DaemonLog) else None
    said = failure.text if failure and any(part in failure.text for part in NO_CONTAINERD) else ""
    if daemon.containerds is None:
        return Unavailable("missing", "the processes of this host cannot be seen")
    if daemon.containerds:
        return ()
    dead = daemon.process is None
    unit = daemon.containerd_unit
    if dead and not daemon.is_down:
        return Unavailable("forbidden", "the engine's process cannot be seen") if daemon.reason == "forbidden" else ()
    system = daemon.managed is False or (unit is not None and unit.exists)
    if dead and not said and not system:
        return ()
    if daemon.is_starting and daemon.managed:
        return ()
    evidence: dict[str, Json] = {"processes": "no containerd"}
    if unit is not None and unit.exists:
        evidence["containerd.service"] = f"{unit.active_state} ({unit.sub_state}), result {unit.result}"
    if said and failure is not None and isinstance(log, DaemonLog):
        evidence[f"{log.source} {failure.place}".strip()] = said
    if daemon.shims is not None:
        evidence["shims alive"] = len(daemon.shims)
    effect = "the engine cannot start" if dead else "nothing can be started, stopped or entered"
    owner = "containerd" if system else "docker"
    return [
        Finding(
            subject=DAEMON,
            summary=f"containerd is not running: {effect}" + (f" ({said})" if said and not VAIN.search(said) else ""),
            evidence=evidence,
            variables={"unit": owner} | ({"stopped": owner} if dead or system else {}),
        )
    ]


@check(
    "daemon.containerd-hung",
    severity=Severity.critical,
    caused_by=["kernel.hung-task", "storage.read-only", "resources.io-saturated"],
)
def containerd_hung(
    daemon: Daemon, info: Info | Unavailable, containers: Containers | Unavailable
) -> Iterable[CheckItem] | Skipped | Unavailable:
    """containerd does not answer the engine.

    The engine's lists go on being served, while /info waits for containerd (seen on engines 20.10, 26.1 and 28.5). A
    stopped containerd (state T) is proof by itself; otherwise /info must have been silent while /_ping and the list
    of containers were answered.
    """
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    stopped = next((each for each in daemon.containerds or () if each.is_stopped), None)
    silent = isinstance(info, Unavailable) and info.reason == "timed out" and daemon.answers
    if stopped is None and not silent:
        return ()
    if stopped is None and (not daemon.containerds or isinstance(containers, Unavailable)):
        return ()
    process = stopped or (daemon.containerd if daemon.containerds else None)
    assert process is not None
    evidence: dict[str, Json] = {f"/proc/{process.pid}/stat": f"state {process.state}, threads {_threads(process)}"}
    if process.waits_for:
        evidence[f"/proc/{process.pid}/task/*/wchan"] = process.waits_for
    if silent:
        evidence["GET /info"] = str(info)
        evidence["GET /_ping"] = "answered"
    if daemon.shims is not None:
        evidence["shims alive"] = len(daemon.shims)
    how = f"is stopped by a signal (state {process.state})" if process.is_stopped else "does not answer the engine"
    return [
        Finding(
            subject=DAEMON,
            summary=f"containerd ({process.pid}) {how}: nothing can be started, stopped or entered",
            evidence=evidence,
            variables={"pid": str(process.pid), "unit": "docker" if daemon.managed else "containerd"},
        )
    ]


def _threads(process: ProcessDetail) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(process.threads.items())) or "not known"
