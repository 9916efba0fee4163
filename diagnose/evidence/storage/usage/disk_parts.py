"""The parts of a disk's used room, and the facts about their contents."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.files import LogFiles
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.listing import Images
from diagnose.evidence.storage.filesystems import Filesystem
from diagnose.evidence.storage.usage.deleted_files import DeletedFiles
from diagnose.model import EvidenceGroup, Unavailable

BIGGEST = 3
"""How many members of a part are named."""


class UsagePart(msgspec.Struct, frozen=True):
    """A share of a disk."""

    name: str
    bytes: int
    subjects: tuple[tuple[str, int], ...] = ()
    """The largest members of this part, with their bytes."""
    at_least: bool = False
    """Whether more of it was not looked at."""
    path: str = ""
    """The folder or file that most of it is in, where one is."""

    @classmethod
    def of(cls, name: str, sizes: Mapping[str, int], path: str = "") -> UsagePart:
        """A part that its members make up; sizes: their bytes by name."""
        return cls(name, sum(sizes.values()), largest(sizes), path=path)


class DiskSubjects(EvidenceGroup, frozen=True):
    """The other evidence about the subjects of the parts."""

    containers: Containers | Unavailable
    logs: LogFiles | Unavailable
    deleted: DeletedFiles | Unavailable
    layers: Layers | Unavailable
    images: Images | Unavailable
    info: Info | None

    @property
    def known_containers(self) -> Containers:
        return self.containers if isinstance(self.containers, Containers) else Containers(())

    def is_former(self, driver: str) -> bool:
        """Whether the engine has another storage driver, or containerd's image store."""
        driver_in_use = self.info.driver if self.info is not None else ""
        return bool(driver_in_use) and driver != driver_in_use

    def named(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Sizes by container id as sizes by name."""
        names = {container.id: container.name for container in self.known_containers}
        return {names.get(id_, id_[:12]): count for id_, count in sizes.items()}

    @property
    def image_sizes(self) -> dict[str, int]:
        """By name, layers that images share counted in each."""
        if isinstance(self.images, Images):
            return {image.name: image.size for image in self.images}
        return {}

    def log_sizes(self, folders: Mapping[str, int]) -> dict[str, int]:
        """The sizes of logs by container id.

        A container's folder holds its log, files that others have rotated there, and the copy that
        the engine keeps of a log that goes elsewhere; a folder beyond the walk counts by the log
        file.
        """
        files = self.logs.by_id if isinstance(self.logs, LogFiles) else {}
        return {
            id_: max(files[id_].on_disk if id_ in files else 0, folders.get(id_, 0))
            for id_ in {**folders, **files}
        }

    @property
    def upper_folders(self) -> dict[str, str]:
        """The folders of the writable layers by container id, below the storage driver's folder.

        By inspect; where the engine is silent, by its database.
        """
        writable = self.layers.writable if isinstance(self.layers, Layers) else {}
        folders = {
            container.id: _upper_folder(container) or writable.get(container.id, "")
            for container in self.known_containers
        }
        return {id_: folder for id_, folder in folders.items() if folder}

    def held_on(self, disk: Filesystem) -> dict[str, int]:
        """Deleted files that are still open there, those in containers' layers too."""
        if isinstance(self.deleted, Unavailable):
            return {}
        files_there = (
            file for file in self.deleted if file.dev == disk.usage.dev or file.fstype == "overlay"
        )
        return {f"{file.path} ({file.comm})": file.bytes for file in files_there}


def _upper_folder(container: Container) -> str:
    parts = container.layer_folder.rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 and parts[-1] == "diff" else parts[-1]


def largest(sizes: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """The largest members of a part, with their bytes."""
    ranked = sorted(((count, name) for name, count in sizes.items() if count), reverse=True)
    return tuple((name, count) for count, name in ranked[:BIGGEST])


def biggest(folder: str, sizes: Mapping[str, int]) -> str:
    """The path of the biggest of these; the folder where there is none."""
    name = max(sizes, key=lambda name: sizes[name], default="")
    return f"{folder}/{name}" if folder and name else folder or name
