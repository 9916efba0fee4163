"""The containers that serve names to others on this host. Pure."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import EVERYWHERE

DNS_PORT = 53


def dns_container(
    containers: Containers | None, server: str, *, is_of_host: bool
) -> Container | None:
    """The container, running or not, that should answer at a server's address, by its own address,
    or by port 53 of the host."""
    for container in containers or ():
        if _has_address(container, server) or (is_of_host and _publishes_dns(container, server)):
            return container
    return None


def _has_address(container: Container, address: str) -> bool:
    endpoints = container.endpoints.values()
    return any(address in (end.ip_address, end.fixed_address) for end in endpoints)


def _publishes_dns(container: Container, address: str) -> bool:
    """Whether queries that are sent to this address of the host are meant for it."""
    return any(
        wanted.host_ip in (*EVERYWHERE, address)
        for wanted in container.wanted_ports
        if wanted.port == f"{DNS_PORT}/udp" or wanted.host_port == DNS_PORT
    )
