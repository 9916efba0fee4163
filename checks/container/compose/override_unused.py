"""container.override-unused: a project runs without the override beside its compose file."""

from collections.abc import Sequence

from diagnose.evidence.containers.compose.unused_overrides import (
    is_usual,
    lacking_parts,
    mounts_sources,
)
from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.model import CheckResult, Finding, Json, Severity
from diagnose.phrases import and_more, joined
from diagnose.registry import check

SHOWN = 3
_PROGRAM_FOLDERS = frozenset({"/app", "/code", "/rails", "/src", "/workspace"})
"""Folders of the root that images have only for programs."""


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
    word. The check reports it where it is the only file that the containers were made from, and the
    override has ports, mounts or variables of a running service that its container lacks.

    An override for development is left out: it builds, mounts the project or sources over those of
    the image, or has a variable or a command for that, such as NODE_ENV=development and `--reload`.
    Where containers were made so on different days, that is how the project is deployed, and the
    advice is quiet, unless another container was made with the override.
    """
    for project in written_projects:
        if not project.written.override or _is_for_development(project):
            continue
        lacking = list(lacking_parts(project))
        if lacking:
            yield _finding(project, lacking)
    yield from written_projects.unexamined


def _is_for_development(project: WrittenProject) -> bool:
    """Whether the override is for development: it builds, is named so, or mounts sources of the
    project."""
    inside = {
        container.compose_service: _program_folder(container) for container in project.containers
    }
    return any(
        service.builds
        or service.is_for_development
        or mounts_sources(service, project.folder, inside.get(service.name, ""))
        for service in project.written.overridden
    )


def _program_folder(container: Container) -> str:
    """The folder of the image in which its program works; "" where that is not clear."""
    folder = container.config.working_dir.rstrip("/")
    return f"{folder}/" if folder.count("/") > 1 or folder in _PROGRAM_FOLDERS else ""


def _finding(project: WrittenProject, lacking: Sequence[tuple[Container, list[str]]]) -> Finding:
    container, parts = lacking[0]
    override = project.written.override
    evidence: dict[str, Json] = {
        other.name: f"lacks {and_more(parts_of_other, SHOWN)}"
        for other, parts_of_other in lacking[:SHOWN]
    }
    return Finding.about(
        container,
        f'compose project "{project.name}" runs without {override}: {container} lacks '
        f"{and_more(parts, SHOWN)}",
        {**evidence, "files that it was started with": joined(list(project.paths))},
        discriminator=override,
        is_quiet=is_usual(project),
        variables={
            "folder": project.folder,
            "project": project.name,
            "compose_file": project.file,
            "override": override,
        },
    )
