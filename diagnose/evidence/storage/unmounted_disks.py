"""Disks that are to be mounted at boot, are not, and whose folder a container mounts."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.data_root_candidates import PlannedMount, planned_mounts
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounts
from diagnose.file_paths import is_within
from diagnose.model import Failed, Subject, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence


class UnmountedDisk(msgspec.Struct, frozen=True):
    """A planned mount that is not there, and the containers that mount something below it."""

    planned: PlannedMount
    users: tuple[Container, ...]
    entries: int | None = None
    """The number of entries in the folder under the mount point; None if there is no such folder,
    or it could not be listed."""

    @property
    def subject(self) -> Subject:
        return Subject("filesystem", self.planned.point)


class UnmountedDisks(Items[UnmountedDisk], frozen=True):
    """The unmounted disks that a container needs."""


@evidence
def unmounted_disks(
    host: Host, containers: Containers, mounts: Mounts, daemon: Daemon, root: DataRoot
) -> UnmountedDisks | Unavailable:
    """The planned mounts that are missing, by their names: no dead file system is asked.

    An automount point counts as mounted: its disk comes with the first access. The disk of the data
    root is the subject of `daemon.wrong-data-root`.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    if not any(container.mounts for container in containers):
        return UnmountedDisks(())
    mount_points = {mounted.point for mounted in mounts}
    needed: dict[str, tuple[PlannedMount, tuple[Container, ...]]] = {}
    for planned in planned_mounts(host):
        point = planned.point
        is_of_engine = is_within(root.path, point) or is_within(point, root.path)
        if point in mount_points or is_of_engine:
            continue
        users = tuple(container for container in containers if _mounts_within(container, point))
        if users:
            needed[point] = planned, users
    counts = {
        point: None if isinstance(listing, Failed) else len(listing.entries)
        for point, listing in host.ask_about(needed, ListFolder)
    }
    return UnmountedDisks(
        tuple(
            UnmountedDisk(planned, users, counts.get(point))
            for point, (planned, users) in sorted(needed.items())
        )
    )


def _mounts_within(container: Container, point: str) -> bool:
    host_mounts = (mount for mount in container.mounts if mount.has_host_path)
    return any(is_within(mount.source, point) for mount in host_mounts)
