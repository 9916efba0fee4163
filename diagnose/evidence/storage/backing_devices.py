"""The file systems of the host behind the mounts of containers."""

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, mount_table_of, parse
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.registry import evidence


class Behind(msgspec.Struct, frozen=True):
    """A mount of a container, and the mount of the host whose file system its files are on."""

    container: Container
    mount: Mount
    mounted: Mounted


class Backing(Items[Behind], frozen=True):
    """The mounts of all containers whose source on the host is known."""


@evidence
def backing(host: Host, containers: Containers, mounts: Mounts) -> Backing:
    """The mount table inside a running container names the device of each mount.

    A source may lead elsewhere by a symbolic link, which only that table shows. Where there is no
    table, the path of the source counts. No file system is asked, since it may be dead.
    """
    devices = _devices_inside(host, containers)
    behind = []
    for container in containers:
        device_by_point = devices.get(container.id, {})
        for mount in container.mounts:
            mounted = mounts.of(mount.source) if mount.has_host_path else None
            if mounted is None:
                continue
            device = device_by_point.get(mount.destination)
            if device and mounted.dev != device:
                mounted = mounts.showing(device) or mounted
            behind.append(Behind(container, mount, mounts.whole(mounted)))
    return Backing(tuple(behind))


def _devices_inside(host: Host, containers: Containers) -> dict[str, dict[str, str]]:
    """The device at each mount point, as running containers with bind mounts see it."""
    with_bind_mount = [container for container in containers.running if container.bind_mounts]
    tables = host.ask_about(with_bind_mount, mount_table_of)
    return {
        container.id: _device_by_point(table.text)
        for container, table in tables
        if not isinstance(table, Failed)
    }


def _device_by_point(mountinfo: str) -> dict[str, str]:
    return {mounted.point: mounted.dev for mounted in parse(mountinfo)}
