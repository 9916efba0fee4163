"""What stands on what: containers on networks, images and filesystems; networks on bridges."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers import Containers
from diagnose.evidence.data_root import DataRoot
from diagnose.evidence.mounts import Mounts
from diagnose.evidence.networks import Networks
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
) -> Topology:
    """As much of it as is known; what is not known links nothing."""
    found: dict[Subject, set[Subject]] = {}

    def filesystem(path: str) -> set[Subject]:
        point = mounts.point_of(path) if isinstance(mounts, Mounts) and path else None
        return {Subject("filesystem", point)} if point else set()

    for each in containers if isinstance(containers, Containers) else ():
        below = {Subject("network", name) for name in each.endpoints}
        below |= {Subject("image", each.config.image)} if each.config.image else set()
        below |= filesystem(root.path)
        for mount in each.mounts or ():
            below |= filesystem(mount.source)
            if mount.type == "volume" and mount.name:
                below.add(Subject("volume", mount.name))
        found[each.subject] = below
    for network in networks if isinstance(networks, Networks) else ():
        if network.is_bridge:
            found[network.subject] = {Subject("interface", network.bridge)}
    return Topology({subject: frozenset(below) for subject, below in found.items()})
