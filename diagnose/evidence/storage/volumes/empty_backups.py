"""Backups of volumes that are empty, beside a volume of the same name that has the data.

Compose puts the name of its project before that of a volume: a backup container in a project of its
own gets a new volume, which looks like the one that is meant.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

MOST = 40
"""Volumes of backup programs that are looked into."""
_LEAST_WORD = 4
"""Letters of a folder's name that say something."""
_OF_MANY = vocabulary(
    "app backup cache cert certs conf config data database db files html log logs media mysql"
    " postgres redis static storage uploads www"
)
"""Names of folders that many projects have."""
_BACKUP = LazyPattern(
    r"""
    (?:^|[-_./:])(?:auto)?(?:
          back-?ups? | borg\w{0,12} | duplicati | duplicacy | kopia | restic\w{0,12}
        | docker-volume-backup | volumerize | dockup | rdiff-backup | urbackup
      )(?:$|[-_./:\d])
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A name of a container or an image that creates backups: restic, docker-volume-backup."""
_TARGET = LazyPattern(
    r"(?i)(?:^|/)(?:archives?|cache|config|logs?|repo(?:sitory)?|restore|target|dest\w{0,8})(?:/|$)"
    r"|^/backups?/?$"
)
"""Folders to which backup programs write, and from which they do not read."""


class EmptyBackup(msgspec.Struct, frozen=True):
    """An empty volume of a backup program, and the one of the same name that others use."""

    container: Container
    mount: Mount
    meant: str
    """The volume with data; "" where it is a folder of the host."""
    user: Container
    """The container that mounts that one."""
    source: str
    """Its folder on the host."""


class EmptyBackups(Items[EmptyBackup], frozen=True):
    """The empty backups, in the order of the containers."""


class _MountedVolume(msgspec.Struct, frozen=True):
    """A volume, and its mount in a container."""

    container: Container
    mount: Mount

    @property
    def plain_name(self) -> str:
        """The name of the volume without that of the project before it."""
        project = self.container.compose_project
        return self.mount.name.removeprefix(f"{project}_") if project else self.mount.name

    @property
    def is_read(self) -> bool:
        """Whether a program only reads from it, which is its purpose."""
        return not self.mount.rw or (
            self.is_of_backup and not _TARGET.search(self.mount.destination)
        )

    @property
    def is_of_backup(self) -> bool:
        """Whether a backup program mounts it."""
        container = self.container
        names = (container.config.image, container.compose_service, container.name)
        return any(_BACKUP.search(name) for name in names)


@evidence
def empty_backups(host: Host, containers: Containers) -> EmptyBackups:
    """The empty volumes of backup programs beside a full one of nearly the same name.

    Only volumes of backup programs, and those that are mounted read-only, are looked into. They
    count if another container mounts a volume with the same name behind its project, and no
    container writes into the empty one: a new program has stored nothing yet.
    """
    mounted = list(_mounted_volumes(containers))
    by_name = by_key((volume.plain_name, volume) for volume in mounted)
    filled = {volume.mount.name for volume in mounted if not volume.is_read}
    only_read = [volume for volume in mounted if volume.is_read]
    candidates = [volume for volume in only_read if volume.mount.name not in filled]
    backups: list[EmptyBackup] = []
    for volume in host.first(candidates, MOST, "volumes that are only read"):
        namesakes = {other.mount.name: other for other in _namesakes(volume, by_name)}
        intended = tuple(namesakes.values()) or tuple(_namesake_folders(volume, containers))
        if intended and _is_empty(host, volume.mount.source) is True:
            backups += _filled_elsewhere(host, volume, intended)
    return EmptyBackups(tuple(backups))


def _mounted_volumes(containers: Containers) -> Iterator[_MountedVolume]:
    """The named volumes with a folder on the host, once for each container that mounts one."""
    for container in containers:
        for mount in container.mounts:
            if mount.volumes and not mount.is_anonymous and mount.has_host_path:
                yield _MountedVolume(container, mount)


def _namesakes(
    volume: _MountedVolume, by_name: Mapping[str, list[_MountedVolume]]
) -> Iterator[_MountedVolume]:
    """The other volumes of the same name that a container may write.

    Its file may have the name with or without the project.
    """
    plain_name = volume.plain_name
    for name, users in by_name.items():
        for user in users:
            is_same = (
                name == plain_name
                or plain_name.endswith(f"_{name}")
                or plain_name == user.mount.name
            )
            is_another_volume = user.mount.name != volume.mount.name
            is_another = is_another_volume and user.container.id != volume.container.id
            if is_same and is_another and user.mount.rw:
                yield user


def _namesake_folders(volume: _MountedVolume, containers: Containers) -> Iterator[_MountedVolume]:
    """The folders of the host with this name that other containers write.

    Compose makes a volume of a source without a slash: `pgdata:/backup` beside
    `./pgdata/main:/var/lib/postgresql/data`. Only a program that creates backups needs data at all
    times: a web server may wait for its first certificate. A folder of another project counts by a
    name that is its own.
    """
    plain_name = volume.plain_name
    if not volume.is_of_backup:
        return
    for container in containers.running:
        is_near = container.shares_project(volume.container)
        for mount in container.bind_mounts if container.id != volume.container.id else ():
            parts = mount.source.strip("/").split("/")
            is_named = plain_name in parts[-3:] and (is_near or plain_name.lower() not in _OF_MANY)
            is_named = is_named or (is_near and _ends_in(plain_name, parts[-1]))
            if is_named and mount.rw and mount.has_host_path:
                yield _MountedVolume(container, mount)


def _ends_in(volume: str, folder: str) -> bool:
    """Whether the last word of a volume's name is that of a folder: shop_data, ./data."""
    return len(folder) >= _LEAST_WORD and re.split(r"[-_.]", volume)[-1] == folder


def _is_empty(host: Host, folder: str) -> bool | None:
    """Whether a folder holds nothing; None where it cannot be listed."""
    listing = host.ask(ListFolder(folder))
    return None if isinstance(listing, Failed) else not listing.entries


def _filled_elsewhere(
    host: Host, volume: _MountedVolume, namesakes: Sequence[_MountedVolume]
) -> Iterator[EmptyBackup]:
    """The empty backup, with the only namesake of its volume that holds something.

    Nothing where several namesakes hold something: which of them was meant is not known.
    """
    full = only([other for other in namesakes if _is_empty(host, other.mount.source) is False])
    if full is not None:
        full_mount = full.mount
        name = full_mount.name if full_mount.volumes else ""
        yield EmptyBackup(volume.container, volume.mount, name, full.container, full_mount.source)
