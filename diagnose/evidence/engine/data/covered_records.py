"""Disks that are mounted over a part of the data root, and hide the engine's records there."""

from collections.abc import Collection, Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data.data_root_candidates import planned_mounts
from diagnose.evidence.engine.data.hidden_containers import ID_LENGTH, layer_records
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.file_paths import is_within
from diagnose.mappings import distinct
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence


class CoveredRecord(msgspec.Struct, frozen=True):
    """A mount that hides one half of the engine's records of its containers."""

    mount: Mounted
    left: str
    """The folder with the other half."""
    ids: tuple[str, ...]
    """Containers that have a record there alone."""
    is_later: bool = False
    """Whether the engine has started before, and the mount hides its present data: `ids` are the
    containers whose folders or volumes are hidden then."""


class CoveredRecords(Items[CoveredRecord], frozen=True):
    """The covered records; empty where nothing is mounted there."""


@evidence
def covered_records(
    host: Host, info: Info, containers: Containers, mounts: Mounts
) -> CoveredRecords | Unavailable:
    """The mounts that hide records of containers from the engine.

    An engine that starts on such a mount finds no container, without any error (seen on 28.5). A
    container has a folder below `containers`, and a record of its layer below `image`. Where a
    mount hides one of the two, the other names the containers that are missing. A containerd store
    has no records of layers there. A mount in fstab or a mount unit is intended: `containers` may
    be a disk of its own. An engine that lists containers has started without the mount where the
    folder lacks every one of them.
    """
    root = info.docker_root_dir
    if not root or info.uses_containerd_store or containers.unexamined:
        return CoveredRecords()
    if len(containers):
        return CoveredRecords(tuple(_emptied_parts(host, info, containers, mounts)))
    configs = f"{root}/containers"
    layers = layer_records(info)
    records = []
    planned = {mount.point for mount in planned_mounts(host)}
    for hidden, remaining in ((layers, configs), (configs, layers)):
        mount = _mount_inside(root, hidden, mounts)
        if mount is None or mount.point in planned:
            continue
        names = host.require(ListFolder(remaining)).names
        ids = tuple(sorted(name for name in names if len(name) == ID_LENGTH))
        if ids:
            records.append(CoveredRecord(mount, remaining, ids))
    return CoveredRecords(tuple(records))


def _mount_inside(root: str, folder: str, mounts: Mounts) -> Mounted | None:
    """The mount that a folder of the data root is on, where that is not the data root's own."""
    mount = mounts.of(folder)
    if mount is None or mount.point == root or not is_within(mount.point, root):
        return None
    return mount


def _emptied_parts(
    host: Host, info: Info, containers: Containers, mounts: Mounts
) -> Iterator[CoveredRecord]:
    """The mounts that hide all of the engine's records in that part of the data root."""
    for folder, owners in _owners_by_part(info, containers).items():
        mount = _mount_inside(info.docker_root_dir, folder, mounts)
        if owners and mount is not None and _has_none_of(host, folder, owners):
            yield CoveredRecord(mount, "", distinct(owners.values()), is_later=True)


def _owners_by_part(info: Info, containers: Containers) -> dict[str, dict[str, str]]:
    """The entries of each part of the data root, each with its container's id."""
    root = info.docker_root_dir
    ids = {container.id: container.id for container in containers}
    volumes = {
        mount.name: container.id
        for container in containers
        for mount in container.mounts
        if mount.name and is_within(mount.source, f"{root}/volumes")
    }
    return {f"{root}/containers": ids, layer_records(info): ids, f"{root}/volumes": volumes}


def _has_none_of(host: Host, folder: str, names: Collection[str]) -> bool:
    """Whether a folder is known to lack every one of these names."""
    listing = host.ask(ListFolder(folder))
    if isinstance(listing, Failed):
        return listing.reason == "missing"
    return not listing.truncated and not set(names) & set(listing.names)
