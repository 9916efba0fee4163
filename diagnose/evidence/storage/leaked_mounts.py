"""Mounts that keep a dead container from being removed, in the host's namespace and in those of
other processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.storage.mounts import Mounted, Mounts, mount_table, parse
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

BUSY = LazyPattern(
    r"(?:unlinkat|remove|rmdir) (?P<path>/\S{1,500}?):? .{0,300}device or resource busy|device or resource busy"
)
MOST_NAMESPACES = 200


class LeakedMount(msgspec.Struct, frozen=True):
    """One mount."""

    point: str
    fstype: str
    pid: int = 0
    """A process in whose mount namespace it is, 0 for the host's own."""
    comm: str = ""
    """The name of that process."""


class LeakedMounts(ByContainer[tuple[LeakedMount, ...]], frozen=True):
    """By the id of the container that cannot be removed.

    Looked for only where one is dead and a mount is busy.
    """


@evidence
def leaked_mounts(
    host: Host, containers: Containers, mounts: Mounts | None, processes: Processes | None
) -> LeakedMounts:
    """The host's mounts first; other namespaces only where the host has none."""
    busy = [container for container in containers if _is_kept_by_a_mount(container)]
    here = [(LeakedMount(mount.point, mount.fstype), mount) for mount in mounts or ()]
    leaks = {container.id: _mounts_of_container(container, here) for container in busy}
    unexplained = [container for container in busy if not leaks[container.id]]
    if unexplained and processes is not None:
        leaks |= _leaks_elsewhere(host, processes, unexplained)
    return LeakedMounts(leaks)


def _is_kept_by_a_mount(container: Container) -> bool:
    """Whether the engine failed to remove a container since a mount is busy."""
    is_dead = container.state.status in ("dead", "removing")
    return is_dead and BUSY.search(container.state.error) is not None


def _leaks_elsewhere(
    host: Host, processes: Processes, containers: Sequence[Container]
) -> dict[str, tuple[LeakedMount, ...]]:
    """The mounts of these containers in other mount namespaces, by the container's id."""
    elsewhere = list(_mounts_elsewhere(host, processes))
    return {container.id: _mounts_of_container(container, elsewhere) for container in containers}


def _mounts_of_container(
    container: Container, mounts: Iterable[tuple[LeakedMount, Mounted]]
) -> tuple[LeakedMount, ...]:
    """The mounts that keep one container, out of these."""
    return tuple(leaked for leaked, mount in mounts if _is_of_container(mount, container))


def _mounts_elsewhere(host: Host, processes: Processes) -> Iterator[tuple[LeakedMount, Mounted]]:
    """The mounts that other namespaces have, each with who has it."""
    for pid, comm in _namespaces(host, processes):
        table = host.ask(mount_table(pid))
        if isinstance(table, Failed):
            continue
        for mount in parse(table.text):
            yield LeakedMount(mount.point, mount.fstype, pid, comm), mount


def _is_of_container(mount: Mounted, container: Container) -> bool:
    """Whether a mount lies in what the engine wants to remove.

    The path that it names, or the container's own folders.
    """
    match = BUSY.search(container.state.error)
    container_path = match["path"] if match else None
    return container.id in mount.point or bool(
        container_path and is_within(mount.point, container_path)
    )


def _namespaces(host: Host, processes: Processes) -> list[tuple[int, str]]:
    """One process of each mount namespace."""
    links = {
        f"/proc/{process.pid}/ns/mnt": process for process in processes if not process.is_zombie
    }
    statuses = host.answer_or(StatPaths(list(links), follow=False), {})
    chosen = {status.link: links[path] for path, status in statuses.items() if status.link}
    return [(process.pid, process.comm) for process in chosen.values()][:MOST_NAMESPACES]
