"""Mounts of the user's own that an image's declared volume splits: one level above or below it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.storage.volumes import UnusedVolumes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.questions.images import InspectImage, Volume
from diagnose.registry import evidence

_ANONYMOUS = LazyPattern(r"[0-9a-f]{64}")
MOST_LEFT = 20
"""Anonymous volumes without a container that are looked into, the latest first."""
MOST = 50
"""Images that are asked about; only containers with such a pair of mounts lead to one."""


class SplitMount(msgspec.Struct, frozen=True):
    """A mount of the user's own, with the anonymous volume of the image one level apart."""

    container: Container
    own: Mount
    anonymous: Mount
    older: str = ""
    """An anonymous volume that no container has, with files of the same names; "" for none."""


class SplitMounts(msgspec.Struct, frozen=True):
    """In the order of the containers."""

    items: tuple[SplitMount, ...]


@evidence
def split_mounts(host: Host, containers: Containers, unused: UnusedVolumes | None) -> SplitMounts:
    """Anonymous volumes of images beside mounts of the user.

    A volume that the user asked for (`-v /app/node_modules`) stands in the configuration like
    the image's. Only the image tells them apart, so it is asked where a container has such a
    pair. A container that was recreated began with an empty one: the former may still be there.
    """
    pairs = [pair for container in containers for pair in _pairs(container)]
    images = dict.fromkeys(pair.container.image for pair in pairs if pair.container.image)
    declared: dict[str, set[str]] = {}
    for image, answer in host.ask_about(list(images)[:MOST], InspectImage):
        if not isinstance(answer, Failed):
            declared[image] = {
                path.rstrip("/") for path in (answer.config and answer.config.volumes) or ()
            }
    split = [
        pair
        for pair in pairs
        if pair.anonymous.destination.rstrip("/") in declared.get(pair.container.image, set())
    ]
    split = _in_use(host, split)
    left = [volume for volume in unused or () if _ANONYMOUS.fullmatch(volume.name)]
    if split and left:
        split = _with_older(host, split, left)
    return SplitMounts(tuple(split))


def _in_use(host: Host, pairs: Sequence[SplitMount]) -> list[SplitMount]:
    """The pairs without those whose anonymous volume has nothing but the user's mount in it."""
    sources = {pair.anonymous.source for pair in pairs} - {""}
    names = {
        source: [entry.name for entry in listing.entries]
        for source, listing in host.ask_about(sorted(sources), ListFolder)
        if not isinstance(listing, Failed)
    }
    return [
        pair
        for pair in pairs
        if pair.anonymous.source not in names
        or names[pair.anonymous.source] != _only_the_mount(pair)
    ]


def _only_the_mount(pair: SplitMount) -> list[str] | None:
    """What the anonymous volume holds where only the user's own mount stands in it.

    None where the user's mount is above it.
    """
    folder, _, name = pair.own.destination.rstrip("/").rpartition("/")
    return [name] if folder == pair.anonymous.destination.rstrip("/") else None


def _with_older(
    host: Host, pairs: Sequence[SplitMount], left: Sequence[Volume]
) -> list[SplitMount]:
    """The pairs with the volume that was left behind, where just one has files of such names."""
    latest = sorted(left, key=lambda volume: volume.created_at or "", reverse=True)[:MOST_LEFT]
    folders = {pair.anonymous.source for pair in pairs} | {volume.mountpoint for volume in latest}
    names = {
        folder: {entry.name for entry in listing.entries}
        for folder, listing in host.ask_about(sorted(folders - {""}), ListFolder)
        if not isinstance(listing, Failed)
    }
    mounts = []
    for pair in pairs:
        own = names.get(pair.anonymous.source, set())
        same = [volume.name for volume in latest if _is_like(own, names.get(volume.mountpoint))]
        mounts.append(replace(pair, older=same[0]) if len(same) == 1 else pair)
    return mounts


def _is_like(own: set[str], other: set[str] | None) -> bool:
    """Whether a folder has what the other one has: at least two names, as PG_VERSION and base."""
    return bool(other) and len(own) >= 2 and own <= (other or set())


def _pairs(container: Container) -> list[SplitMount]:
    mounts = container.mounts or []
    anonymous = [
        mount for mount in mounts if mount.type == "volume" and _ANONYMOUS.fullmatch(mount.name)
    ]
    own = [
        mount
        for mount in mounts
        if mount.rw and mount.source and not _ANONYMOUS.fullmatch(mount.name)
    ]
    return [
        SplitMount(container, mount, volume)
        for volume in anonymous
        for mount in own
        if _is_one_level_apart(mount.destination, volume.destination)
    ]


def _is_one_level_apart(path: str, other: str) -> bool:
    path, other = path.rstrip("/"), other.rstrip("/")
    if not path or not other:
        return False
    return path.rpartition("/")[0] == other or other.rpartition("/")[0] == path
