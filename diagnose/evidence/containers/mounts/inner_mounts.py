"""File systems that programs have mounted inside their containers, over a folder of the host."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, mount_table_of, parse
from diagnose.file_paths import is_within
from diagnose.filesystem_types import is_remote
from diagnose.model import Failed, NoEvidenceError, Unavailable
from diagnose.questions import Host
from diagnose.registry import evidence

OF_PROGRAMS = frozenset({"fuse.fuse-overlayfs", "fuse.lxcfs", "fuse.gvfsd-fuse", "fuse.portal"})
"""Mounts that an engine inside a container creates for its own containers, and a desktop for
itself."""
SHARED = frozenset({"shared", "rshared"})
"""Propagation of bind mounts with which the host sees mounts of a container below them."""


class InnerMount(msgspec.Struct, frozen=True):
    """A remote file system that only the container sees that has mounted it."""

    container: Container
    mount: Mount
    """The folder of the host, at or below which it is mounted."""
    mounted: Mounted
    """The mount in the container's own mount table."""
    readers: tuple[tuple[Container, Mount], ...]
    """Other running containers to which the same place of the host is mounted, without it."""

    @property
    def place(self) -> str:
        """The path of the inner mount on the host."""
        return self.mount.on_host(self.mounted.point)


class InnerMounts(Items[InnerMount], frozen=True):
    """The first one of each container, as its mount table tells."""


@evidence
def inner_mounts(host: Host, containers: Containers, mounts: Mounts) -> InnerMounts:
    """The mounts inside containers that their readers on the host or in other containers miss.

    A mount table that cannot be read counts as one without mounts, unless time was short. A device
    that the host has mounted too came from there. The tables of possible readers are read only
    where there is something that they could miss.
    """
    bound = [container for container in containers.running if container.bind_mounts]
    devices = {mounted.dev for mounted in mounts}
    tables = _tables(host, [container for container in bound if container.host_config.may_mount])
    unshared = [
        (container, first)
        for container in bound
        if (first := next(_unshared_mounts(container, tables.get(container.id, ()), devices), None))
    ]
    if not unshared:
        return InnerMounts()
    tables |= _tables(host, [container for container in bound if container.id not in tables])
    return InnerMounts(
        tuple(
            InnerMount(
                container,
                mount,
                mounted,
                tuple(
                    _readers(mount.on_host(mounted.point), mounted.dev, container, bound, tables)
                ),
            )
            for container, (mount, mounted) in unshared
        )
    )


def _tables(host: Host, containers: Sequence[Container]) -> dict[str, list[Mounted]]:
    """The containers' mount tables by id, as far as they can be read."""
    tables = {}
    for container, table in host.ask_about(containers, mount_table_of):
        if not isinstance(table, Failed):
            tables[container.id] = list(parse(table.text))
        elif table.reason in ("timed out", "budget"):
            raise NoEvidenceError(Unavailable.of(table))
    return tables


def _unshared_mounts(
    container: Container, table: list[Mounted] | tuple[()], devices: set[str]
) -> Iterator[tuple[Mount, Mounted]]:
    """The file systems that a program has mounted below a bind mount that shares nothing."""
    points = Counter(mounted.point for mounted in table)
    for mounted in table:
        if not is_remote(mounted.fstype) or mounted.fstype in OF_PROGRAMS or mounted.dev in devices:
            continue
        # a single mount at a bind mount's destination is that mount: the host has mounted it again
        is_alone = points[mounted.point] == 1
        mounts_around = [
            mount
            for mount in container.bind_mounts
            if is_within(mounted.point, mount.destination) and mount.propagation not in SHARED
            if not (is_alone and mounted.point == mount.destination)
        ]
        if mounts_around:
            yield max(mounts_around, key=lambda mount: len(mount.destination)), mounted


def _readers(
    place: str,
    dev: str,
    writer: Container,
    containers: Sequence[Container],
    tables: Mapping[str, list[Mounted]],
) -> Iterator[tuple[Container, Mount]]:
    """Other containers that were given this place of the host, and do not see this device.

    One that has the whole host, such as a monitor, was not given it for its files.
    """
    for container in containers:
        devices = {mounted.dev for mounted in tables.get(container.id, ())}
        if container.id == writer.id or not devices or dev in devices:
            continue
        for mount in container.bind_mounts:
            if mount.source == "/":
                continue
            if is_within(place, mount.source) or is_within(mount.source, place):
                yield container, mount
                break
