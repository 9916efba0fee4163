"""Containers that have no network any more: whose network they share, or were created for. Pure."""

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.networks import Network, Networks

_JOINED = "container:"
"""Prefix of HostConfig.NetworkMode where a container shares another one's network. An id follows;
Podman may write a name."""
_TASK = "com.docker.swarm.task.id"


class NetworkOwner(msgspec.Struct, frozen=True):
    """The container whose network another one shares."""

    name: str
    """Its id or name, as the other one has it in its network mode."""
    container: Container | None
    """None where the engine does not list it."""
    is_unknown: bool
    """Whether it may be one of the containers that could not be inspected."""


def network_owner(container: Container, containers: Containers) -> NetworkOwner | None:
    """The container whose network a container shares; None for one with a network of its own."""
    mode = container.host_config.network_mode
    if not mode.startswith(_JOINED):
        return None
    name = mode.removeprefix(_JOINED)
    owner = containers.by_id.get(name) or containers.by_name.get(name)
    return NetworkOwner(name, owner, is_unknown=owner is None and bool(containers.unexamined))


def current_netns(
    netns: ContainerNetns, owner: Container, namespaces: Namespaces
) -> ContainerNetns | None:
    """The owner's network, where the guest's is that of an earlier run; None where they share one.

    None also for an owner with a kernel of its own, as Kata gives it.
    """
    current = namespaces.of(owner)
    if current is None or current.inode == netns.inode or owner.has_own_kernel:
        return None
    return current


def successor_of(container: Container, containers: Containers, events: Events | None) -> str:
    """The running container that replaced the owner of a shared network; "" for none.

    It has the name of the removed one, which the engine's events still know.
    """
    former = container.host_config.network_mode.removeprefix(_JOINED)
    if events is None or former in containers.by_id:
        return ""
    names = {event.name for event in events.of(former)}
    return next((other.name for other in containers.running if other.name in names), "")


class LostNetwork(msgspec.Struct, frozen=True):
    """The network for which an unattached container was created."""

    name: str
    network: Network | None
    """None where the engine has it no more."""
    is_default: bool
    """Whether the container asks for the engine's default network."""


def lost_network(
    container: Container, netns: ContainerNetns, networks: Networks
) -> LostNetwork | None:
    """The intended network of a container without one; None where none is intended.

    Swarm attaches its own tasks, and reports on them.
    """
    mode = container.host_config.network_mode
    is_special = not mode or mode in ("none", "host") or ":" in mode
    if is_special or _TASK in container.labels or not netns.is_bare:
        return None
    is_default = mode in ("default", "bridge")
    names = ("bridge", "podman") if is_default else (mode,)
    matching = (network for network in networks if network.name in names or network.id == mode)
    return LostNetwork(mode, next(matching, None), is_default)
