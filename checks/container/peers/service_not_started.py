"""container.service-not-started: a service of a compose file has no container, and is needed."""

from collections.abc import Collection, Iterator

from diagnose.evidence.containers.compose.absent_services import (
    OFF,
    AbsentService,
    absent_services,
    is_off,
    was_given_up,
)
from diagnose.evidence.containers.compose.refused_limits import refused_limit
from diagnose.evidence.containers.compose.written_projects import (
    WrittenProject,
    WrittenProjects,
    WrittenService,
)
from diagnose.evidence.containers.ends.removals import Removals
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.model import container as container_subject
from diagnose.phrases import agree, count, joined, named, sentence
from diagnose.registry import check


@check(
    "container.service-not-started",
    severity=Severity.critical,
    causes=(
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.unhealthy",
        "dns.server-fails",
    ),
    aloud=("was never started, and others call it", "were never started, and others call them"),
)
def service_not_started(
    written_projects: WrittenProjects,
    containers: Containers,
    failed_names: FailedNames | None,
    removals: Removals | None,
    clock: Clock | None,
    info: Info | None,
) -> CheckResult:
    """A service of a compose file has no container, and others need it.

    A service with a profile is started only with that profile, or by its name. One with a scale of
    0 has no container, and `docker compose up NAME` starts what that one depends on and nothing
    else. It counts where the log of a container of the project says that it cannot resolve the
    name, and no container on its networks has it; advice where only a command or a variable calls
    the name at a port or in an address. A service whose container was removed lately is left out.

    `docker compose up` starts nothing where the engine refuses to create one container: it is a
    warning where all others of the project were created during the last day and never started. A
    service whose limits no engine of this host takes (more CPUs than it has, or less memory than
    6 MB) is a warning too. A service for larger hosts may be left out on purpose: it is advice
    where nobody calls it, others of the project run, and the file is as it was when they were
    created.
    """
    removed = {(removal.compose_folder, removal.compose_service) for removal in removals or ()}
    for project in written_projects:
        absent_of_project = list(absent_services(project, containers, failed_names))
        called = {absent.service.name for absent in absent_of_project}
        yield from _limit_findings(project, info, called)
        for absent in absent_of_project:
            is_removed = (project.folder, absent.service.name) in removed
            if not is_removed and not _refused_limit(absent.service, info):
                yield _finding(absent)
        if clock is not None and was_given_up(project, containers, clock):
            yield from _refused_findings(project, info)
    yield from written_projects.unexamined


def _missing_services(project: WrittenProject) -> Iterator[WrittenService]:
    """The services without a container that each `docker compose up` should start."""
    present = {container.compose_service for container in project.containers}
    for service in project.written.services:
        may_be_off = is_off(service) or "$" in service.scale
        if not may_be_off and service.name not in present:
            yield service


def _refused_limit(service: WrittenService, info: Info | None) -> str:
    """The limit of a service that the engine refuses; "" for none."""
    return refused_limit(service, info.ncpu if info is not None else 0)


def _limit_findings(
    project: WrittenProject, info: Info | None, called: Collection[str]
) -> Iterator[Finding]:
    """Findings about services of which the engine creates no container because of a limit.

    called: the services without a container that others call.
    """
    is_as_written = _was_started_as_written(project)
    for service in _missing_services(project):
        limit = _refused_limit(service, info)
        is_for_larger_hosts = not _refused_limit(service, None)
        may_be_left_out = is_for_larger_hosts and is_as_written and service.name not in called
        if limit:
            yield Finding(
                subject=container_subject(f"{project.name}-{service.name}-1"),
                summary=f'service "{service.name}" of compose project "{project.name}" has no '
                f"container, and the engine refuses to create one: {limit}",
                evidence={service.path: f"has service {service.name}", "limit": limit},
                severity=Severity.advice if may_be_left_out else Severity.warning,
                is_quiet=may_be_left_out,
                variables={"limit_file": service.path, "limited_service": service.name},
                touches=subjects_of(project.containers),
            )


def _was_started_as_written(project: WrittenProject) -> bool:
    """Whether containers of a project run, and its files have not changed since."""
    started = [
        container.created_at or 0.0 for container in project.containers if container.is_running
    ]
    return max(started, default=0.0) > max(project.written.changed.values(), default=0.0)


def _refused_findings(project: WrittenProject, info: Info | None) -> Iterator[Finding]:
    """Findings about services that compose could not create, so that it has started no other
    service."""
    for service in _missing_services(project):
        if _refused_limit(service, info):
            continue
        yield Finding(
            subject=container_subject(f"{project.name}-{service.name}-1"),
            summary=f'service "{service.name}" of compose project "{project.name}" has no container, and '
            f"the {count(len(project.containers), 'other container')} of the project never started: "
            "compose gave up",
            evidence={
                service.path: f"has service {service.name}",
                "created and not started": joined(sorted(names_of(project.containers))),
            },
            severity=Severity.warning,
            variables=_steps(project),
            touches=subjects_of(project.containers),
        )


def _steps(project: WrittenProject) -> PageVariables:
    """The page variables to start the whole project again, which shows the error of the engine."""
    return {"project": project.name, "stuck_file": project.file} if project.file else {}


def _finding(absent: AbsentService) -> Finding:
    service = absent.service
    callers = absent.missing or absent.naming
    callers_named = named("container", names_of(callers))
    need = agree(callers, "calls", "call")
    return Finding(
        subject=container_subject(f"{absent.project.name}-{service.name}-1"),
        summary=sentence(
            f'service "{service.name}" of compose project "{absent.project.name}" has no '
            f"container: {_absence_reason(service)}",
            f"{callers_named} {need} it",
        ),
        evidence=_evidence(absent),
        severity=None if absent.missing else Severity.advice,
        is_quiet=not absent.missing and is_off(service),
        variables={} if service.scale == OFF else absent.project.variables(service.name),
        touches=subjects_of(callers),
    )


def _absence_reason(service: WrittenService) -> str:
    if service.profiles:
        profiles = joined([f'"{profile}"' for profile in service.profiles])
        return f"it is started only with profile {profiles}"
    if service.scale == OFF:
        return "its number of containers is 0"
    return "it was never started, or it was removed"


def _evidence(absent: AbsentService) -> dict[str, Json]:
    service = absent.service
    evidence: dict[str, Json] = {service.path: f"has service {service.name}"}
    if service.profiles:
        evidence["profiles"] = joined(service.profiles)
    running = sorted(
        names_of(container for container in absent.project.containers if container.is_running)
    )
    evidence["running of the project"] = joined(running) or "none"
    return evidence
