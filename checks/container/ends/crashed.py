"""container.crashed: a container ended after it had been working, and stays down."""

from collections.abc import Iterator, Sequence

import msgspec

from checks.container.causes import causes_without
from checks.container.ends.exits_at_start import SHORT_S
from checks.container.ends.fallen_projects import by_project, fallen_project_finding
from checks.container.ends.lost_with_host import engine_began, is_lost
from checks.container.helpers import severity_of_end
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.passing_failures import fails_at_start
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.containers.run_evidence import (
    UNFILTERED,
    blames_no_filter,
    held_up,
    kernel_evidence,
    log_evidence,
    meaning,
    not_running,
    tail_of,
    took,
)
from diagnose.evidence.containers.service import is_service, is_somebodys_job
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.installed.engine_upgrades import EngineUpgrades
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.package_log import ChangedPackage
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.run.options import Options
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import sentence
from diagnose.programs.exit_codes import described, is_fault, is_own
from diagnose.registry import check


class _End(msgspec.Struct, frozen=True):
    """A container that ended, with the manner of its end."""

    container: Container
    tail: LogTail
    how: str
    """A clause about the container."""
    upgrade: ChangedPackage | None
    """The package whose upgrade stopped the engine."""
    is_its_own: bool
    """Whether it ended by itself, and not with the engine or the host."""
    is_known: bool
    """Whether the engine's events or files say that nobody asked for the end."""


class CrashReasons(EvidenceGroup, frozen=True):
    """Evidence that may say why a container ended."""

    log_tails: LogTails | None
    program_faults: ProgramFaults | None
    upgrades: EngineUpgrades | None
    info: Info | None


@check(
    "container.crashed",
    severity=Severity.critical,
    caused_by=[
        *causes_without("container.crashed", "container.start-refused"),
        "container.lost-with-host",
    ],
    observed=True,
)
def crashed(
    containers: Containers,
    clock: Clock,
    options: Options,
    stops: Stops,
    reasons: CrashReasons,
    processes: Processes | None,
    *,
    at_least: Seconds = SHORT_S,
    lasting: Seconds = Seconds(6 * 3600),
) -> CheckResult:
    """A container exited after it had been working, and stays down.

    A service publishes ports, has a health check or belongs to a compose service. For a service any
    error counts; 137 and 143 count where the engine remembers that nobody asked for them. Any exit
    together with the engine counts too, after which the service, or a program that had run for
    `lasting` seconds, was not started again; an upgrade of the engine at that time is named. Those
    of one compose project are one finding, with the order in which they are to be started. A
    container also counts that ran when the engine or its host went down without a stop.

    For other containers an error counts if nobody was attached to see it. A fault of the program
    itself, such as SIGSEGV, always counts. Where neither the engine's events nor its files say
    whether the end was requested, it is advice.
    """
    began = engine_began(clock, processes)
    upgrades = reasons.upgrades
    ends: list[_End] = []
    for container in _recently_ended(containers, clock, options.since_s):
        tail = tail_of(reasons.log_tails, container)
        with_engine = _stopped_with_engine(container, stops, lasting)
        if with_engine and containers.source == "disk":
            continue  # as long as the engine is down, all containers are
        is_lost_alone = _is_lost(container, began)
        is_its_own = not (with_engine or is_lost_alone)
        if is_its_own and not _broke_off(container, tail, stops, at_least):
            continue
        upgrade = upgrades.that_stopped(container) if upgrades and with_engine else None
        if is_lost_alone:
            end_clause = _unseen_end_clause(container, clock)
        elif with_engine:
            end_clause = _engine_stop_clause(container, clock, upgrade)
        else:
            end_clause = _own_end_clause(container, clock)
        is_stop_known = container.id in stops.by_id
        end = _End(
            container, tail, end_clause, upgrade, is_its_own=is_its_own, is_known=is_stop_known
        )
        ends.append(end)
    yield from _findings(ends, containers, clock, reasons)


def _findings(
    ends: Sequence[_End], containers: Containers, clock: Clock, reasons: CrashReasons
) -> Iterator[Finding]:
    """A finding for each end, and one for all containers of a project that went down with the
    engine."""
    by_id = {end.container.id: end for end in ends}
    fallen = [end.container for end in ends if end.is_known and not end.is_its_own]
    projects = [group for group in by_project(fallen) if len(group) > 1]
    together = {failed_container.id for group in projects for failed_container in group}
    for group in projects:
        upgrade = by_id[group[0].id].upgrade
        yield fallen_project_finding(group, str(upgrade or ""), clock)
    for end in ends:
        if end.container.id not in together:
            yield _finding(end, containers, clock, reasons)


def _finding(end: _End, containers: Containers, clock: Clock, reasons: CrashReasons) -> Finding:
    container = end.container
    tail = end.tail
    callees = called_peers(tail.lines, container, containers)
    is_refuted = blames_no_filter(container, tail, reasons.info)
    return Finding.about(
        container,
        sentence(f"{container} {end.how}", meaning(tail) if end.is_its_own else ""),
        {
            **present({"package upgraded": str(end.upgrade or "")}),
            **log_evidence(tail, is_refuted=is_refuted),
            **(UNFILTERED if is_refuted else {}),
            **kernel_evidence(reasons.program_faults, container),
            "State": f"{container.state}, ran {took(container.ran_for)}",
            "end requested": "no" if end.is_known else "not remembered",
            "HostConfig.RestartPolicy": _policy(container),
            **not_running(callees, clock),
            **held_up(container, containers),
        },
        severity=severity_of_end(container) if end.is_known else Severity.advice,
        calls=subjects_of(callees),
        signs=tail.signs,
        onset=container.finished_at if end.is_its_own else None,
        variables=_variables(end),
    )


def _variables(end: _End) -> PageVariables:
    """The page variables that select the cure for an end.

    A container that broke off with the engine or its host lacks a restart policy. One that serves
    nobody may be a job that ended so on purpose.
    """
    container = end.container
    if end.is_known and not end.is_its_own:
        return {"alone": container.name}
    is_server = severity_of_end(container) == Severity.critical
    code = container.state.exit_code
    is_exit_of_program = is_own(code) and not is_fault(code)
    may_be_meant = end.is_its_own and is_exit_of_program and not is_server
    return {"job": container.name} if may_be_meant else {}


def _policy(container: Container) -> str:
    return container.host_config.restart_policy.name or "no"


def _own_end_clause(container: Container, clock: Clock) -> str:
    """The predicate about a container that ended by itself: when, and with which exit code."""
    code = described(container.state.exit_code)
    when = clock.ago(container.finished_at)
    return f"exited {when} with code {code} and stays down"


def _engine_stop_clause(container: Container, clock: Clock, upgrade: ChangedPackage | None) -> str:
    """The predicate about a container that ended with the engine, which an upgrade may have
    restarted."""
    code = described(container.state.exit_code)
    when = clock.ago(container.finished_at)
    if upgrade is None:
        stopped = f"stopped with the engine {when} (exit code {code})"
    else:
        stopped = (
            f"stopped {when} (exit code {code}), when an upgrade ({upgrade}) restarted the engine,"
        )
    return f"{stopped} {_not_restarted(container)}"


def _unseen_end_clause(container: Container, clock: Clock) -> str:
    """The predicate about a container whose end the engine did not see."""
    code = container.state.exit_code
    when = clock.ago(container.finished_at)
    return (
        f"went down with the engine or its host {when} (exit code {code}) "
        f"{_not_restarted(container)}"
    )


def _not_restarted(container: Container) -> str:
    return f'and was not restarted: its restart policy is "{_policy(container)}"'


def _is_lost(container: Container, engine_began: float | None) -> bool:
    """Whether a container ran when the engine or its host went down, and nobody watched it.

    Code 0 is left to container.lost-with-host: a program that ends with it has usually done its
    work.
    """
    is_unseen = is_service(container) or not container.was_watched
    return container.state.exit_code != 0 and is_unseen and is_lost(container, engine_began)


def _recently_ended(containers: Containers, clock: Clock, since_s: float) -> Iterator[Container]:
    """The containers that ended recently, are not jobs, and that the engine does not start."""
    for container in containers:
        has_ended = container.state.status == "exited" and not container.state.error
        if not has_ended or not clock.is_within(container.finished_at, since_s):
            continue
        if container.stays_down and not is_somebodys_job(container):
            yield container


def _stopped_with_engine(container: Container, stops: Stops, lasting: float) -> bool:
    """Whether a service, or a program that had run for a while, ended together with the engine."""
    is_lasting = is_service(container) or (container.ran_for or 0.0) >= lasting
    return is_lasting and container.id in stops.stopped_with_daemon


def _broke_off(container: Container, tail: LogTail, stops: Stops, at_least: float) -> bool:
    """Whether a container had been working, and nobody stopped it."""
    is_requested = stops.by_id.get(container.id)
    if is_requested or fails_at_start(container, tail, at_least):
        return False
    code = container.state.exit_code
    if code in (137, 143):  # a request ends so too: it counts where there was none for certain
        return is_requested is False and is_service(container)
    is_unseen = is_service(container) or not container.was_watched
    return is_fault(code) or (is_unseen and is_own(code))
