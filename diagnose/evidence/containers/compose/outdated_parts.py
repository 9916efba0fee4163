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
    """A running container that was created before its service changed in the file."""

    container: Container
    parts: tuple[str, ...]
    """The missing settings, as a sentence says them."""
    path: str
    changed_at: float
    """Unix time of the file's last change."""

    @property
    def was_restarted(self) -> bool:
        """Whether the container was started again after the change."""
        return self.changed_at < (self.container.started_at or 0.0)


def outdated_parts(projects: WrittenProjects) -> Iterator[OutdatedParts]:
    """The running containers that lack what the file gives their service since such a change."""
    for project in projects:
        for container in project.containers:
            service = project.of(container)
            if service is None or not container.is_running:
                continue
            at = _changed_since_creation(project, container, service)
            parts = tuple(_parts(container, service)) if at is not None else ()
            if at is not None and parts:
                yield OutdatedParts(container, parts, service.path, at)


def _changed_since_creation(
    project: WrittenProject, container: Container, service: WrittenService
) -> float | None:
    """The time of the file's change, if that was after the container's creation."""
    created = container.created_at
    at = project.written.changed.get(service.path)
    return at if created is not None and at is not None and at > created + SLACK_S else None


def _parts(container: Container, service: WrittenService) -> Iterator[str]:
    yield from missing_parts(container, service)
    image = other_image(container, service)
    if image:
        yield f"image {image}"
