"""Disks that are mounted over a part of the data root, and hide the engine's records there."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root_candidates import planned_mounts
from diagnose.evidence.engine.hidden_containers import ID_LENGTH, layer_records
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, is_within
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence


class CoveredRecord(msgspec.Struct, frozen=True):
    """A mount that hides one half of what the engine knows of its containers."""

    mount: Mounted
    left: str
    """The folder with the other half."""
    ids: tuple[str, ...]
    """Containers that have a record there alone."""
    is_later: bool = False
    """Whether the engine has started before, and the mount hides what it works with: `ids` are the
    containers whose folders or volumes are hidden then."""


class CoveredRecords(Items[CoveredRecord], frozen=True):
    """Empty where nothing is mounted there."""


@evidence
def covered_records(
    host: Host, info: Info, containers: Containers, mounts: Mounts
) -> CoveredRecords | Unavailable:
    """An engine that starts on such a mount finds no container, and says nothing (seen on 28.5).

    A container has a folder below `containers`, and a record of its layer below `image`. Where a
    mount hides one of the two, the other names the containers that are missing. A containerd
    store has no records of layers there. What fstab or a mount unit names is meant: `containers`
    may be a disk of its own. An engine that lists containers has started without the mount where
    the folder lacks every one of them.
    """
    root = info.docker_root_dir
    if not root or info.uses_containerd_store or containers.unexamined:
        return CoveredRecords()
    if len(containers):
        return CoveredRecords(tuple(_later(host, info, containers, mounts)))
    configs, layers = f"{root}/containers", layer_records(info)
    found = []
    planned = {item.point for item in planned_mounts(host)}
    for hidden, left in ((layers, configs), (configs, layers)):
        mount = mounts.of(hidden)
        if mount is None or mount.point == root or not is_within(mount.point, root):
            continue
        if mount.point in planned:
            continue
        names = host.require(ListFolder(left)).names
        ids = tuple(sorted(name for name in names if len(name) == ID_LENGTH))
        if ids:
            found.append(CoveredRecord(mount, left, ids))
    return CoveredRecords(tuple(found))


def _later(
    host: Host, info: Info, containers: Containers, mounts: Mounts
) -> Iterator[CoveredRecord]:
    """Mounts below which nothing is left of what the engine has in that part of the data root."""
    root = info.docker_root_dir
    ids = {container.id: container.id for container in containers}
    volumes = {
        mount.name: container.id
        for container in containers
        for mount in container.mounts
        if mount.name and is_within(mount.source, f"{root}/volumes")
    }
    parts = {f"{root}/containers": ids, layer_records(info): ids, f"{root}/volumes": volumes}
    for folder, owners in parts.items():
        mount = mounts.of(folder)
        if not owners or mount is None or mount.point == root or not is_within(mount.point, root):
            continue
        listing = host.ask(ListFolder(folder))
        names: Collection[str] = () if isinstance(listing, Failed) else listing.names
        if isinstance(listing, Failed):
            is_known = listing.reason == "missing"
        else:
            is_known = not listing.truncated
        if is_known and not owners.keys() & set(names):
            yield CoveredRecord(mount, "", tuple(dict.fromkeys(owners.values())), is_later=True)
