"""Data of a former release of PostgreSQL beside the folder that the server uses now.

Images such as sameersbn/postgresql keep each release in a folder of its own: 9.5/main, 9.6/main. A
newer image finds no folder of its release, makes an empty one, and starts without an error.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import NOT_ASKED, PathStatus
from diagnose.registry import evidence

MOST = 12
"""Mounts that are listed."""
_MOST_FOLDERS = 12
_PARTS = ("base", "pg_wal", "pg_xlog")
_MOST_LISTED = 60
_MOST_FILES = 20_000
_SMALLER = 0.6
"""The folder in use has less than this part of the bytes of the former one; an upgrade copies all.
"""
_LEAST_BYTES = 4 << 20
_SERVER = "postgres"
_RELEASE = LazyPattern(r"\d{1,2}(?:\.\d{1,2})?")
_INNER = ("", "/main", "/data", "/docker")
"""The folder of the data in that of its release."""
_OF_RELEASE = ("PG_VERSION", "PG_MAJOR")
"""Variables of images with their release."""
_MARK = "PG_VERSION"
_RUNS = "postmaster.pid"
_WRITTEN = "global/pg_control"


class FormerRelease(msgspec.Struct, frozen=True):
    """Two folders of data of PostgreSQL in one mount."""

    container: Container
    mount: Mount
    used: str
    """Below the mount: 9.6/main."""
    former: str
    """Below the mount: 9.5/main."""
    used_bytes: int
    former_bytes: int
    made_at: float
    """Unix time at which the used folder was made."""
    written_at: float
    """Unix time of the last change of the former one."""


class FormerReleases(Items[FormerRelease], frozen=True):
    """At most one for each mount."""


class _DataFolder(msgspec.Struct, frozen=True):
    """A folder of data: its path below the mount, and the stats of files in it."""

    below: str
    path: str
    mark: PathStatus
    runs: PathStatus
    written: PathStatus

    @property
    def release(self) -> str:
        return self.below.partition("/")[0]

    @property
    def written_at(self) -> float:
        return self.written.mtime or self.mark.mtime or 0.0


@evidence
def former_releases(host: Host, containers: Containers, processes: Processes) -> FormerReleases:
    """The mounts of PostgreSQL with folders of several releases.

    A folder of a former release counts where it was written last before the used one was made, and
    has more bytes: one that was upgraded has its data in both.
    """
    mounts = [
        (container, mount)
        for container in containers.running
        if _is_server(container, processes)
        for mount in container.mounts
        if mount.has_host_path and mount.rw
    ]
    releases: list[FormerRelease] = []
    for container, mount in host.first(mounts, MOST, "folders of PostgreSQL"):
        releases += _larger_releases(host, container, mount)
    return FormerReleases(tuple(releases))


def _is_server(container: Container, processes: Processes) -> bool:
    has_release = any(map(container.config.sets, _OF_RELEASE))
    return has_release or _SERVER in processes.names_inside(container.id)


def _larger_releases(host: Host, container: Container, mount: Mount) -> Iterator[FormerRelease]:
    """The largest former folder, if it is larger than the used one."""
    folders = _data_folders(host, mount)
    used = _used_folder(container, folders)
    if used is None:
        return
    made_at = used.mark.mtime or 0.0
    others = [
        folder
        for folder in folders
        if folder.release != used.release and folder.runs.failed and folder.written_at <= made_at
    ]
    if not others:
        return
    former = max(others, key=lambda folder: folder.written_at)
    own, other = _bytes_on_disk(host, used), _bytes_on_disk(host, former)
    if own is None or other is None:
        return
    if other >= _LEAST_BYTES and own < _SMALLER * other:
        yield FormerRelease(
            container,
            mount,
            used.below,
            former.below,
            used_bytes=own,
            former_bytes=other,
            made_at=made_at,
            written_at=former.written_at,
        )


def _data_folders(host: Host, mount: Mount) -> list[_DataFolder]:
    """The folders of releases below a mount; none where it has only one."""
    listing = folder_listing(host, mount.source)
    releases = [
        entry.name
        for entry in listing.entries
        if entry.type == "folder" and _RELEASE.fullmatch(entry.name)
    ]
    if len(releases) < 2:
        return []
    places = [f"{release}{inner}" for release in releases[:_MOST_FOLDERS] for inner in _INNER]
    files = (_MARK, _RUNS, _WRITTEN)
    paths = [f"{mount.source}/{place}/{file}" for place in places for file in files]
    statuses = path_statuses(host, paths, follow=False)
    folders = []
    for place in places:
        path = f"{mount.source}/{place}"
        mark, runs, written = (statuses.get(f"{path}/{file}", NOT_ASKED) for file in files)
        if mark.type == "file":
            folders.append(_DataFolder(place, path, mark, runs, written))
    return folders


def _used_folder(container: Container, folders: list[_DataFolder]) -> _DataFolder | None:
    """The folder of the server that runs, or the one of the release that its image has."""
    running = [folder for folder in folders if not folder.runs.failed]
    of_release = [folder for folder in folders if _is_release_of(container, folder)]
    return first_of((*running, *of_release), None)


def _is_release_of(container: Container, folder: _DataFolder) -> bool:
    """Whether a variable of the image names the release of a folder."""
    releases = map(container.config.value_of, _OF_RELEASE)
    return any(release.startswith(folder.release) for release in releases)


def _bytes_on_disk(host: Host, folder: _DataFolder) -> int | None:
    """The bytes of the files of all databases and of their log; None where they are too many.

    A walk stays on one device, and an overlay shows several.
    """
    waiting = [f"{folder.path}/{part}" for part in _PARTS]
    files: list[str] = []
    for number, path in enumerate(waiting):
        listing = folder_listing(host, path)
        if number >= _MOST_LISTED or listing.truncated or len(files) > _MOST_FILES:
            return None
        files += [f"{path}/{entry.name}" for entry in listing.entries if entry.type == "file"]
        waiting += [f"{path}/{entry.name}" for entry in listing.entries if entry.type == "folder"]
    statuses = path_statuses(host, files, follow=False)
    return sum(status.blocks_bytes for status in statuses.values())
