"""The containers that serve names to others on this host. Pure."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.mappings import first_of

DNS_PORT = 53


def dns_container(
    containers: Containers | None, server: str, *, is_of_host: bool
) -> Container | None:
    """The container that should answer at a DNS server's address, running or not.

    By its own address, or by port 53 of the host.
    """
    if containers is None:
        return None
    containers_at_address = containers.by_address.get(server, [])
    published = (container for container in containers if _publishes_dns(container, server))
    return first_of(containers_at_address, None) or (next(published, None) if is_of_host else None)


def _publishes_dns(container: Container, address: str) -> bool:
    """Whether a container publishes DNS at this address of the host."""
    return any(
        binding.host_ip in (*EVERYWHERE, address)
        for binding in container.wanted_ports
        if binding.port == f"{DNS_PORT}/udp" or binding.host_port == DNS_PORT
    )
