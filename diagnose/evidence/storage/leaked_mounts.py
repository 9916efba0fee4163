"""Mounts that keep a dead container from being removed, in any mount namespace.

In the host's own, and in those of other processes.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.mounts import Mounts, mount_table, parse
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.registry import evidence

BUSY = LazyPattern(
    r"(?:unlinkat|remove|rmdir) "
    r"(?P<path>/\S{1,500}?):? .{0,300}device or resource busy|device or resource busy"
)
"""The kernel does not remove a folder, because something is mounted in it."""
MOST_NAMESPACES = 200


class LeakedMount(msgspec.Struct, frozen=True):
    """A leaked mount."""

    point: str
    fstype: str
    pid: int = 0
    """A process of its mount namespace, 0 for the host's own."""
    comm: str = ""
    """The name of that process."""


class LeakedMounts(ByContainer[tuple[LeakedMount, ...]], frozen=True):
    """The leaked mounts, by the id of the container that cannot be removed.

    Looked up only where a container is dead and a mount is busy.
    """


@evidence
def leaked_mounts(
    host: Host, containers: Containers, mounts: Mounts | None, processes: Processes | None
) -> LeakedMounts:
    """The host's mounts first; other namespaces only where the host has none."""
    busy = [container for container in containers if _is_kept_by_a_mount(container)]
    on_this_host = [LeakedMount(mount.point, mount.fstype) for mount in mounts or ()]
    leaks = _leaks_of(busy, on_this_host)
    unexplained = [container for container in busy if not leaks[container.id]]
    if unexplained and processes is not None:
        leaks |= _leaks_of(unexplained, list(_mounts_elsewhere(host, processes)))
    return LeakedMounts(leaks)


def _is_kept_by_a_mount(container: Container) -> bool:
    """Whether the engine failed to remove a container since a mount is busy."""
    is_dead = container.state.status in ("dead", "removing")
    return is_dead and BUSY.search(container.state.error) is not None


def _leaks_of(
    containers: Sequence[Container], mounts: Sequence[LeakedMount]
) -> dict[str, tuple[LeakedMount, ...]]:
    """By container id, the mounts that keep it."""
    leaks = {}
    for container in containers:
        mounts_of_container = (mount for mount in mounts if _is_of_container(mount, container))
        leaks[container.id] = tuple(mounts_of_container)
    return leaks


def _mounts_elsewhere(host: Host, processes: Processes) -> Iterator[LeakedMount]:
    """The mounts that other namespaces have."""
    for process in _processes_of_namespaces(host, processes):
        table = host.ask(mount_table(process.pid))
        if isinstance(table, Failed):
            continue
        for mount in parse(table.text):
            yield LeakedMount(mount.point, mount.fstype, process.pid, process.comm)


def _is_of_container(mount: LeakedMount, container: Container) -> bool:
    """Whether a mount is in a folder that the engine wants to remove.

    The path that it names, or the container's own folders.
    """
    match = BUSY.search(container.state.error)
    container_path = match["path"] if match else None
    return container.id in mount.point or bool(
        container_path and is_within(mount.point, container_path)
    )


def _processes_of_namespaces(host: Host, processes: Processes) -> list[Process]:
    """A process of each mount namespace."""
    links = {
        f"/proc/{process.pid}/ns/mnt": process for process in processes if not process.is_zombie
    }
    statuses = path_statuses(host, list(links), follow=False)
    chosen = {status.link: links[path] for path, status in statuses.items() if status.link}
    return list(chosen.values())[:MOST_NAMESPACES]
