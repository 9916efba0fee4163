"""container.override-unused: a project runs without the override beside its compose file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.written_parts import missing_parts
from diagnose.evidence.containers.settings.written_projects import (
    WrittenProject,
    WrittenProjects,
    WrittenService,
)
from diagnose.model import CheckResult, Finding, Json, Severity
from diagnose.phrases import and_more, joined
from diagnose.registry import check

SHOWN = 3


@check(
    "container.override-unused",
    severity=Severity.advice,
    posture=True,
    aloud=("runs without its override file", "run without their override files"),
)
def override_unused(written_projects: WrittenProjects) -> CheckResult:
    """A compose project was started without the override file beside its file.

    `docker compose up` reads compose.override.yaml of its own accord, and not where `-f` or
    COMPOSE_FILE names the files: a script with `-f docker-compose.yml` leaves it out without a
    word. Found where it is the only file that the containers were made from, and the override has
    ports, mounts or variables of a running service that its container lacks. An override for
    development, which mounts the folder of the project itself or builds, is left out.
    """
    for project in written_projects:
        if not project.written.override or _is_for_development(project):
            continue
        lacking = list(_lacking(project))
        if lacking:
            yield _finding(project, lacking)
    yield from written_projects.unexamined
    return None


def _is_for_development(project: WrittenProject) -> bool:
    """Whether the override builds, or shows the containers the folder of the project."""
    return any(
        service.builds or _mounts_folder(service, project.folder)
        for service in project.written.overridden
    )


def _mounts_folder(service: WrittenService, folder: str) -> bool:
    return any(mount.source == folder for mount in service.mounts)


def _lacking(project: WrittenProject) -> Iterator[tuple[Container, list[str]]]:
    """The running containers, each with what the override would have given it."""
    overridden = {service.name: service for service in project.written.overridden}
    for container in project.containers:
        service = overridden.get(container.compose_service)
        if service is None or not container.is_running:
            continue
        parts = list(missing_parts(container, service))
        names = {name for name, _ in container.config.environment}
        parts += [f"variable {name}" for name in service.variables if name not in names]
        if parts:
            yield container, parts


def _finding(project: WrittenProject, lacking: Sequence[tuple[Container, list[str]]]) -> Finding:
    container, parts = lacking[0]
    override = project.written.override
    evidence: dict[str, Json] = {
        other.name: f"lacks {and_more(lost, SHOWN)}" for other, lost in lacking[:SHOWN]
    }
    return Finding.about(
        container,
        f'compose project "{project.name}" runs without {override}: {container} lacks '
        f"{and_more(parts, SHOWN)}",
        {**evidence, "files that it was started with": joined(list(project.paths))},
        discriminator=override,
    ).with_variables(
        {
            "folder": project.folder,
            "project": project.name,
            "compose_file": project.file,
            "override": override,
        }
    )
