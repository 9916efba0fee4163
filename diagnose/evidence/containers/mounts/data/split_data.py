"""Mounts of the user that an image's declared volume splits: one level above or below it."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.data.own_layer_data import is_for_data, keeps_data
from diagnose.evidence.items import Items
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes
from diagnose.mappings import only, paired
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.questions.images import Detail, InspectImage, Volume
from diagnose.registry import evidence

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
    is_apart: bool = False
    """Whether the two have nothing in common, and the user's own one is empty."""


class SplitMounts(Items[SplitMount], frozen=True):
    """The split mounts, in the order of the containers."""


@evidence
def split_mounts(host: Host, containers: Containers, unused: UnusedVolumes | None) -> SplitMounts:
    """Anonymous volumes of images beside mounts of the user.

    A volume that the user asked for (`-v /app/node_modules`) is in the configuration like
    the image's. Only the image tells them apart, so it is asked where a container has such a
    pair. A container that was recreated began with an empty one: the former may still be there.
    Where the two are not one level apart, the user's own one counts if it is the only one for data
    and is empty, while the anonymous one is not.
    """
    all_pairs = [pair for container in containers for pair in _pairs(container)]
    split = _mounts_in_use(host, _declared_by_image(host, all_pairs))
    have_one = {pair.container.id for pair in all_pairs}
    others = [container for container in containers.running if container.id not in have_one]
    pairs_apart = [pair for _, pair in paired(others, _pair_apart)]
    split += _with_idle_mount(host, _declared_by_image(host, pairs_apart))
    unused_volumes = [volume for volume in unused or () if volume.is_anonymous]
    if split and unused_volumes:
        split = _with_older(host, split, unused_volumes)
    return SplitMounts(tuple(split))


def _declared_by_image(host: Host, pairs: Sequence[SplitMount]) -> list[SplitMount]:
    """The pairs whose anonymous volume the image declares."""
    images = dict.fromkeys(pair.container.image for pair in pairs if pair.container.image)
    details = host.answers_about(
        host.first(list(images), MOST, "images that declare volumes"), InspectImage
    )
    declared = {image: _declared_volumes(detail) for image, detail in details.items()}
    return [
        pair
        for pair in pairs
        if _without_last_slash(pair.anonymous.destination) in declared.get(pair.container.image, ())
    ]


def _declared_volumes(image: Detail) -> set[str]:
    """The paths that an image declares as volumes."""
    volumes = image.config.volumes if image.config is not None else None
    return {_without_last_slash(path) for path in volumes or ()}


def _without_last_slash(path: str) -> str:
    return path.rstrip("/")


def _names_in_folders(host: Host, folders: Iterable[str]) -> dict[str, set[str]]:
    """The entries of each of these host folders; a folder that cannot be listed is left out."""
    listings = host.answers_about(sorted(set(folders) - {""}), ListFolder)
    return {folder: set(listing.names) for folder, listing in listings.items()}


def _mounts_in_use(host: Host, pairs: Sequence[SplitMount]) -> list[SplitMount]:
    """The pairs without those whose anonymous volume has only the user's mount in it."""
    names = _names_in_folders(host, (pair.anonymous.source for pair in pairs))
    return [pair for pair in pairs if not _holds_only_the_mount(pair, names)]


def _holds_only_the_mount(pair: SplitMount, names: Mapping[str, set[str]]) -> bool:
    """Whether the user's own mount is in the anonymous volume, and nothing else."""
    folder, _, name = _without_last_slash(pair.own.destination).rpartition("/")
    is_below = folder == _without_last_slash(pair.anonymous.destination)
    return is_below and names.get(pair.anonymous.source) == {name}


def _with_older(
    host: Host, pairs: Sequence[SplitMount], unused_volumes: Sequence[Volume]
) -> list[SplitMount]:
    """The pairs, each with the unused volume of similar file names, where there is just one."""
    by_age = sorted(unused_volumes, key=lambda volume: volume.created_at or "", reverse=True)
    latest = by_age[:MOST_LEFT]
    own_folders = [pair.anonymous.source for pair in pairs]
    names = _names_in_folders(host, [*own_folders, *(volume.mountpoint for volume in latest)])
    mounts = []
    for pair in pairs:
        names_of_pair = names.get(pair.anonymous.source, set())
        similar_volumes = [
            volume.name
            for volume in latest
            if _is_like(names_of_pair, names.get(volume.mountpoint, set()))
        ]
        mounts.append(replace(pair, older=only(similar_volumes) or ""))
    return mounts


def _is_like(names_of_pair: set[str], other: set[str]) -> bool:
    """Whether a folder has entries of the other one: at least two, as PG_VERSION and base."""
    return len(names_of_pair) >= 2 and names_of_pair <= other


def _pairs(container: Container) -> list[SplitMount]:
    """Each anonymous volume of a container, with each mount of the user's own beside it."""
    mounts = container.mounts
    anonymous = [mount for mount in mounts if mount.is_anonymous]
    writable_mounts = [
        mount for mount in mounts if mount.rw and mount.source and not mount.is_anonymous
    ]
    return [
        SplitMount(container, mount, volume)
        for volume in anonymous
        for mount in writable_mounts
        if _is_one_level_apart(mount.destination, volume.destination)
    ]


def _pair_apart(container: Container) -> SplitMount | None:
    """The only mount for data and the only anonymous volume for it, at any two places."""
    data_mount = only([mount for mount in container.mounts if is_for_data(mount)])
    anonymous_mounts = [mount for mount in container.mounts if mount.is_anonymous]
    anonymous = only([mount for mount in anonymous_mounts if keeps_data(mount.destination)])
    if data_mount is None or anonymous is None:
        return None
    return SplitMount(container, data_mount, anonymous, is_apart=True)


def _with_idle_mount(host: Host, pairs: Sequence[SplitMount]) -> list[SplitMount]:
    """The pairs of which the user's own mount is empty, and the anonymous one is not."""
    folders = (mount.source for pair in pairs for mount in (pair.own, pair.anonymous))
    names = _names_in_folders(host, folders)
    return [
        pair
        for pair in pairs
        if names.get(pair.own.source) == set() and names.get(pair.anonymous.source)
    ]


def _is_one_level_apart(path: str, other: str) -> bool:
    path = path.rstrip("/")
    other = other.rstrip("/")
    if not path or not other:
        return False
    return posixpath.dirname(path) == other or posixpath.dirname(other) == path
