"""Containers whose program ended with an error, and that nothing starts again."""

from __future__ import annotations

from collections.abc import Iterable

from checks.container._words import (
    APPLICATION_CAUSES,
    PEER_CAUSES,
    causes_without,
    held_up,
    not_running,
    peers,
    quoted,
    subjects_of,
    took,
    words_of,
)
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.containers.stops import Stops
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Finding, Seconds, Severity, Unavailable
from diagnose.phrases import ago
from diagnose.registry import check

SHORT_S = Seconds(10)
"""A run that failed sooner never came to work."""


@check(
    "container.exits-at-start",
    severity=Severity.critical,
    caused_by=[*APPLICATION_CAUSES, *PEER_CAUSES],
)
def exits_at_start(
    containers: Containers,
    clock: Clock,
    options: Options,
    last_words: LogTails | Unavailable,
    events: Events | Unavailable,
    *,
    short: Seconds = SHORT_S,
) -> Iterable[Finding]:
    """A container's program ends with an error as soon as it is started.

    Exited by itself with an error within seconds, within the looked-at time, and nothing will start it again. What
    is a service is read off it: published ports or a health check make it critical, a compose service or a detached
    run a warning. A run in the foreground showed its exit code to somebody: advice. Exit code 0, ends by a signal
    that was asked for, terminals, one-off runs of compose, tasks of swarm and containers with a restart policy
    (those are loops, or were stopped by hand) are silent.
    """
    for each in containers:
        age = clock.age(each.finished_at)
        if each.state.status != "exited" or each.state.error or age is None or age > options.since_s:
            continue
        if each.restarts_always or not _matters(each) or (each.ran_for or 0.0) >= short:
            continue
        if not _failed_by_itself(each, events):
            continue
        words = words_of(last_words, each)
        callees = peers(words.lines, each, containers)
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} exited with code {each.state.exit_code}, {took(each.ran_for)} after its start",
            evidence={
                "State": f"exited, exit code {each.state.exit_code}, ran {took(each.ran_for)}",
                "command": " ".join(each.command)[:120],
                **quoted(words),
                **not_running(callees, clock),
                **held_up(each, containers),
            },
            variables={"container": each.name, "image": each.config.image},
            severity=_severity(each),
            calls=subjects_of(callees),
            signs=words.signs,
            onset=each.finished_at,
            service=each.service,
        )


_CRASHES = frozenset({128 + number for number in (4, 6, 7, 8, 11)})
"""Ended by a fault of its own: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV."""


def _failed_by_itself(each: Container, events: Events | Unavailable) -> bool:
    code = each.state.exit_code
    if isinstance(events, Events) and events.was_stopped(each.id):
        return False
    return 1 <= code <= 127 or code in _CRASHES or code == 255


def _matters(each: Container) -> bool:
    swarm = "com.docker.swarm.service.name" in each.labels
    one_off = each.labels.get("com.docker.compose.oneoff", "").lower() == "true"
    return not (swarm or one_off or (each.config.tty and each.was_watched))


def _severity(each: Container) -> Severity:
    test = (each.config.healthcheck.test if each.config.healthcheck else None) or ["NONE"]
    if each.wanted_ports or test[0] != "NONE":
        return Severity.critical
    return Severity.advice if each.was_watched else Severity.warning


@check(
    "container.crashed",
    severity=Severity.critical,
    caused_by=causes_without("container.crashed", "container.start-refused"),
)
def crashed(
    containers: Containers,
    clock: Clock,
    options: Options,
    last_words: LogTails | Unavailable,
    stops: Stops,
    *,
    at_least: Seconds = SHORT_S,
) -> Iterable[Finding]:
    """A container ended after it had been working, and stays down.

    A service publishes ports, has a health check or belongs to a service of compose: any error counts, 137 and 143
    where the engine remembers that nobody asked, and any end with the engine itself, after which it was not started
    again. Of others an error counts where nobody was there to see it; a fault of its own (SIGSEGV and the like) counts
    always. Where neither the engine's events nor its files tell whether the end was asked for, it is advice.
    """
    for each in containers:
        age = clock.age(each.finished_at)
        if each.state.status != "exited" or each.state.error or age is None or age > options.since_s:
            continue
        if not _matters(each) or not each.stays_down:
            continue
        fell = each.id in stops.stopped_with_daemon and _is_service(each)
        if fell and containers.source == "disk":
            continue  # as long as the engine is down, all are
        if not fell and ((each.ran_for or 0.0) < at_least or not _by_itself(each, stops)):
            continue
        words = words_of(last_words, each)
        callees = peers(words.lines, each, containers)
        policy = each.host_config.restart_policy.name or "no"
        how = f"when the engine was stopped, and its restart policy is {policy}: it" if fell else "and"
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} ended {ago(age)} ago with exit code {each.state.exit_code} {how} stays down",
            evidence={
                "State": f"exited, exit code {each.state.exit_code}, ran {took(each.ran_for)}",
                "asked to end": "no" if each.id in stops.by_id else "not remembered",
                "HostConfig.RestartPolicy": policy,
                **quoted(words),
                **not_running(callees, clock),
                **held_up(each, containers),
            },
            variables={"container": each.name},
            severity=_severity(each) if each.id in stops.by_id else Severity.advice,
            calls=subjects_of(callees),
            signs=words.signs,
            onset=None if fell else each.finished_at,
            service=each.service,
        )


def _by_itself(each: Container, stops: Stops) -> bool:
    asked = stops.by_id.get(each.id)
    if asked:
        return False
    code = each.state.exit_code
    if code in (137, 143):
        return asked is False and _is_service(each)
    return code in _CRASHES or ((_is_service(each) or not each.was_watched) and (1 <= code <= 127 or code == 255))


def _is_service(each: Container) -> bool:
    test = (each.config.healthcheck.test if each.config.healthcheck else None) or ["NONE"]
    return bool(each.wanted_ports or test[0] != "NONE" or each.service)
