"""Mounts of running containers that their user cannot read or write, and unusable sockets.

Seen without waiting for a log.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.access.file_access import (
    ENTER,
    READ,
    WRITE,
    HostUser,
    host_user,
)
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

_DIGITS = 11
_READ_BY_ROOT = LazyPattern(r"^/(?:custom[-_]|defaults|docker-|etc/|root(?:/|$)|run/)")
"""Paths that a start script reads before it gives up the rights of root."""
MOST = 2000
"""Paths that are looked at in one question."""


class DeniedMount(msgspec.Struct, frozen=True):
    """A mount that the container's user cannot read or write, or cannot open (a socket)."""

    container: Container
    mount: Mount
    source: PathStatus
    user: HostUser
    taken_by: Container | None = None
    """Another container that mounts it too, or a folder above it, and works as its owner."""

    @property
    def is_unread(self) -> bool:
        """Whether the user cannot even read the file, or enter the folder."""
        return _is_closed(self.user, self.source)

    @property
    def is_socket(self) -> bool:
        return self.source.type == "socket"


class MountAccess(msgspec.Struct, frozen=True):
    """The denied mounts of running containers whose user is known by its number."""

    denied: tuple[DeniedMount, ...]

    def is_denied(self, container: Container, destination: str) -> bool:
        """Whether this container's user cannot use what is mounted there."""
        return any(
            access.container.id == container.id and access.mount.destination == destination
            for access in self.denied
        )


@evidence
def mount_access(
    host: Host,
    containers: Containers,
    info: Info | None,
    numbers: UserNumbers | None,
    processes: Processes | None = None,
) -> MountAccess | Unavailable:
    """The mounts and sockets that ordinary users of containers cannot read, write or open.

    One question about all of them. A program that begins as root and becomes the user of PUID
    counts where it may not even enter a folder: in many folders of media it only reads.
    """
    mounts = list(_used_mounts(containers, info, numbers))
    if processes is not None:
        mounts += _mounts_of_dropped_users(containers, info, processes)
    paths = sorted({used.mount.source for used in mounts})[:MOST]
    if not paths:
        return MountAccess(())
    statuses = host.require(StatPaths(paths))
    denied = [used for used in mounts if used.is_denied(statuses.get(used.mount.source))]
    writers = by_key((owner_number(container), container) for container in containers if denied)
    return MountAccess(tuple(_denied_mount(used, statuses, writers) for used in denied))


def owner_number(container: Container) -> int | None:
    """The number of the user who writes for a container, where its configuration has it; or None.

    Images that begin as root change the owner of their folders to PUID.
    """
    config = container.config
    user = config.user.partition(":")[0]
    if config.starts_as_root:
        user = config.value_of("PUID")
    return int(user) if user.isdigit() and len(user) < _DIGITS and int(user) else None


def _denied_mount(
    used: "_UsedMount",
    statuses: Mapping[str, PathStatus],
    writers: Mapping[int | None, Sequence[Container]],
) -> DeniedMount:
    """The mount, and the container that has probably taken it.

    writers: the containers by the number of the user as whom they write.
    """
    source = statuses[used.mount.source]
    taken_by = _taker(used, writers.get(source.uid, ()))
    return DeniedMount(used.container, used.mount, source, used.user, taken_by)


def _taker(used: "_UsedMount", owners: Iterable[Container]) -> Container | None:
    """The only other container that has probably taken the folder for itself.

    owners: those that write as the owner of the folder.
    """
    other_owners = [owner for owner in owners if owner.id != used.container.id]
    return only([owner for owner in other_owners if owner.may_write_on_host(used.mount.source)])


class _UsedMount(msgspec.Struct, frozen=True):
    """A mount of a container, and the ordinary user who works with it."""

    container: Container
    mount: Mount
    user: HostUser
    is_dropped: bool = False
    """Whether the container begins as root, and its program becomes that user."""

    def is_denied(self, status: PathStatus | None) -> bool:
        """Whether the mount is of no use to the user."""
        if not self.is_dropped:
            return _is_denied(self.user, self.mount, status)
        is_folder = status is not None and status.type == "folder"
        return is_folder and status is not None and _is_closed(self.user, status)


def _used_mounts(
    containers: Containers, info: Info | None, numbers: UserNumbers | None
) -> Iterator[_UsedMount]:
    """The mounts of running containers whose user is known."""
    for container in containers.running:
        user = _known_user(container, info, numbers)
        if user is not None:
            for mount in container.mounts:
                if mount.has_host_path:
                    yield _UsedMount(container, mount, user)


def _mounts_of_dropped_users(
    containers: Containers, info: Info | None, processes: Processes
) -> Iterator[_UsedMount]:
    """The mounts of programs that run as the user of PUID, where its number is that of the host."""
    if info is not None and (info.has_userns_remap or info.is_rootless):
        return
    for container in containers.running:
        uid = owner_number(container) if container.config.starts_as_root else None
        users = {process.uid for process in processes.inside(container.id)}
        if uid is None or uid not in users:
            continue
        group = container.config.value_of("PGID")
        gid = int(group) if group.isdigit() and len(group) < _DIGITS else uid
        user = HostUser(
            f"{uid} (PUID)",
            owner=f"{uid}:{gid}",
            uid=uid,
            gids=frozenset({gid}),
            maybe_in="its start script may put it into groups",
        )
        for mount in container.mounts:
            if mount.has_host_path and not _READ_BY_ROOT.search(mount.destination):
                yield _UsedMount(container, mount, user, is_dropped=True)


def _known_user(
    container: Container, info: Info | None, numbers: UserNumbers | None
) -> HostUser | None:
    """The container's user, if it is an ordinary one whose number on the host is known."""
    user = host_user(container, info, numbers)
    return None if user is None or user.unknown else user


def _is_denied(user: HostUser, mount: Mount, status: PathStatus | None) -> bool:
    """Whether the mount is of no use to the user: to connect, to read, or to write there."""
    if status is None or status.failed:
        return False
    if status.type == "socket":
        return user.may(status, WRITE) is False
    if status.type == "folder" and mount.rw:
        return user.may(status, WRITE | ENTER) is False
    return _is_closed(user, status)


def _is_closed(user: HostUser, source: PathStatus) -> bool:
    """Whether the user can neither read the file nor open the entries of the folder.

    A folder that can be entered may serve those who know the names in it.
    """
    needed = {"file": READ, "folder": ENTER}.get(source.type, 0)
    return bool(needed) and user.may(source, needed) is False
