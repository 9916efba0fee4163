"""Anonymous volumes with the data of a container from before it was recreated."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, StatPaths
from diagnose.registry import evidence

RECENT_S = 7 * 86400.0
"""Seconds after which a container has data of its own, and the loss was noticed."""
AROUND_S = 600.0
"""Maximum seconds between the last change of the former volume and the creation of the container:
its program ended then."""
AFTER_S = 60.0
MOST = 20
"""Maximum number of volumes of each kind that are looked at, the newest first."""
LEAST_ENTRIES = 3
ALIKE = 0.6
"""Minimum similarity of two listings: a program's files have fixed names."""


class LeftVolume(msgspec.Struct, frozen=True):
    """A volume that a container has left for a new and empty one."""

    container: Container
    mount: Mount
    former: str
    """The volume that no container uses."""
    entries: tuple[str, ...]
    """The entries that both have at their top."""
    gap: float
    """Seconds from its last change to the creation of the container."""


class LeftVolumes(Items[LeftVolume], frozen=True):
    """The left volumes, at most one for each mount."""


class _FreshVolume(msgspec.Struct, frozen=True):
    """An anonymous volume of a recently created container."""

    container: Container
    mount: Mount
    made: float


@evidence
def left_volumes(
    host: Host, containers: Containers, unused: UnusedVolumes, clock: Clock
) -> LeftVolumes:
    """The anonymous volumes with the former data of young containers.

    Folders are listed only where a young container has an anonymous volume, and one is unused. A
    folder that cannot be listed is left out.
    """
    fresh = host.first(_fresh_mounts(containers, clock), MOST, "new anonymous volumes")
    former = host.first(_former_volumes(unused), MOST, "unused anonymous volumes")
    if not fresh or not former:
        return LeftVolumes()
    names = _names_in_folders(host, fresh, former)
    pairs = [
        (mount, volume)
        for mount in fresh
        for volume in former
        if _may_be_left(mount, volume, names)
    ]
    changed = last_changes(host, {volume.mountpoint for _, volume in pairs}, names)
    return LeftVolumes(tuple(_newest_candidates(pairs, names, changed)))


def _names_in_folders(
    host: Host, fresh: Iterable[_FreshVolume], former: Iterable[Volume]
) -> dict[str, frozenset[str]]:
    """The entries in the folders of these volumes, by the folder."""
    paths = {mount.mount.source for mount in fresh} | {volume.mountpoint for volume in former}
    listings = host.answers_about(sorted(paths), ListFolder)
    return {path: frozenset(listing.names) for path, listing in listings.items()}


def _may_be_left(mount: _FreshVolume, volume: Volume, names: Mapping[str, frozenset[str]]) -> bool:
    """Whether a volume is older than a container's new one, and holds files of the same names."""
    is_older = (unix(volume.created_at) or 0.0) < mount.made
    return is_older and is_alike(names.get(mount.mount.source), names.get(volume.mountpoint))


def _fresh_mounts(containers: Containers, clock: Clock) -> list[_FreshVolume]:
    volumes: list[_FreshVolume] = []
    for container in containers:
        created = container.created_at
        if created is not None and clock.wall - created < RECENT_S:
            anonymous = [mount for mount in container.mounts if mount.is_anonymous]
            volumes += [_FreshVolume(container, mount, created) for mount in anonymous]
    return sorted(volumes, key=lambda mount: -mount.made)


def _former_volumes(unused: UnusedVolumes) -> list[Volume]:
    anonymous = [volume for volume in unused if volume.is_anonymous and volume.mountpoint]
    return sorted(anonymous, key=lambda volume: volume.created_at, reverse=True)


def is_alike(own_names: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Whether two listings are of one program's data."""
    if own_names is None or other is None or len(other) < LEAST_ENTRIES:
        return False
    return len(own_names & other) >= ALIKE * len(own_names | other)


def _newest_candidates(
    pairs: Sequence[tuple[_FreshVolume, Volume]],
    names: Mapping[str, frozenset[str]],
    changed: Mapping[str, float],
) -> list[LeftVolume]:
    """For each mount the candidate that was changed last, if that was in time."""
    best: dict[tuple[str, str], LeftVolume] = {}
    for mount, volume in pairs:
        at = changed.get(volume.mountpoint)
        if at is None or not -AFTER_S <= mount.made - at <= AROUND_S:
            continue
        shared = tuple(sorted(names[mount.mount.source] & names[volume.mountpoint]))
        left_volume = LeftVolume(
            mount.container, mount.mount, volume.name, shared, max(0.0, mount.made - at)
        )
        key = mount.container.id, mount.mount.destination
        if key not in best or left_volume.gap < best[key].gap:
            best[key] = left_volume
    return list(best.values())


def last_changes(
    host: Host, folders: Iterable[str], names: Mapping[str, frozenset[str]]
) -> dict[str, float]:
    """The time of the last change of each folder or its entries; unreadable ones are left out."""
    answers = host.ask_about(
        sorted(folders),
        lambda folder: StatPaths(
            [folder, *(f"{folder}/{name}" for name in sorted(names[folder])[:MOST])]
        ),
    )
    changed = {}
    for folder, answer in answers:
        statuses = [] if isinstance(answer, Failed) else answer.values()
        times = [status.mtime for status in statuses if status.mtime]
        if times:
            changed[folder] = max(times)
    return changed
