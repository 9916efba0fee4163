"""The power of a container over its host, and how easily others reach the container.

Advice about containers is sorted by this.
"""

import posixpath
from collections.abc import Iterable

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Unexamined
from diagnose.registry import evidence

ENGINE_SOCKETS = frozenset(
    {
        "docker.sock",
        "docker-cli.sock",
        "podman.sock",
        "containerd.sock",
        "crio.sock",
        "cri-dockerd.sock",
    }
)
"""Whoever writes to one of these can start a privileged container, and is root on the host."""
SOCKET_FOLDERS = {
    "/run": "docker.sock",
    "/var/run": "docker.sock",
    "/run/containerd": "containerd.sock",
}
"""A mount of one of these brings an engine's socket with it."""


def engine_socket(mount: Mount) -> str | None:
    """The engine's socket that a mount brings into the container, as the host names it.

    None if it brings none.
    """
    if mount.type not in ("bind", ""):
        return None
    source = mount.source.rstrip("/")
    if posixpath.basename(source) in ENGINE_SOCKETS:
        return mount.source
    inside = SOCKET_FOLDERS.get(source)
    return f"{source}/{inside}" if inside else None


def engine_sockets(container: Container) -> tuple[tuple[str, Mount], ...]:
    """(socket, mount) for each mount of a container that brings an engine's socket."""
    sockets = ((engine_socket(mount), mount) for mount in container.mounts)
    return tuple((socket, mount) for socket, mount in sockets if socket)


def is_live(container: Container) -> bool:
    """Whether a container runs, may be restarted automatically, or was created and not started yet.

    A finished job is none of these.
    """
    return container.state.status not in ("exited", "dead") or container.restarts_always


def has_failed(container: Container) -> bool:
    """Whether a container ended with an error and nothing will start it again."""
    return not is_live(container) and container.state.exit_code != 0


def is_reachable(container: Container) -> bool:
    """Whether others than the host itself may reach one of its ports."""
    if container.shares_host_network:
        return True
    ports = container.published_ports or container.wanted_ports
    return any(not binding.is_for_host_alone for binding in ports)


def exposure(container: Container) -> int:
    """A figure to sort by: access to the host weighs most, access to the container next."""
    config = container.host_config
    return (
        32 * config.privileged
        + 32 * bool(engine_sockets(container))
        + 8 * (config.pid_mode == "host")
        + 8 * bool(config.cap_add)
        + 4 * container.shares_host_network
        + 4 * is_reachable(container)
        + 2 * container.is_running
        + (config.userns_mode == "host")
    )


def most_exposed_first(containers: Iterable[Container]) -> tuple[Container, ...]:
    """The live ones, in the order in which advice on them should be read."""
    return tuple(
        sorted(
            filter(is_live, containers),
            key=lambda container: (-exposure(container), container.name),
        )
    )


class Exposed(Items[Container], frozen=True):
    """The live containers, the most exposed first.

    Sorted once for all checks that give advice on each.
    """

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def exposed(containers: Containers) -> Exposed:
    """The live containers, the most exposed first.

    Finished jobs are left out: they can do nothing.
    """
    return Exposed(most_exposed_first(containers), containers.unexamined)
