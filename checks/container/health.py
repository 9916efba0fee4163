"""Containers whose health checks fail, or are not run."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.container._words import APPLICATION_CAUSES, PEER_CAUSES, QUOTED, held_up, not_running, peers, subjects_of
from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import HealthProbe
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, Finding, Seconds, Severity
from diagnose.phrases import ago, unix
from diagnose.registry import check

TIMED_OUT = -1
NOT_BEGUN = "OCI runtime exec failed"
"""Beside exit code -1: nothing ran that could have ended (seen at the limit of processes on engines 20.10.24 and 28.5.2)."""
_LACKING = re.compile(r'exec: ".*(?:executable file not found|no such file or directory|permission denied)')
"""A probe in exec form whose program is missing or may not be executed (engine 20.10.24; in shell form: 126, 127)."""
CANNOT_RUN = (126, 127)
NANO = 1e9
DEFAULT_INTERVAL_S = 30.0
DEFAULT_TIMEOUT_S = 30.0
DEFAULT_RETRIES = 3


@check(
    "container.unhealthy",
    severity=Severity.critical,
    caused_by=[
        *APPLICATION_CAUSES,
        *PEER_CAUSES,
        "container.exits-at-start",
        "container.restart-loop",
        "daemon.containerd-hung",
        "resources.cpu-throttled",
        "resources.io-saturated",
    ],
)
def unhealthy(containers: Containers, clock: Clock, *, patience: Seconds = Seconds(30)) -> Iterable[Finding]:
    """A container's health check fails, or is no longer run.

    Exit code -1: the probe exceeded its timeout. 126, 127: the probe itself cannot run, which says nothing about
    the application: a warning. A last probe older than three intervals, its timeouts and `patience`: the engine
    does not run it, so the status is stale. `starting` is not unhealthy, and paused containers are not probed.
    Docker never restarts a container for its health.
    """
    for each in containers:
        health = each.state.health
        if health is None or each.state.status != "running" or health.status == "none":
            continue
        last = health.log[-1] if health.log else None
        # where the engine itself is silent, its files tell of probes that nobody runs any more
        silent = _silent_for(each, last, clock, patience) if containers.source == "api" else None
        if silent is not None:
            yield _stale(each, health.status, silent, last)
        elif health.status == "unhealthy":
            yield _failing(each, last, containers, clock)


def _interval(each: Container) -> float:
    """Seconds between two probes."""
    said = each.config.healthcheck.interval if each.config.healthcheck else None
    return said / NANO if said else DEFAULT_INTERVAL_S


def _timeout(each: Container) -> float:
    """Seconds that a probe may take."""
    said = each.config.healthcheck.timeout if each.config.healthcheck else None
    return said / NANO if said else DEFAULT_TIMEOUT_S


def _silent_for(each: Container, last: HealthProbe | None, clock: Clock, patience: float) -> float | None:
    """Seconds for which no probe has ended, if that is longer than its settings explain."""
    limit = 3 * (_interval(each) + _timeout(each)) + patience
    ended = unix(last.end) if last else None
    age = clock.age(ended if ended is not None else each.started_at)
    return age if age is not None and age > limit else None


def _stale(each: Container, status: str, silent: float, last: HealthProbe | None) -> Finding:
    return Finding(
        subject=each.subject,
        summary=f"{each.name} has not been probed for {ago(silent)}: its status, {status}, is stale",
        evidence={
            "State.Health.Status": status,
            "last probe": f"{ago(silent)} ago" if last else "none since the start",
            "interval": ago(_interval(each)),
        },
        variables={"container": each.name},
        discriminator="stale",
        severity=Severity.warning,
        touches=(DAEMON,),
        service=each.service,
    )


def _failing(each: Container, last: HealthProbe | None, containers: Containers, clock: Clock) -> Finding:
    health = each.state.health
    streak = health.failing_streak if health else 0
    code = last.exit_code if last else 0
    output = (last.output or "").strip() if last else ""
    callees = peers(output.splitlines(), each, containers, told=[_probe(each)])
    severity = Severity.critical
    if code == TIMED_OUT and NOT_BEGUN in output and _LACKING.search(output):
        what = "its probe cannot run, the container has no such program"
        severity = Severity.warning
    elif code == TIMED_OUT and NOT_BEGUN in output:
        what = "its probe cannot be started"
    elif code == TIMED_OUT:
        limit = ago(_timeout(each))
        what = f"its probe does not end within {limit}"
    elif code in CANNOT_RUN:
        what = f"its probe cannot run, exit code {code}"
        severity = Severity.warning
    else:
        what = f"its probe fails with exit code {code}"
    return Finding(
        subject=each.subject,
        summary=f"{each.name} is unhealthy: {what}, {streak} times in a row",
        evidence={
            "State.Health": f"{health.status if health else ''}, FailingStreak {streak}",
            "probe": _probe(each),
            "last output": output[-QUOTED:] or "(empty)",
            **not_running(callees, clock),
            **held_up(each, containers),
        },
        variables={"container": each.name},
        severity=severity,
        # the engine runs the probe: when containerd hangs, it does not end, or cannot begin
        touches=(DAEMON,) if code in (TIMED_OUT, 126) else (),
        calls=subjects_of(callees),
        signs=signs(*_outputs(each, streak)),
        onset=_began(each, streak),
        service=each.service,
    )


def _probe(each: Container) -> str:
    test = (each.config.healthcheck.test if each.config.healthcheck else None) or []
    return " ".join(str(word) for word in test[1:])[:120]


def _outputs(each: Container, streak: int) -> list[str]:
    """What the probes of the streak printed, as far as the engine kept them: the last one may have had no chance to."""
    log = (each.state.health.log or []) if each.state.health else []
    return [probe.output or "" for probe in log[-max(streak, 1) :]]


def _began(each: Container, streak: int) -> float | None:
    """Unix time of the first failure of the streak; beyond the engine's five kept probes by their own pace."""
    log = (each.state.health.log or []) if each.state.health else []
    starts = [begun for probe in (log[-streak:] if streak else []) if (begun := unix(probe.start)) is not None]
    if not starts:
        return None
    pace = (starts[-1] - starts[0]) / (len(starts) - 1) if len(starts) > 1 else _interval(each)
    return starts[0] - (streak - len(starts)) * pace
