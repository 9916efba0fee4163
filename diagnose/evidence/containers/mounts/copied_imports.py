"""Programs that copy files between two mounts, where one mount would let them link or rename.

link(2) and rename(2) refuse to go from one mount to another (EXDEV), also where both show one file
system: the program then copies the file.
"""

import itertools
import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounts
from diagnose.file_paths import is_within
from diagnose.programs.file_movers import FILE_MOVERS, FileMover
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED
from diagnose.registry import evidence


class CopiedImport(msgspec.Struct, frozen=True):
    """A program whose files go from one mount to another of the same file system."""

    container: Container
    does: str
    """What it does with the files: imports, moves."""
    arrival: Mount
    place: Mount
    parent: str
    """The innermost folder of the host that holds both; "/" where nothing else does."""


class CopiedImports(Items[CopiedImport], frozen=True):
    """One for each program, in the order of the containers."""


@evidence
def copied_imports(host: Host, containers: Containers, mounts: Mounts) -> CopiedImports:
    """The running programs that move or link files, and have two mounts for that.

    One question about the folders of such a program. Folders on two disks, or on two subvolumes
    of one, cannot share files whatever is mounted. A program that also has both in one mount may
    use that.
    """
    items: list[CopiedImport] = []
    for container in containers.running:
        pairs = _pairs(container)
        copied_here = (copied for copied in pairs if _is_one_file_system(host, mounts, copied))
        items += itertools.islice(copied_here, 1)
    return CopiedImports(tuple(items))


def _pairs(container: Container) -> Iterator[CopiedImport]:
    """The mounts between which the program of this container brings files."""
    folders = [mount for mount in container.bind_mounts if mount.rw]
    for mover in FILE_MOVERS:
        if not mover.image.search(container.config.image):
            continue
        for arrival, place in itertools.permutations(folders, 2):
            parent = posixpath.commonpath((arrival.source, place.source))
            is_in_one = any(is_within(parent, folder.source) for folder in container.bind_mounts)
            if _is_pair(mover, arrival, place) and not is_in_one:
                yield CopiedImport(container, mover.does, arrival, place, parent)


def _is_pair(mover: FileMover, arrival: Mount, place: Mount) -> bool:
    """Whether files arrive in the first and stay in the second."""
    stays = mover.place.search(place.destination) and not mover.arrival.search(place.destination)
    return bool(stays and mover.arrival.search(arrival.destination))


def _is_one_file_system(host: Host, mounts: Mounts, copied: CopiedImport) -> bool:
    """Whether the host itself can link from one to the other, and mount what holds both."""
    paths = [copied.arrival.source, copied.place.source, copied.parent]
    statuses = path_statuses(host, paths, follow=True)
    statuses_of_pair = [statuses.get(path, NOT_ASKED) for path in paths]
    points = {mounted.point for mounted in map(mounts.of, paths) if mounted is not None}
    devices = {status.dev for status in statuses_of_pair}
    return (
        all(status.type == "folder" for status in statuses_of_pair)
        and len(devices) == len(points) == 1
    )
