"""Entries that one container put into a shared folder and that another one cannot read."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.access.file_access import ENTER, READ, HostUser, host_user
from diagnose.evidence.containers.mounts.access.mount_access import owner_number
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.mappings import only
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import PathStatus
from diagnose.registry import evidence

MOST = 20
"""Shared folders that are listed."""
MOST_ENTRIES = 60


class ClosedEntry(msgspec.Struct, frozen=True):
    """An entry of a shared folder that a container's user cannot read."""

    container: Container
    mount: Mount
    user: HostUser
    writer: Container
    name: str
    status: PathStatus
    others: int = 0
    """How many entries more are closed in the same way."""

    @property
    def path_inside(self) -> str:
        """The path of the entry inside the container."""
        return f"{self.mount.destination.rstrip('/')}/{self.name}"


class ClosedEntries(Items[ClosedEntry], frozen=True):
    """The closed entries, at most one for each mount."""


class _SharedFolder(msgspec.Struct, frozen=True):
    reader: Container
    mount: Mount
    user: HostUser
    writers: tuple[Container, ...]


@evidence
def closed_entries(
    host: Host, containers: Containers, info: Info | None, numbers: UserNumbers | None
) -> ClosedEntries:
    """The entries in shared folders that one container wrote and another one cannot read.

    Each folder that two running containers mount as different users takes two questions.
    """
    sharing = list(_sharing_pairs(containers, info, numbers))
    entries: list[ClosedEntry] = []
    for pair in host.first(sharing, MOST, "folders that containers share"):
        entries += _closed_entry(host, pair)
    return ClosedEntries(tuple(entries))


def _sharing_pairs(
    containers: Containers, info: Info | None, numbers: UserNumbers | None
) -> Iterator[_SharedFolder]:
    """The folders that a container reads, and that others write to as other users."""
    for reader in containers.running:
        user = _reading_user(reader, info, numbers)
        if user is None:
            continue
        for mount in reader.bind_mounts:
            sharers = [other for other in containers.running if _writes_to(other, mount.source)]
            writers = [other for other in sharers if owner_number(other) not in (None, user.uid)]
            if writers:
                yield _SharedFolder(reader, mount, user, tuple(writers))


def _writes_to(container: Container, source: str) -> bool:
    return any(mount.rw and mount.source == source for mount in container.bind_mounts)


def _reading_user(
    container: Container, info: Info | None, numbers: UserNumbers | None
) -> HostUser | None:
    """The ordinary user of a container's work, also where its image takes it from PUID."""
    uid, gid = (container.config.value_of(name) for name in ("PUID", "PGID"))
    if uid.isdigit() and int(uid) and container.config.starts_as_root:
        group = int(gid) if gid.isdigit() else int(uid)
        return HostUser(uid, f"{uid}:{group}", int(uid), frozenset({group}))
    user = host_user(container, info, numbers)
    return None if user is None or user.unknown or not user.uid else user


def _closed_entry(host: Host, pair: _SharedFolder) -> Iterator[ClosedEntry]:
    """The first entry of a shared folder that one container wrote and the other may not read."""
    source = pair.mount.source
    listing = folder_listing(host, source)
    paths = [f"{source}/{entry.name}" for entry in listing.entries if entry.name != "lost+found"]
    statuses = path_statuses(host, paths[:MOST_ENTRIES], follow=False)
    closed = [
        (path, status)
        for path, status in statuses.items()
        if not status.failed and _is_closed(pair.user, status)
    ]
    for path, status in closed[:1]:
        writer = _writer(pair.writers, status)
        if writer is not None:
            name = path.rpartition("/")[2]
            of_same_owner = [other for _, other in closed if other.uid == status.uid]
            yield ClosedEntry(
                pair.reader,
                pair.mount,
                pair.user,
                writer,
                name,
                status=status,
                others=len(of_same_owner) - 1,
            )


def _is_closed(user: HostUser, status: PathStatus) -> bool:
    needed = {"file": READ, "folder": READ | ENTER}.get(status.type, 0)
    return bool(needed) and user.may(status, needed) is False


def _writer(writers: Sequence[Container], status: PathStatus) -> Container | None:
    return only([writer for writer in writers if owner_number(writer) == status.uid])
