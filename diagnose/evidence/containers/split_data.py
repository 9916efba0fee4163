"""Mounts of the user's own that an image's declared volume splits: one level above or below it."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

_ANONYMOUS = LazyPattern(r"[0-9a-f]{64}")
MOST = 50
"""Images that are asked about; only containers with such a pair of mounts lead to one."""


class SplitMount(msgspec.Struct, frozen=True):
    """A mount of the user's own, with the anonymous volume of the image one level apart."""

    container: Container
    own: Mount
    anonymous: Mount


class SplitMounts(msgspec.Struct, frozen=True):
    """In the order of the containers."""

    items: tuple[SplitMount, ...]


@evidence
def split_mounts(host: Host, containers: Containers) -> SplitMounts:
    """Anonymous volumes of images beside mounts of the user.

    A volume that the user asked for (`-v /app/node_modules`) stands in the configuration like
    the image's. Only the image tells them apart, so it is asked where a container has such a
    pair.
    """
    pairs = [pair for container in containers for pair in _pairs(container)]
    images = dict.fromkeys(pair.container.image for pair in pairs if pair.container.image)
    declared: dict[str, set[str]] = {}
    for image, answer in host.ask_about(list(images)[:MOST], InspectImage):
        if not isinstance(answer, Failed):
            declared[image] = {
                path.rstrip("/") for path in (answer.config and answer.config.volumes) or ()
            }
    return SplitMounts(
        tuple(
            pair
            for pair in pairs
            if pair.anonymous.destination.rstrip("/") in declared.get(pair.container.image, set())
        )
    )


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
