"""Page variables that free a port of the host for a container, by the holder of the port."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.mappings import by_key, only
from diagnose.model import PageVariables
from diagnose.phrases import joined

_STUB = "systemd-resolve"
"""The command of systemd-resolved as the kernel keeps it: 15 characters. It listens on 127.0.0.53
and 127.0.0.54, port 53."""
_OF_THE_ENGINE = ("docker-proxy", "dockerd", "rootlessport", "rootlesskit")
"""Programs that listen in the place of a container that publishes the port."""
_KEPT = ("sshd", "dropbear", "openvpn", "tailscaled", "teleport")
"""Programs without which nobody can log in to the host any more."""
_OF_MANY = ("dockerd", "rootlesskit", "slirp4netns", "pasta", "passt")
"""Programs of which each carries an engine, or the network of all its containers."""
_ENGINES_UNITS = ("docker.service", "containerd.service", "snap.docker.dockerd.service")


def freeing(
    container: Container,
    port: int,
    holders: Sequence[Listener],
    containers: Containers,
    listeners: Listeners | None = None,
) -> PageVariables:
    """The page variables that free a port for this container.

    A program of the host keeps its port: a look shows whether anybody needs it. Empty where a
    process of which nothing is known holds the port: the host may need it. listeners: where
    another port of the host is sought for the container.
    """
    if not holders:
        # one that its policy starts again and again does not fail for a port that is free
        return {} if container.state.status == "restarting" else {"waiting": container.name}
    holder = holders[0]
    owner = owner_of(holder, port, containers)
    if owner is not None:
        # its program alone, killed, would be started again
        return {"holder": owner.name} if owner.id != container.id else {}
    if any(listener.comm == _STUB for listener in holders):
        return {"stub_unit": "systemd-resolved"}
    if holder.comm is None or holder.comm in _OF_MANY:
        return {}
    if holder.pid == 1:
        return {"awaited": str(port)}
    if holder.comm in _KEPT:
        return {"kept": holder.comm}
    moved = _moved_port(container, port, listeners, containers) if listeners else {}
    if holder.unit and holder.unit not in _ENGINES_UNITS:
        return {**moved, "unit": holder.unit, "held_port": str(port)}
    return {**moved, "held_port": str(port)}


_FIRST_FREE = 1024
"""Below it are the ports by which clients know a kind of server: another one is of no use."""
_NEAR = 100
"""So many ports behind the one that is taken are looked at."""


def _moved_port(
    container: Container, port: int, listeners: Listeners, containers: Containers
) -> PageVariables:
    """The next port of the host that is free, for the one port that a container publishes."""
    published = only(container.wanted_ports)
    if published is None or published.host_port != port or port < _FIRST_FREE:
        return {}
    published_ports = {binding.host_port for other in containers for binding in other.wanted_ports}
    for free in range(port + 1, min(port + _NEAR, 65536)):
        if free not in published_ports and not listeners.on(published.protocol, "", free):
            address = published.host_ip
            place = with_port(address, free) if address else str(free)
            return {"moved_port": f"{place}:{published.port}"}
    return {}


def owner_of(holder: Listener, port: int, containers: Containers) -> Container | None:
    """The container whose program listens, or for which the engine listens."""
    holder_container = containers.by_id.get(holder.container or "")
    if holder_container is not None or holder.comm not in _OF_THE_ENGINE:
        return holder_container
    protocol = holder.proto.removesuffix("6")
    for container in containers.running:
        if any(published.host_port == port for published in container.published_by(protocol)):
            return container
    return None


def sibling_steps(container: Container, holders: Sequence[Container]) -> PageVariables:
    """The page variables of a container whose port another container of its compose service has.

    The other one works, and must not be stopped. A container that never ran can be removed.
    """
    if not container.compose_service or [holder.service for holder in holders] != [
        container.service
    ]:
        return {}
    never_ran = container.state.status == "created" and container.started_at is None
    return {"replica" if never_ran else "twin": container.name}


def ports_of_several_files(container: Container, port: int) -> PageVariables:
    """The places of the host that several compose files give one port of the container.

    Compose adds the `ports` of an override file to those of the file before. Empty for a project of
    one file, and where the refused port of the host is the only one.
    """
    places = by_key((binding.port, binding.host_port) for binding in container.wanted_ports)
    inside = next((name for name, hosts in places.items() if port in hosts), "")
    added = sorted({place for place in places.get(inside, ()) if place})
    files = container.compose_files
    if len(files) != 2 or len(added) < 2:
        return {}
    ports = f"{joined(list(map(str, added)))} for {inside}"
    return {"added_ports": ports, "base_file": files[0], "override_file": files[1]}
