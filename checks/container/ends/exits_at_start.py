"""container.exits-at-start: a container's program ends with an error as soon as it is started."""

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.ends.lost_with_host import engine_began, is_lost
from checks.container.helpers import severity_of_end
from diagnose.evidence.containers.ends.quiet_ends import ended_quietly
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.passing_failures import fails_at_start
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.containers.run_evidence import held_up, took
from diagnose.evidence.containers.service import is_somebodys_job, is_succeeded
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.run.focus import Focus
from diagnose.evidence.run.options import Options
from diagnose.first_steps.failed_run import FailedRun, failed_run
from diagnose.first_steps.failed_run_steps import steps_of
from diagnose.model import ON_ALL, CheckResult, EvidenceGroup, Finding, Seconds, Severity
from diagnose.phrases import sentence
from diagnose.programs.exit_codes import described, is_own
from diagnose.registry import check

SHORT_S = Seconds(10)
"""A container that exits within this time is considered to have failed at start."""

KILLED = 128 + 9


class SourcesOfEnds(EvidenceGroup, frozen=True):
    """The sources that record why a container ended: a kill, or a request."""

    events: Events | None
    kernel_log: KernelLog | None
    stops: Stops | None


@check(
    "container.exits-at-start",
    severity=Severity.critical,
    caused_by=[*APPLICATION_CAUSES, *PEER_CAUSES, "container.lost-with-host"],
    observed=True,
)
def exits_at_start(
    containers: Containers,
    clock: Clock,
    options: Options,
    records: SourcesOfEnds,
    context: RunContext | None,
    focus: Focus | None,
    processes: Processes | None,
    *,
    short: Seconds = SHORT_S,
) -> CheckResult:
    """A container's program exits with an error right after its start.

    It exited by itself with an error within seconds, and nothing will start it again. The limit is
    two minutes where its log shows a known mistake that does not go away by itself.

    Published ports or a health check make the finding critical, a compose service or a detached run
    make it a warning. A run in the foreground has shown its exit code to somebody: advice.

    Exit code 0 counts where a server that publishes ports says in its last lines what went wrong:
    its start script or supervisor loses the code of the program. Elsewhere it is silent.

    Ends by a signal that was asked for, terminals, one-off runs of compose, tasks of
    swarm and containers with a restart policy (those are loops, or were stopped by hand) are
    silent, and so is a former attempt of Kubernetes, Nomad or ECS, where a later one runs. A
    container that ran when the engine or its host went down is a matter of container.lost-with-host
    or container.crashed.
    """
    began = engine_began(clock, processes)
    for container in (focus or ON_ALL).of(containers):
        is_recent = clock.is_within(container.finished_at, options.since_s)
        if not is_recent or not _stays_down(container) or is_succeeded(container, containers):
            continue
        has_failed = _failed_by_itself(container, records.events)
        if not (has_failed or container.wanted_ports) or is_lost(container, began):
            continue
        if container.state.exit_code == KILLED and _lacked_memory(container, records):
            continue
        run = failed_run(container, containers, context)
        if not has_failed and not _gave_up(run, records.stops):
            continue
        if fails_at_start(container, run.tail, short):
            yield _finding(run, containers, clock)


def _finding(run: FailedRun, containers: Containers, clock: Clock) -> Finding:
    container = run.container
    code = described(container.state.exit_code)
    end_clause = f"{container} exited with code {code}, {took(container.ran_for)} after its start"
    return Finding.about(
        container,
        sentence(end_clause, run.cause_clause),
        {
            **run.evidence(containers, clock),
            "State": f"{container.state}, ran {took(container.ran_for)}",
            "command": container.shown_command,
            **held_up(container, containers),
        },
        severity=severity_of_end(container),
        calls=run.callees,
        signs=run.tail.signs,
        onset=container.finished_at,
        variables={"image": container.config.image, **steps_of(run)},
    )


def _gave_up(run: FailedRun, stops: Stops | None) -> bool:
    """Whether a server exited with code 0, nobody stopped it, and its log explains the failure."""
    is_by_itself = stops is not None and stops.was_unasked(run.container)
    return is_by_itself and ended_quietly(run.container, run.tail)


def _stays_down(container: Container) -> bool:
    """Whether a container has ended, is not a job, and no restart policy starts it again."""
    has_ended = container.state.status == "exited" and not container.state.error
    return has_ended and not container.restarts_always and not is_somebodys_job(container)


def _failed_by_itself(container: Container, events: Events | None) -> bool:
    if events is not None and events.was_stopped(container.id):
        return False
    code = container.state.exit_code
    if code == KILLED:
        # without the event of its end nobody knows whether a user has asked for it
        return events is not None and bool(events.failures(container.id))
    return is_own(code)


def _lacked_memory(container: Container, records: SourcesOfEnds) -> bool:
    """Whether an event or the kernel records a kill for memory: container.oom-killed reports that
    kill."""
    events = records.events
    kernel_log = records.kernel_log
    if container.state.oom_killed or (events is not None and events.of(container.id, "oom")):
        return True
    began = container.started_at or 0.0
    kills = kernel_log.oom_kills if kernel_log is not None else ()
    return any(kill.container == container.id and kill.at >= began for kill in kills)
