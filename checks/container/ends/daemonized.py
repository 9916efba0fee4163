"""The check container.daemonized.

A server put itself in the background, and its container exited at once with code 0.
"""

from diagnose.evidence.containers.ends.background_starts import (
    foreground_variables,
    starts_in_background,
)
from diagnose.evidence.containers.ends.quiet_ends import ended_quietly
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.closed_input import awaits_input, is_bare_shell
from diagnose.evidence.containers.run_evidence import log_evidence, tail_of, took
from diagnose.evidence.containers.service import is_somebodys_job
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import CheckResult, Finding, PageVariables, Seconds, Severity
from diagnose.registry import check

SHORT_S = Seconds(10)
LOOPS = 3


@check("container.daemonized", severity=Severity.warning, caused_by=["container.command-lost"])
def daemonized(
    containers: Containers,
    clock: Clock,
    options: Options,
    stops: Stops,
    log_tails: LogTails | None,
    *,
    short: Seconds = SHORT_S,
) -> CheckResult:
    """A container that publishes ports exited at once with code 0.

    A container lives as long as its first process. A server that forks into the background,
    `service nginx start` or a shell without a terminal ends within seconds with exit code 0, and
    every other process ends with it. Jobs publish no ports. Runs in the foreground, exits that a
    user requested or that the engine has forgotten, and containers with the policy on-failure, for
    which 0 is the end of a job, are not reported. Where the last lines explain a failure, that is a
    matter of container.exits-at-start.
    """
    for container in containers:
        if not container.wanted_ports or is_somebodys_job(container) or container.was_watched:
            continue
        if container.host_config.restart_policy.name == "on-failure":
            continue
        if not _ended_at_once(container, clock, options, short):
            continue
        tail = tail_of(log_tails, container)
        if ended_quietly(container, tail):
            continue
        is_loop = container.state.status == "restarting"
        if is_loop or stops.was_unasked(container):
            yield _finding(container, tail)


def _finding(container: Container, tail: LogTail) -> Finding:
    ports = ", ".join(sorted({binding.port for binding in container.wanted_ports}))
    return Finding.about(
        container,
        f"{container} publishes {ports} but exited "
        f"with code 0, {took(container.ran_for)} after its start: {_reason_clause(container, tail)}",
        {
            "command": container.shown_command,
            "State": f"{container.state}, ran {took(container.ran_for)}",
            **log_evidence(tail),
        },
        onset=container.failed_first,
        variables={"image": container.config.image, **_cure(container, tail)},
    )


def _cure(container: Container, tail: LogTail) -> PageVariables:
    """The page variables: a terminal for a shell, a command for a server, and for any other program
    the end of its loop."""
    if is_bare_shell(container) or awaits_input(container, tail):
        return {"shell": container.name}
    if not starts_in_background(container):
        return {} if tail.has_complaint else {"ended": container.name}
    steps = foreground_variables(container)
    if container.state.status == "restarting":
        return steps | {"looping": container.name}
    return steps


def _ended_at_once(container: Container, clock: Clock, options: Options, short: float) -> bool:
    """Whether a container ended with code 0 within `short` seconds, or does so in a loop."""
    is_recent = clock.is_within(container.finished_at, options.since_s)
    if container.state.exit_code != 0 or not is_recent:
        return False
    if container.state.status == "restarting":
        return container.restart_count >= LOOPS and (container.ran_for or 0.0) < short
    return (
        container.state.status == "exited"
        and not container.state.error
        and (container.ran_for or 0.0) < short
    )


def _reason_clause(container: Container, tail: LogTail) -> str:
    """The reason, as a clause, why a program that should go on has ended.

    Its log, its command and its input are looked at. Without any sign the clause says so.
    """
    if is_bare_shell(container):
        return "a shell without a terminal exits at once"
    if awaits_input(container, tail):
        return "its program exits because its input is closed"
    if tail.failure is not None:
        return f"its log says why: {tail.failure.cause}"
    if starts_in_background(container):
        return "its command starts a server in the background"
    if tail.has_complaint:
        return "its log says what went wrong"
    return "its program ends as if its work were done"
