"""Data that a program looks for in another folder since its upgrade, beside the mount that has it.

The new release makes fresh files of the same names in the container's writable layer, and starts as
on its first day. Without an error, and however small the files are.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.data.own_layer_data import keeps_data, unchanged_entries
from diagnose.evidence.images.layers import Layers, layer_folder_of
from diagnose.evidence.items import Items
from diagnose.evidence.storage.volumes.left_volumes import ALIKE
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.registry import evidence

MOST_MOUNTS = 24
"""Mounts that are looked at, those of the youngest containers first."""
MOST_FOLDERS = 12
LEAST_SHARED = 2
_PATTERNS_OF_FILES = LazyPattern(r"(?i)default|dist|example|init|orig|sample|skel|template")
"""Mounts whose files a start script copies, or fills in, at another place."""


class MovedData(msgspec.Struct, frozen=True):
    """A folder of a container's writable layer with fresh files of the names that a mount has."""

    container: Container
    mount: Mount
    folder: str
    """As the container calls it."""
    names: tuple[str, ...]
    """What both have."""


class MovedDataList(Items[MovedData], frozen=True):
    """The moved data, at most one for each container."""


@evidence
def moved_data(host: Host, containers: Containers, layers: Layers | None) -> MovedDataList:
    """The folders beside idle mounts, or around them, that have the entries of the mount.

    A mount counts whose entries nobody has changed since the container was made. Each takes a
    listing and a question about times, and a listing of each folder beside its place in the layer.
    """
    young_first = sorted(containers.running, key=lambda running: -(running.created_at or 0.0))
    places = [
        _Place(container, mount, top)
        for container in young_first
        if (top := layer_folder_of(container, layers))
        for mount in container.mounts
        if _may_have_moved(mount)
    ]
    by_container: dict[str, MovedData] = {}
    for place in places[:MOST_MOUNTS]:
        moved = _moved_data(host, place)
        if moved is not None:
            by_container.setdefault(place.container.id, moved)
    return MovedDataList(tuple(by_container.values()))


class _Place(msgspec.Struct, frozen=True):
    """A mount of a container, and the folder of its writable layer on the host."""

    container: Container
    mount: Mount
    top: str


def _may_have_moved(mount: Mount) -> bool:
    """Whether a mount may hold a program's own files, and has a name that a person gave it."""
    is_own = mount.rw and mount.has_host_path and not mount.is_anonymous
    return is_own and not _PATTERNS_OF_FILES.search(mount.destination)


def _moved_data(host: Host, place: _Place) -> MovedData | None:
    entries = unchanged_entries(host, place.container, place.mount) or ()
    if len(entries) < LEAST_SHARED:
        return None
    for folder in _folders_around(host, place):
        names = folder_listing(host, f"{place.top}{folder}").names
        shared = tuple(sorted({*entries} & {*names}))
        is_alike = len(shared) >= max(LEAST_SHARED, ALIKE * len(entries))
        if is_alike and _differ(host, place, folder, shared):
            return MovedData(place.container, place.mount, folder, shared)
    return None


def _folders_around(host: Host, place: _Place) -> Iterator[str]:
    """The folder of the writable layer in which the mount lies, and those beside the mount."""
    parent = posixpath.dirname(place.mount.destination.rstrip("/"))
    mounted = {mount.destination.rstrip("/") for mount in place.container.mounts}
    entries = folder_listing(host, f"{place.top}{parent}").entries
    beside = [posixpath.join(parent, entry.name) for entry in entries if entry.type == "folder"][
        :MOST_FOLDERS
    ]
    for folder in (parent, *beside):
        if folder != "/" and folder not in mounted and keeps_data(folder):
            yield folder


def _differ(host: Host, place: _Place, folder: str, names: Sequence[str]) -> bool:
    """Whether a file of both has another size in the layer: a copy of the mount has not moved."""
    at_layer, at_mount = f"{place.top}{folder}", place.mount.source
    pairs = [(f"{at_layer}/{name}", f"{at_mount}/{name}") for name in names]
    statuses = path_statuses(host, [path for pair in pairs for path in pair])
    known = [
        (statuses[fresh], statuses[former])
        for fresh, former in pairs
        if fresh in statuses and former in statuses
    ]
    return any(
        fresh.type == former.type == "file" and fresh.size != former.size for fresh, former in known
    )
