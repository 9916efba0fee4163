"""The container that has the address of a server which a DNS server asks."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_forwarders import AskedServer
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.container_netns import Namespaces


def holder_of_server(containers: Containers, upstream: AskedServer) -> Container | None:
    """The running container that has the address of a server."""
    for container in containers.running:
        if upstream.address in (end.ip_address for end in container.endpoints.values()):
            return container
    return None


def udp_ports_of(holder: Container | None, namespaces: Namespaces | None) -> list[int]:
    """The UDP ports at which a container takes packets, below those that the kernel gives out."""
    netns = namespaces.of(holder) if holder is not None and namespaces is not None else None
    sockets = netns.listeners if netns is not None else ()
    return sorted(
        {
            socket.port
            for socket in sockets
            if socket.protocol == "udp" and socket.port < 32768 and not is_loopback(socket.address)
        }
    )


def stopped_holder_of_server(
    forwarder: Container, containers: Containers, upstream: AskedServer
) -> Container | None:
    """The stopped container that had the address of a server, by its own options; or None.

    Only on a network of the forwarder: another network may have had the same subnet.
    """
    for container in containers:
        fixed_addresses = {
            end.fixed_address
            for network, end in container.endpoints.items()
            if network in forwarder.endpoints
        }
        if upstream.address in fixed_addresses and not container.is_running:
            return container
    return None
