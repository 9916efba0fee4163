"""Volumes that no container mounts."""

from collections.abc import Iterable

from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.items import Items
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.questions.images import ListVolumes, Volume
from diagnose.registry import evidence

__all__ = ["UnusedVolumes", "Volume", "compose_label", "successor_of", "unused_volumes"]


class UnusedVolumes(Items[Volume], frozen=True):
    """Volumes without a container, running or not, by name."""


@evidence
def unused_volumes(
    host: Host, root: DataRoot, containers: Containers | Unavailable
) -> UnusedVolumes | Unavailable:
    """The engine's own filter (dangling) counts stopped containers as users.

    Without it, its folders are counted against the containers that were read from disk.
    """
    answer = host.ask(ListVolumes(filters={"dangling": ["true"]}))
    if isinstance(answer, Failed):
        if (
            isinstance(containers, Containers)
            and containers.source == "disk"
            and not containers.unexamined
        ):
            return _volumes_by_folders(host, root.path, containers)
        return Unavailable.of(answer)
    return UnusedVolumes(tuple(sorted(answer.volumes or (), key=lambda volume: volume.name)))


def successor_of(volume: Volume, containers: Iterable[Container]) -> str:
    """The volume that the same compose project uses under its present name; "" for none.

    The two names of the project differ in `-` and `_` alone.
    """
    project = compose_label(volume, "project")
    own_name = compose_label(volume, "volume")
    for container in containers:
        present_name = container.compose_project
        successor = f"{present_name}_{own_name}"
        is_renamed = present_name != project and _bare(present_name) == _bare(project)
        if own_name and is_renamed and any(mount.name == successor for mount in container.mounts):
            return successor
    return ""


def _bare(project: str) -> str:
    return project.replace("-", "").replace("_", "")


def compose_label(volume: Volume, name: str) -> str:
    """The value of a compose label, such as "project"; "" where the volume does not have it."""
    return (volume.labels or {}).get(f"{COMPOSE}{name}", "")


def _volumes_by_folders(host: Host, root: str, containers: Containers) -> UnusedVolumes:
    """The volumes by their folders, for a host whose engine does not answer."""
    listing = host.require(ListFolder(f"{root}/volumes"))
    used = {
        mount.name
        for container in containers
        for mount in container.mounts
        if mount.type == "volume"
    }
    names = sorted(entry.name for entry in listing.entries if entry.type == "folder")
    return UnusedVolumes(tuple(Volume(name) for name in names if name not in used))
