"""Backups of volumes that are empty, beside a volume of the same name that has the data.

Compose puts the name of its project before that of a volume: a backup container in a project of its
own gets a new volume, which looks like the one that is meant.
"""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 40
"""Volumes of backup programs that are looked into."""
_BACKUP = LazyPattern(
    r"(?i)(?:^|[-_./:])(?:auto)?(?:back-?ups?|borg\w{0,12}|duplicati|duplicacy|kopia|restic\w{0,12}"
    r"|docker-volume-backup|volumerize|dockup|rdiff-backup|urbackup)(?:$|[-_./:\d])"
)
_TARGET = LazyPattern(
    r"(?i)(?:^|/)(?:archives?|cache|config|logs?|repo(?:sitory)?|restore|target|dest\w{0,8})(?:/|$)"
    r"|^/backups?/?$"
)
"""Where backup programs write, and not read."""


class EmptyBackup(msgspec.Struct, frozen=True):
    """An empty volume of a backup program, and the one of the same name that others use."""

    container: Container
    mount: Mount
    meant: str
    """The volume with data."""
    user: Container
    """Who mounts that one."""
    source: str
    """Its folder on the host."""


class EmptyBackups(Items[EmptyBackup], frozen=True):
    """In the order of the containers."""


@evidence
def empty_backups(host: Host, containers: Containers) -> EmptyBackups:
    """Only volumes of backup programs, and those that are mounted read-only, are looked into.

    They count if another container mounts a volume that is called the same behind its project, and
    none is there that writes into the empty one: a new program has stored nothing yet.
    """
    mounted = [
        (container, mount)
        for container in containers
        for mount in container.mounts
        if mount.volumes and not mount.is_anonymous and mount.has_host_path
    ]
    by_name = by_key(
        (_plain_name(container, mount), (container, mount)) for container, mount in mounted
    )
    filled = {mount.name for container, mount in mounted if not _is_read(container, mount)}
    wanted = [
        (container, mount)
        for container, mount in mounted
        if mount.name not in filled and _is_read(container, mount)
    ]
    found: list[EmptyBackup] = []
    for container, mount in host.first(wanted, MOST, "volumes that are only read"):
        others = dict(_namesakes(container, mount, by_name))
        if others and _is_empty(host, mount.source) is True:
            found += _with_data(host, container, mount, others)
    return EmptyBackups(tuple(found))


def _plain_name(container: Container, mount: Mount) -> str:
    """The name of a volume without that of the project before it."""
    project = container.compose_project
    return mount.name.removeprefix(f"{project}_") if project else mount.name


def _is_read(container: Container, mount: Mount) -> bool:
    """Whether a program reads from a volume alone: that is what it is there for."""
    names = (container.config.image, container.compose_service, container.name)
    is_backup = any(_BACKUP.search(name) for name in names)
    return not mount.rw or (is_backup and not _TARGET.search(mount.destination))


def _namesakes(
    container: Container, mount: Mount, by_name: Mapping[str, list[tuple[Container, Mount]]]
) -> Iterator[tuple[str, tuple[Container, Mount]]]:
    """The other volumes of the same name, by their whole names, with a container that has each.

    In its file somebody may have written the name with or without the project.
    """
    own = _plain_name(container, mount)
    for name, users in by_name.items():
        for user, other in users:
            is_same = name == own or own.endswith(f"_{name}") or own == other.name
            is_another = other.name != mount.name and user.id != container.id
            if is_same and is_another and other.rw:
                yield other.name, (user, other)


def _is_empty(host: Host, folder: str) -> bool | None:
    """Whether a folder holds nothing; None where it cannot be listed."""
    listing = host.ask(ListFolder(folder))
    return None if isinstance(listing, Failed) else not listing.entries


def _with_data(
    host: Host, container: Container, mount: Mount, others: Mapping[str, tuple[Container, Mount]]
) -> Iterator[EmptyBackup]:
    """The one namesake that holds something; nothing where several do."""
    full = [name for name, (_, other) in others.items() if _is_empty(host, other.source) is False]
    if len(full) == 1:
        user, other = others[full[0]]
        yield EmptyBackup(container, mount, full[0], user, other.source)
