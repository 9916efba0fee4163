"""Volumes of the driver `local` that are a folder of the host, and whether that folder is there."""

import posixpath
from collections.abc import Iterable, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Subject, Unavailable
from diagnose.programs.volume_folders import volume_at
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import NOT_ASKED, FolderEntry, FolderListing, ListFolder, StatPaths
from diagnose.questions.images import ListVolumes, Volume
from diagnose.registry import evidence

_REFUSED = LazyPattern(
    r"failed to mount local volume: mount \S*?:(?P<point>/\S+), flags: 0x1000.*"
    r"no such file or directory"
)
"""The engine's words for ENOENT of a bind mount (20.10, 26.1 and 28.5). No container is left where
the volume should be filled from the image: only the log shows it."""


MOST_BESIDE = 200
"""Maximum number of entries of a folder that is searched for a moved one."""


class BoundVolumes(msgspec.Struct, frozen=True):
    """Volumes of the driver `local` that are a bind mount."""

    by_name: Mapping[str, str]
    """The folder of each, as in the volume's options; the base of a relative path is not known."""


@evidence
def bound_volumes(host: Host) -> BoundVolumes:
    """The volumes with the option `o=bind`, by the list of volumes."""
    volumes = host.require(ListVolumes()).volumes or ()
    return BoundVolumes({volume.name: _device(volume) for volume in volumes if _device(volume)})


class VolumeSource(msgspec.Struct, frozen=True):
    """A volume whose folder is not there."""

    name: str
    device: str
    """The path in the volume's options."""
    users: tuple[Container, ...]
    """Containers that have the volume."""
    text: str = ""
    """The engine's recent error about it, "" without one."""
    at: float | None = None
    """Unix time of that."""
    moved_to: str = ""
    """The one folder nearby that has its name and something in it; "" for none, or for several."""
    meant: str = ""
    """The folder of a relative path, from the folder of the compose project; "" where none is
    there."""

    @property
    def subject(self) -> Subject:
        return Subject("volume", self.name)

    @property
    def is_relative(self) -> bool:
        """Whether the path depends on the engine's working folder, which is usually /."""
        return not self.device.startswith("/")

    @property
    def place(self) -> str:
        """The path at which the engine looks for the folder."""
        return _absolute_path(self.device)


class VolumeSources(msgspec.Struct, frozen=True):
    """The sources of volumes that are missing."""

    missing: tuple[VolumeSource, ...]


@evidence
def volume_sources(
    host: Host,
    volumes: BoundVolumes,
    containers: Containers,
    log: DaemonLog | None,
    clock: Clock,
    options: Options,
) -> VolumeSources | Unavailable:
    """The volumes that are bind mounts of a missing folder.

    Their folders take one question.
    """
    device_by_volume = volumes.by_name
    if not device_by_volume:
        return VolumeSources(())
    statuses = host.require(
        StatPaths(
            sorted({_absolute_path(device) for device in device_by_volume.values()}), follow=True
        )
    )
    refusals_by_volume = _refusals(log, containers, clock.wall - options.since_s)
    named_paths = (*containers.mount_sources, *device_by_volume.values())
    host_paths = {place for place in named_paths if place.startswith("/")}
    sources = []
    for name, device in sorted(device_by_volume.items()):
        status = statuses.get(_absolute_path(device))
        if status is None or status.failed != "missing":
            continue
        refusal = refusals_by_volume.get(name, _Refusal())
        users = _users(name, containers)
        source = VolumeSource(name, device, users=users, text=refusal.text, at=refusal.at)
        sources.append(_with_likely_folder(host, source, host_paths))
    return VolumeSources(tuple(sources))


def _with_likely_folder(host: Host, source: VolumeSource, places: set[str]) -> VolumeSource:
    """The source with the folder that was meant, or to which it was moved.

    places: the folders of containers and volumes.
    """
    if source.is_relative:
        meant = _meant_folder(host, source.device, source.users)
        return msgspec.structs.replace(source, meant=meant)
    was_mounted = any(user.started_at is not None for user in source.users)
    moved_to = _moved_to(host, source.device, places, was_mounted=was_mounted)
    return msgspec.structs.replace(source, moved_to=moved_to)


def _meant_folder(host: Host, device: str, users: Iterable[Container]) -> str:
    """The folder that a relative path leads to from the compose project of its containers; ""."""
    projects = {user.compose_folder for user in users if user.compose_folder}
    folders = sorted(posixpath.normpath(posixpath.join(folder, device)) for folder in projects)
    statuses = path_statuses(host, folders, follow=True) if folders else {}
    return only([path for path, status in statuses.items() if status.type == "folder"]) or ""


def _moved_to(host: Host, device: str, places: set[str], *, was_mounted: bool) -> str:
    """The new place of a folder that was moved as a whole, by itself or with its parent; or "".

    places: the folders of containers and volumes, which are excluded. was_mounted: whether a
    container has run with the volume. Without that, or while the parent is still there, a folder of
    the same name is more likely that of a neighbour.
    """
    above, name = posixpath.split(device.rstrip("/"))
    parents = [above]
    if was_mounted and _is_missing(host, above):
        parents.append(posixpath.dirname(above))
    nearby = [
        f"{parent.rstrip('/')}/{entry.name}/{name}"
        for parent in parents
        for entry in _folders(host, parent)
    ]
    free = [path for path in nearby if not _is_taken(path, places, device)]
    statuses = path_statuses(host, free, follow=True)
    folders = [path for path, status in statuses.items() if status.type == "folder"]
    return only([path for path in folders if _folder_holds_something(host, path)]) or ""


def _is_taken(path: str, places: Iterable[str], device: str) -> bool:
    """Whether the folder belongs to one of these places."""
    return any(_includes(place, path, device) for place in places)


def _includes(place: str, path: str, device: str) -> bool:
    """Whether a mount of this place includes the folder `path`, or a part of it.

    A place around both folders, such as the / of a monitor, proves nothing.
    """
    is_around = is_within(path, place) and not is_within(device, place)
    return is_around or is_within(place, path)


def _is_missing(host: Host, path: str) -> bool:
    statuses = path_statuses(host, [path], follow=True)
    return statuses.get(path, NOT_ASKED).failed == "missing"


def _folders(host: Host, path: str) -> list[FolderEntry]:
    if path in ("", "/"):
        return []
    entries = folder_listing(host, path).entries
    if len(entries) > MOST_BESIDE:
        return []
    return [entry for entry in entries if entry.type == "folder"]


def _folder_holds_something(host: Host, path: str) -> bool:
    return bool(host.answer_or(ListFolder(path, limit=1), FolderListing()).entries)


def _device(volume: Volume) -> str:
    """The folder of a volume that is a bind mount; "" for others."""
    options = volume.options or {}
    flags = (options.get("o") or "").split(",")
    is_bind = volume.driver == "local" and ("bind" in flags or "rbind" in flags)
    return (options.get("device") or "") if is_bind else ""


def _absolute_path(device: str) -> str:
    return posixpath.normpath(posixpath.join("/", device))


def _users(name: str, containers: Containers) -> tuple[Container, ...]:
    return tuple(container for container in containers if container.mounts_volume(name))


class _Refusal(msgspec.Struct, frozen=True):
    """The engine's error for a volume that it could not mount, and its time."""

    text: str = ""
    at: float | None = None


def _refusals(log: DaemonLog | None, containers: Containers, since: float) -> dict[str, _Refusal]:
    """The last one of each volume, by its name."""
    lines = log.since(since) if log is not None else ()
    lines_refused = [_Refusal(line.text, line.at) for line in lines]
    lines_refused += [
        _Refusal(container.state.error, container.finished_at) for container in containers
    ]
    refusals: dict[str, _Refusal] = {}
    for error in lines_refused:
        match = _REFUSED.search(error.text)
        if match:
            name = volume_at(match["point"])
            refusals[name] = _Refusal(match[0], error.at)
    return refusals
