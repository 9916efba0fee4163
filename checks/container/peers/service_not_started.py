"""container.service-not-started: a service of a compose file has no container, and is needed."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.compose.written_projects import (
    WrittenProject,
    WrittenProjects,
    WrittenService,
)
from diagnose.evidence.containers.ends.removals import Removals
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.model import container as container_subject
from diagnose.phrases import agree, count, joined, named, sentence
from diagnose.registry import check

_OFF = "0"
"""The number of containers of a service that is switched off."""
_GAVE_UP_S = 30.0
_LATELY_S = 86400.0
"""Compose starts what it has created within the first; what it has left for longer than the second
may be left on purpose."""


class _Absent(msgspec.Struct, frozen=True):
    """A service without a container, and who needs it."""

    project: WrittenProject
    service: WrittenService
    missing: Sequence[Container]
    """Those whose log says that the name fails."""
    naming: Sequence[Container]
    """Those whose command or variables call it."""


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
) -> CheckResult:
    """A service of a compose file has no container, and others need it.

    A service with a profile is started only with that profile, or by its name. One with a scale of
    0 has no container, and `docker compose up NAME` starts what that one depends on and nothing
    else. It counts where the log of a container of the project says that it cannot resolve the
    name, and no container on its networks has it; advice where only a command or a variable calls
    the name at a port or in an address. A service whose container was removed lately is left out.

    `docker compose up` starts nothing where the engine refuses to create one container: it is a
    warning where all others of the project were created during the last day and never started.
    """
    removed = {(removal.compose_folder, removal.compose_service) for removal in removals or ()}
    for project in written_projects:
        for absent in _absent_services(project, containers, failed_names):
            if (project.folder, absent.service.name) not in removed:
                yield _finding(absent)
        if clock is not None and _was_given_up(project, containers, clock):
            yield from _refused_findings(project)
    yield from written_projects.unexamined


def _absent_services(
    project: WrittenProject, containers: Containers, failed_names: FailedNames | None
) -> Iterator[_Absent]:
    present = {container.compose_service for container in project.containers}
    for service in project.written.services:
        if service.name in present or service.name in containers.by_dns_name:
            continue
        missing = [
            container
            for container in project.containers
            if failed_names is not None and _fails(container, service.name, failed_names)
        ]
        naming = [container for container in project.containers if _calls(container, service.name)]
        if missing or naming:
            yield _Absent(project, service, missing, naming)


def _was_given_up(project: WrittenProject, containers: Containers, clock: Clock) -> bool:
    """Whether compose has created containers of a project lately, and started none."""
    waiting = {container.id for container in containers.never_started}
    ages = [clock.age(container.created_at) for container in project.containers]
    is_lately = all(age is not None and _GAVE_UP_S <= age <= _LATELY_S for age in ages)
    return is_lately and all(container.id in waiting for container in project.containers)


def _refused_findings(project: WrittenProject) -> Iterator[Finding]:
    """The services that compose could not create, so that it has started no other one."""
    present = {container.compose_service for container in project.containers}
    for service in project.written.services:
        may_be_off = _is_off(service) or "$" in service.scale
        if may_be_off or service.name in present:
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
    """What starts the whole project again, which shows what the engine refuses."""
    return {"project": project.name, "stuck_file": project.file} if project.file else {}


def _fails(container: Container, name: str, failed_names: FailedNames) -> bool:
    return any(failed.name == name for failed in failed_names.of(container))


def _calls(container: Container, name: str) -> bool:
    """Whether a container runs, and is given the name in an address or with a port."""
    place = re.compile(
        rf"(?:://|@)(?:[^\s/@]{{0,99}}@)?{re.escape(name)}(?:[:/?]|$)|(?:^|[\s=,]){re.escape(name)}:\d{{2,5}}(?!\d)"
    )
    texts = (*container.config.variable_values, *container.command)
    return container.is_running and any(place.search(text) for text in texts)


def _finding(absent: _Absent) -> Finding:
    service, callers = absent.service, absent.missing or absent.naming
    who = named("container", names_of(callers))
    need = agree(callers, "calls", "call")
    return Finding(
        subject=container_subject(f"{absent.project.name}-{service.name}-1"),
        summary=sentence(
            f'service "{service.name}" of compose project "{absent.project.name}" has no '
            f"container: {_absence_reason(service)}",
            f"{who} {need} it",
        ),
        evidence=_evidence(absent),
        severity=None if absent.missing else Severity.advice,
        is_quiet=not absent.missing and _is_off(service),
        variables={} if service.scale == _OFF else absent.project.variables(service.name),
        touches=subjects_of(callers),
    )


def _is_off(service: WrittenService) -> bool:
    """Whether somebody has decided that it does not run."""
    return bool(service.profiles) or service.scale == _OFF


def _absence_reason(service: WrittenService) -> str:
    if service.profiles:
        profiles = joined([f'"{profile}"' for profile in service.profiles])
        return f"it is started only with profile {profiles}"
    if service.scale == _OFF:
        return "its number of containers is 0"
    return "it was never started, or it was removed"


def _evidence(absent: _Absent) -> dict[str, Json]:
    service = absent.service
    evidence: dict[str, Json] = {service.path: f"has service {service.name}"}
    if service.profiles:
        evidence["profiles"] = joined(service.profiles)
    running = sorted(
        names_of(container for container in absent.project.containers if container.is_running)
    )
    evidence["running of the project"] = joined(running) or "none"
    return evidence
