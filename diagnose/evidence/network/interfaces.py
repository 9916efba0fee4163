"""The host's network interfaces and their addresses."""

import functools
import ipaddress
from collections.abc import Iterable

from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.network import Address, Interface, ListAddresses, ListInterfaces
from diagnose.registry import evidence

__all__ = ["Address", "Interface", "Interfaces", "addresses_with_prefix", "interfaces"]


def addresses_with_prefix(link: Interface, addresses: Iterable[Address]) -> tuple[str, ...]:
    """The addresses of one interface, as `ip address` writes them: 172.17.0.1/16."""
    return tuple(
        f"{address.address}/{address.prefix}"
        for address in addresses
        if address.index == link.index and address.address
    )


class Interfaces(Items[Interface], frozen=True, dict=True):
    """All interfaces and addresses of the namespace that the engine lives in."""

    addresses: tuple[Address, ...] = ()

    @functools.cached_property
    def by_name(self) -> dict[str, Interface]:
        return {interface.name: interface for interface in self.items}

    @functools.cached_property
    def by_index(self) -> dict[int, Interface]:
        return {interface.index: interface for interface in self.items}

    @property
    def shown_addresses(self) -> list[str]:
        """The addresses of the host as evidence shows them, without those of a link alone."""
        return [entry.address for entry in self.addresses if not entry.address.startswith("fe80:")]

    @functools.cached_property
    def _ports(self) -> dict[int, tuple[Interface, ...]]:
        ports: dict[int, tuple[Interface, ...]] = {}
        for interface in self:
            if interface.master is not None:
                ports[interface.master] = (*ports.get(interface.master, ()), interface)
        return ports

    def ports(self, bridge: Interface) -> tuple[Interface, ...]:
        """The interfaces that are attached to this bridge."""
        return self._ports.get(bridge.index, ())

    def bridge(self, name: str, gateways: Iterable[str]) -> Interface | None:
        """The bridge of this name, or the interface that holds one of these addresses.

        Podman gives its bridges names of its own.
        """
        addresses = frozenset(gateways)
        indices = {address.index for address in self.addresses if address.address in addresses}
        holding = (
            interface
            for interface in self
            if interface.kind == "bridge" and interface.index in indices
        )
        return self.by_name.get(name) or next(holding, None)

    def addresses_of(self, link: Interface) -> tuple[str, ...]:
        return tuple(address.address for address in self.addresses if address.index == link.index)

    def nets_of(self, name: str) -> list[ipaddress.IPv4Network]:
        """The IPv4 nets that an interface is in by its addresses; none where it is not there."""
        link = self.by_name.get(name)
        rows = [row for row in self.addresses if link is not None and row.index == link.index]
        return [
            ipaddress.IPv4Network(f"{row.address}/{row.prefix}", strict=False)
            for row in rows
            if row.family == "inet" and row.address
        ]

    def is_on_link(self, address: str, name: str) -> bool:
        """Whether an address is asked for by ARP on the interface of that name.

        That means that it is in a subnet of an address there.
        """
        link = self.by_name.get(name)
        return link is not None and any(
            ipaddress.ip_address(address)
            in ipaddress.ip_network(f"{row.address}/{row.prefix}", strict=False)
            for row in self.addresses
            if row.index == link.index and row.address
        )

    def is_neighbour(self, address: str) -> bool:
        """Whether an address lies in a subnet of one of the host's own addresses."""
        return any(self.is_on_link(address, link.name) for link in self)

    @functools.cached_property
    def has_ipv6_for_others(self) -> bool:
        """Whether another machine may call the host over IPv6, link-local addresses left out."""
        return any(
            ":" in row.address and not row.address.startswith("fe8") and row.address != "::1"
            for row in self.addresses
            if row.address
        )

    def holds(self, address: str) -> bool:
        """Whether some interface of the host has this address.

        Every 127.0.0.0/8 address is the host's own.
        """
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return (
            ip.is_unspecified
            or ip.is_loopback
            or any(
                row.address and ipaddress.ip_address(row.address) == ip for row in self.addresses
            )
        )


@evidence
def interfaces(host: Host) -> Interfaces | Unavailable:
    """The interfaces and addresses of the host, by two netlink dumps, which need no privilege."""
    interfaces = host.require(ListInterfaces())
    addresses = host.require(ListAddresses())
    return Interfaces(tuple(interfaces), tuple(addresses))
