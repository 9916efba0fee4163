"""Volumes that no container mounts."""

from collections.abc import Iterable, Mapping

import msgspec

from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.items import Items
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.questions.images import ListVolumes, Volume
from diagnose.registry import evidence

__all__ = ["UnusedVolumes", "Volume", "compose_label", "successors", "unused_volumes"]


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


class _ProjectVolume(msgspec.Struct, frozen=True):
    """A volume as compose names it, with the name of its project without `-` and `_`."""

    bare_project: str
    own_name: str


class _UsedVolume(msgspec.Struct, frozen=True):
    project: str
    name: str


def successors(volumes: Iterable[Volume], containers: Iterable[Container]) -> Mapping[str, str]:
    """By the name of a volume, the one that its project uses in its place under another name.

    The two names of the project differ in `-` and `_` alone.
    """
    used: dict[_ProjectVolume, _UsedVolume] = {}
    for container in containers:
        project = container.compose_project
        for mount in container.mounts:
            if project and mount.name.startswith(f"{project}_"):
                own_name = mount.name.removeprefix(f"{project}_")
                used[_ProjectVolume(_letters_of(project), own_name)] = _UsedVolume(
                    project, mount.name
                )
    by_name: dict[str, str] = {}
    for volume in volumes:
        project = compose_label(volume, "project")
        own_name = compose_label(volume, "volume")
        present = used.get(_ProjectVolume(_letters_of(project), own_name)) if own_name else None
        if present is not None and present.project != project:
            by_name[volume.name] = present.name
    return by_name


def _letters_of(project: str) -> str:
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
