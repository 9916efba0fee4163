"""Usage of the in-memory file systems of running containers.

/dev/shm, and those of `--tmpfs`.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.storage.filesystems import Usage
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.filesystems import StatFilesystems
from diagnose.registry import evidence

SHM = "/dev/shm"  # noqa: S108 - a name


class InMemory(msgspec.Struct, frozen=True):
    """A tmpfs of a container, and how full it is."""

    container: Container
    path: str
    """The path as the container names it."""
    usage: Usage

    @property
    def is_shm(self) -> bool:
        return self.path == SHM


class SharedMemory(Items[InMemory], frozen=True):
    """The shared memory of running containers, where it is their own."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def shared_memory(host: Host, containers: Containers) -> SharedMemory | Unavailable:
    """The usage of all in-memory file systems, in one question.

    A /dev/shm that is the host's or another container's is left out.
    """
    places = {
        f"/proc/{container.state.pid}/root{path}": (container, path)
        for container in containers.running
        for path in _own_paths(container)
    }
    if not places:
        return SharedMemory(())
    answer = host.require(StatFilesystems(sorted(places)))
    items = []
    missing = []
    for place, usage in answer.items():
        container, path = places[place]
        if not isinstance(usage, Failed):
            items.append(InMemory(container, path, usage))
        elif usage.reason not in ("missing", "gone"):
            missing.append(Unexamined(container.subject, f"its {path}: {usage.reason}"))
    return SharedMemory(tuple(items), tuple(missing))


def _own_paths(container: Container) -> set[str]:
    """The mount points of in-memory file systems that no other container shares."""
    paths = {*container.host_config.tmpfs_options}
    paths |= {mount.destination for mount in container.mounts if mount.type == "tmpfs"}
    if container.host_config.ipc_mode in ("", "private", "shareable"):
        paths.add(SHM)
    return paths
