"""What stands on what: containers on networks, images and filesystems; networks on bridges."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.mounts import Mounts
from diagnose.model import Subject, Unavailable
from diagnose.registry import evidence


class Topology(msgspec.Struct, frozen=True):
    """Each subject with the subjects that it directly stands on."""

    stands_on: dict[Subject, frozenset[Subject]]


@evidence
def topology(
    containers: Containers | Unavailable,
    networks: Networks | Unavailable,
    root: DataRoot,
    mounts: Mounts | Unavailable,
    filesystems: Filesystems | Unavailable,
    backing: Backing | Unavailable,
) -> Topology:
    """As much of it as is known; what is not known links nothing."""
    found: dict[Subject, set[Subject]] = {}

    common = (
        {disk.subject for disk in filesystems if disk.carries_all} if isinstance(filesystems, Filesystems) else set()
    )
    point = mounts.point_of(root.path) if isinstance(mounts, Mounts) else None
    if not common and point:
        common = {Subject("filesystem", point)}
    for each in containers if isinstance(containers, Containers) else ():
        below = common | {Subject("network", name) for name in each.endpoints}
        below |= {Subject("image", each.config.image)} if each.config.image else set()
        for mount in each.mounts or ():
            if mount.type == "volume" and mount.name:
                below.add(Subject("volume", mount.name))
        found[each.subject] = below
    for behind in backing if isinstance(backing, Backing) else ():
        found[behind.container.subject].add(Subject("filesystem", behind.mounted.point))
    for network in networks if isinstance(networks, Networks) else ():
        if network.is_bridge:
            found[network.subject] = {Subject("interface", network.bridge)}
    return Topology({subject: frozenset(below) for subject, below in found.items()})
