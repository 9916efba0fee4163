"""Mounts of a YAML anchor that a service does not have, since it has a list of its own.

YAML joins mappings under a merge key (`<<`), and never lists: the service's own `volumes` stand in
the place of those of the anchor.
"""

import msgspec

from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.compose import WrittenMount
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 20
"""Folders that are listed."""


class ReplacedList(msgspec.Struct, frozen=True):
    """A container that writes where a neighbour of the same anchor has a volume."""

    container: Container
    folder: str
    volume: str
    """The neighbour's volume there."""
    neighbour: Container
    entries: tuple[str, ...]
    """The entries there in the container's writable layer."""
    path: str
    """The compose file."""


class ReplacedLists(Items[ReplacedList], frozen=True):
    """The replaced lists, only where files of the container's own are there."""


@evidence
def replaced_lists(host: Host, written_projects: WrittenProjects) -> ReplacedLists:
    """The mounts of a YAML anchor that a service lost to a list of its own.

    A folder is listed only where a neighbour mounts the volume that the service has lost.
    """
    items: list[ReplacedList] = []
    candidates = [
        (project, container, lost)
        for project in written_projects
        for container in project.containers
        for lost in _lost_mounts(project, container)
    ]
    for project, container, lost in host.first(
        candidates, MOST, "mounts that a compose file no longer has"
    ):
        neighbour = _neighbour_with(project, container, lost)
        if neighbour is None:
            continue
        answer = host.ask(ListFolder(f"{container.layer_folder}{lost.target}"))
        mount = neighbour.mount_at(lost.target)
        if isinstance(answer, Failed) or not answer.names or mount is None:
            continue
        entries = tuple(sorted(answer.names))
        items.append(
            ReplacedList(
                container,
                lost.target,
                volume=mount.name or mount.source,
                neighbour=neighbour,
                entries=entries,
                path=project.file,
            )
        )
    return ReplacedLists(tuple(items))


def _lost_mounts(project: WrittenProject, container: Container) -> list[WrittenMount]:
    """The mounts of its anchors that a running container does not have."""
    service = project.of(container)
    if service is None or not container.is_running or not container.layer_folder:
        return []
    return [lost for lost in service.replaced if container.mount_at(lost.target) is None]


def _neighbour_with(
    project: WrittenProject, container: Container, lost: WrittenMount
) -> Container | None:
    """Another container of the project that has the mount there."""
    neighbours = (other for other in project.containers if other.id != container.id)
    return next((other for other in neighbours if other.mount_at(lost.target) is not None), None)
