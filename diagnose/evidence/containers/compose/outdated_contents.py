"""Files that compose copied into containers, and whose content the compose file has changed since.

Compose copies `content:` of a config when it creates a container. A restart keeps the old content,
and so does `docker compose up`, which does not compare it (seen with compose 2.40).
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.compose.compose_files import SLACK_S
from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.compose import ListComposeFiles, ReadDifferingContents
from diagnose.registry import evidence


class OutdatedContent(msgspec.Struct, frozen=True):
    """A running container with files of an older content."""

    container: Container
    targets: tuple[str, ...]
    """The files, as the container calls them."""
    path: str
    """The newest file of the project."""
    changed_at: float
    """Unix time of its change."""

    @property
    def was_restarted(self) -> bool:
        """Whether the container was started again after the change."""
        return self.changed_at < (self.container.started_at or 0.0)


class OutdatedContents(Items[OutdatedContent], frozen=True):
    """The outdated contents, by project and container."""


@evidence
def outdated_contents(host: Host, written_projects: WrittenProjects) -> OutdatedContents:
    """The config contents in containers that the compose file has changed since.

    A service with such files takes two questions, where a file of its project is newer.
    """
    items = [
        outdated
        for project in written_projects
        if _copies_files(project)
        for outdated in _outdated_contents(host, project)
    ]
    return OutdatedContents(tuple(items))


def _copies_files(project: WrittenProject) -> bool:
    return any(service.contents for service in project.written.services)


def _outdated_contents(host: Host, project: WrittenProject) -> Iterator[OutdatedContent]:
    """The containers whose compose file got other contents after their creation."""
    listing = host.ask(ListComposeFiles(list(project.paths), folder=project.folder))
    files = [] if isinstance(listing, Failed) else listing
    newest = max(files, key=lambda file: file.mtime, default=None)
    for container in project.containers:
        service = project.of(container)
        created_at = container.created_at
        has_files = service is not None and bool(service.contents) and container.is_running
        if not has_files or newest is None or created_at is None:
            continue
        if newest.mtime <= created_at + SLACK_S:
            continue
        targets = _differing_files(host, project, container)
        if targets:
            yield OutdatedContent(container, targets, newest.path, newest.mtime)


def _differing_files(host: Host, project: WrittenProject, container: Container) -> tuple[str, ...]:
    """The copied files with another content; none where the layer is not a folder of the host."""
    if not container.layer_folder:
        return ()
    question = ReadDifferingContents(
        list(project.paths), project.folder, container.compose_service, container.layer_folder
    )
    answer = host.ask(question)
    return () if isinstance(answer, Failed) else tuple(answer)
