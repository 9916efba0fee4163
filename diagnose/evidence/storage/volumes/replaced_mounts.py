"""Data that a container had in another folder or volume, until its mount was changed."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.left_volumes import (
    AROUND_S,
    LEAST_ENTRIES,
    RECENT_S,
    is_alike,
)
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, compose_label
from diagnose.mappings import only
from diagnose.questions import Host
from diagnose.questions.files import FolderListing, ListFolder, StatPaths
from diagnose.registry import evidence

MOST = 12
"""Mounts that are looked at, the youngest first, and folders beside them."""
MOST_ENTRIES = 20
_SHARED = frozenset(
    {"/", "/data", "/etc", "/home", "/media", "/mnt", "/opt", "/root", "/srv"}
    | {"/tmp", "/usr", "/var", "/var/lib"}  # noqa: S108 - only a name
)
"""Folders that all share: an entry there is no neighbour."""


class ReplacedMount(msgspec.Struct, frozen=True):
    """A young container's new data, and its probable former data."""

    container: Container
    mount: Mount
    former: str
    """The folder of the host, or the name of the volume."""
    entries: tuple[str, ...]
    """The entries that both have at their top."""
    gap: float
    """Seconds from the last change of the former data to the creation of the container."""

    @property
    def is_folder(self) -> bool:
        """Whether the former data is in a folder of the host that is not a volume."""
        return self.former.startswith("/")


class ReplacedMounts(Items[ReplacedMount], frozen=True):
    """The replaced mounts, at most one for each mount."""


@evidence
def replaced_mounts(
    host: Host, containers: Containers, unused: UnusedVolumes, clock: Clock
) -> ReplacedMounts:
    """The former data of young compose containers, in a folder or volume that they do not mount.

    Folders are listed only where compose created a container within the last days. All data in its
    mount was written since then, so that it began empty. A folder beside its mounts, or an unused
    volume with a name, has the same entries, was changed until the container's creation, and no
    container mounts it.
    """
    young_mounts = host.first(
        sorted(_young_mounts(containers, clock), key=lambda entry: -(entry[0].created_at or 0.0)),
        MOST,
        "mounts of new containers",
    )
    listings = _listings(host, (mount.source for _, mount in young_mounts))
    mounts: list[ReplacedMount] = []
    for container, mount in young_mounts:
        names_inside = listings.get(mount.source, frozenset[str]())
        if len(names_inside) < LEAST_ENTRIES:
            continue
        since = _oldest_entry_at(host, container, mount, names_inside)
        if since is None:
            continue
        volumes = _volumes_for(container, unused)
        alike = {
            path: names
            for path, names in _unused_places(host, container, volumes, containers).items()
            if is_alike(names_inside, names)
        }
        times = {path: _newest_entry_at(host, path, names) for path, names in alike.items()}
        ended = {path: at for path, at in times.items() if at is not None and at < since}
        mounts += _former_mount(
            container, mount, names_inside=names_inside, alike=alike, ended=ended, volumes=volumes
        )
    return ReplacedMounts(tuple(mounts))


def _unused_places(
    host: Host, container: Container, volumes: Iterable[str], containers: Containers
) -> dict[str, frozenset[str]]:
    """The entries of volumes, and of folders beside the container's mounts, that no container
    mounts."""
    used = containers.mount_sources
    unused = [path for path in _neighbouring_folders(host, container) if path not in used]
    places = dict.fromkeys([*list(volumes)[:MOST], *unused[:MOST]])
    return {path: names for path, names in _listings(host, places).items() if path not in used}


def _volumes_for(container: Container, unused: UnusedVolumes) -> dict[str, str]:
    """The unused volumes with a name that are not another project's, by their folder."""
    return {
        volume.mountpoint: volume.name
        for volume in unused
        if volume.mountpoint
        and not volume.is_anonymous
        and compose_label(volume, "project") in {"", container.compose_project}
    }


def _young_mounts(containers: Containers, clock: Clock) -> Iterator[tuple[Container, Mount]]:
    """The mounts of recently created containers of compose."""
    for container in containers.running:
        created_at = container.created_at
        if created_at is None or clock.wall - created_at > RECENT_S or not container.compose_folder:
            continue
        for mount in container.mounts:
            if mount.rw and mount.has_host_path and not mount.is_anonymous:
                yield container, mount


def _listings(host: Host, paths: Iterable[str]) -> dict[str, frozenset[str]]:
    answers = host.answers_about(list(dict.fromkeys(paths)), ListFolder)
    return {path: frozenset(listing.names) for path, listing in answers.items()}


def _change_times(host: Host, path: str, names: Iterable[str]) -> list[float]:
    """The time of the last change of each entry of a folder; empty where one is unreadable."""
    question = StatPaths([f"{path}/{name}" for name in sorted(names)[:MOST_ENTRIES]])
    statuses = host.answer_or(question, {})
    times = [status.mtime for status in statuses.values() if status.mtime is not None]
    return times if len(times) == len(statuses) else []


def _oldest_entry_at(
    host: Host, container: Container, mount: Mount, names: frozenset[str]
) -> float | None:
    """The time of the oldest entry of the folder; None where one is older than the container."""
    times = _change_times(host, mount.source, names - _mounted_in(container, mount))
    is_new = bool(times) and min(times) >= (container.created_at or 0.0) - 1.0
    return min(times) if is_new else None


def _mounted_in(container: Container, mount: Mount) -> set[str]:
    """The entries of a mount at which something else is mounted."""
    below = (other.destination for other in container.mounts if mount.holds(other.destination))
    return {posixpath.relpath(path, mount.destination).split("/")[0] for path in below}


def _newest_entry_at(host: Host, path: str, names: frozenset[str]) -> float | None:
    times = _change_times(host, path, names)
    return max(times) if times else None


def _neighbouring_folders(host: Host, container: Container) -> list[str]:
    """The folders beside its mounts, and in the folder of its project."""
    parents = dict.fromkeys(
        posixpath.dirname(mount.source.rstrip("/")) for mount in container.bind_mounts
    )
    parents[container.compose_folder] = None
    near_parents = [path for path in parents if path not in _SHARED]
    answers: Mapping[str, FolderListing] = host.answers_about(near_parents, ListFolder)
    return [
        f"{path}/{entry.name}"
        for path, listing in answers.items()
        for entry in listing.entries
        if entry.type == "folder"
    ]


def _former_mount(
    container: Container,
    mount: Mount,
    names_inside: frozenset[str],
    alike: Mapping[str, frozenset[str]],
    ended: Mapping[str, float],
    volumes: Mapping[str, str],
) -> Iterator[ReplacedMount]:
    """The only place that was changed until the container's creation; nothing for several.

    ended: the time of the last change of each place, all before the new data began.
    """
    created_at = container.created_at or 0.0
    path = only([path for path, at in ended.items() if created_at - at <= AROUND_S])
    if path is not None:
        shared = tuple(sorted(names_inside & alike[path]))
        gap = max(0.0, created_at - ended[path])
        yield ReplacedMount(container, mount, volumes.get(path, path), shared, gap)
