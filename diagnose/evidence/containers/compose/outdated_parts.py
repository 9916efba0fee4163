"""Ports, mounts and images that a compose file added after the container's creation. Pure.

Compose applies them when it recreates the container; a restart does not.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.compose.compose_files import SLACK_S
from diagnose.evidence.containers.compose.written_parts import missing_parts, other_image
from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.questions.compose import WrittenService


class OutdatedParts(msgspec.Struct, frozen=True):
    """A container that was started again after its service had changed in the file."""

    container: Container
    parts: tuple[str, ...]
    """The missing settings, as a sentence says them."""
    path: str
    changed_at: float
    """Unix time of the file's last change."""


def outdated_parts(projects: WrittenProjects) -> Iterator[OutdatedParts]:
    """The running containers that were started again after such a change."""
    for project in projects:
        for container in project.containers:
            service = project.of(container)
            if service is None or not container.is_running:
                continue
            at = _changed_between(project, container, service)
            parts = tuple(_parts(container, service)) if at is not None else ()
            if at is not None and parts:
                yield OutdatedParts(container, parts, service.path, at)


def _changed_between(
    project: WrittenProject, container: Container, service: WrittenService
) -> float | None:
    """The time of the file's change, if that was between the creation and the start."""
    made, started = container.created_at, container.started_at
    at = project.written.changed.get(service.path)
    if made is None or started is None or at is None:
        return None
    return at if made + SLACK_S < at < started else None


def _parts(container: Container, service: WrittenService) -> Iterator[str]:
    yield from missing_parts(container, service)
    image = other_image(container, service)
    if image:
        yield f"image {image}"
