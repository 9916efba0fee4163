"""Programs in containers whose inotify watches a folder of a network share.

The kernel of this machine knows only changes through itself: changes by others on the server of a
share are not reported here (inotify(7)).
"""

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.filesystem_types import is_shared_by_network
from diagnose.model import Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.processes import FindWatches
from diagnose.registry import evidence

MOST = 400
"""Processes that are looked into."""


class ShareWatch(msgspec.Struct, frozen=True):
    """A program that waits for changes in a folder of a share."""

    container: Container
    mount: Mount
    """The container's mount of the share."""
    mounted: Mounted
    """The share, as the host has mounted it."""
    program: str


class ShareWatches(Items[ShareWatch], frozen=True):
    """The file watches on network shares, one for each container and share."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def share_watches(
    host: Host, containers: Containers, mounts: Mounts, processes: Processes
) -> ShareWatches | Unavailable:
    """The programs that watch files on network shares, where no change is reported.

    The collector asks nothing on a host whose containers have no share.
    """
    shares = {
        container.id: (container, shared)
        for container in containers.running
        if (shared := _mounts_on_shares(container, mounts))
    }
    owners = {process.pid: id for id in shares for process in processes.inside(id)}
    if not owners:
        return ShareWatches()
    answer = host.require(
        FindWatches(pids=list(host.first(sorted(owners), MOST, "processes with a share")))
    )
    watches: dict[tuple[str, str], ShareWatch] = {}
    for process in answer.processes:
        container, shared = shares[owners[process.pid]]
        for mount, mounted in shared:
            if mounted.dev in process.devices:
                watch = ShareWatch(container, mount, mounted, process.comm)
                watches.setdefault((container.name, mount.destination), watch)
    unseen = sorted({owners[pid] for pid in answer.unseen})
    return ShareWatches(
        tuple(watches[key] for key in sorted(watches)),
        tuple(
            Unexamined(shares[id][0].subject, "only root may see what its processes watch")
            for id in unseen
        ),
    )


def _mounts_on_shares(container: Container, mounts: Mounts) -> list[tuple[Mount, Mounted]]:
    """The mounts of a container that lie on a share."""
    mounts_on_shares = [
        (mount, mounts.of(mount.source))
        for mount in container.mounts
        if mount.source.startswith("/")
    ]
    return [
        (mount, mounted)
        for mount, mounted in mounts_on_shares
        if mounted is not None and is_shared_by_network(mounted.fstype)
    ]
