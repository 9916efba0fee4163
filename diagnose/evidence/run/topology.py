"""Dependencies: containers on networks, images and filesystems; networks on bridges."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.mounts import Mounts
from diagnose.model import DAEMON, Subject
from diagnose.registry import evidence


class Topology(msgspec.Struct, frozen=True):
    """The subjects on which each subject directly depends."""

    stands_on: dict[Subject, frozenset[Subject]]


@evidence
def topology(
    containers: Containers | None,
    networks: Networks | None,
    root: DataRoot,
    mounts: Mounts | None,
    filesystems: Filesystems | None,
    backing: Backing | None,
) -> Topology:
    """The known dependencies; an unknown one links nothing."""
    common = _filesystems_of_all(root, mounts, filesystems)
    stands_on = {
        container.subject: common | _own_things(container) for container in containers or ()
    }
    stands_on[DAEMON] = common
    for backed in backing or ():
        stands_on[backed.container.subject] |= {Subject("filesystem", backed.mounted.point)}
    bridges = networks.bridges if networks is not None else ()
    for network in bridges:
        stands_on[network.subject] = {Subject("interface", network.bridge)}
    return Topology({subject: frozenset(below) for subject, below in stands_on.items()})


def _filesystems_of_all(
    root: DataRoot, mounts: Mounts | None, filesystems: Filesystems | None
) -> set[Subject]:
    """The file systems that every container needs."""
    common = {disk.subject for disk in filesystems or () if disk.carries_all}
    point = mounts.point_of(root.path) if mounts is not None else None
    return common or ({Subject("filesystem", point)} if point else set())


def _own_things(container: Container) -> set[Subject]:
    """The networks, the image and the volumes of a container."""
    things = {Subject("network", name) for name in container.endpoints}
    if container.config.image:
        things.add(Subject("image", container.config.image))
    volumes = (mount.name for mount in container.mounts if mount.type == "volume")
    return things | {Subject("volume", name) for name in volumes if name}
