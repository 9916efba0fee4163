"""Disks that are mounted over a part of the data root, and hide the engine's records there."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root_candidates import planned_mounts
from diagnose.evidence.engine.hidden_containers import ID_LENGTH, layer_records
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, is_within
from diagnose.model import Unavailable
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


class CoveredRecords(Items[CoveredRecord], frozen=True):
    """Empty where nothing is mounted there."""


@evidence
def covered_records(
    host: Host, info: Info, containers: Containers, mounts: Mounts
) -> CoveredRecords | Unavailable:
    """An engine that starts on such a mount finds no container, and says nothing (seen on 28.5).

    A container has a folder below `containers`, and a record of its layer below `image`. Where a
    mount hides one of the two, the other names the containers that are missing. A containerd
    store has no records of layers there. An engine that lists containers works with what is
    mounted, and what fstab or a mount unit names is meant: `containers` may be a disk of its own.
    """
    root = info.docker_root_dir
    if not root or info.uses_containerd_store or len(containers) or containers.unexamined:
        return CoveredRecords()
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
