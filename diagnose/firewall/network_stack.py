"""A host's network stack as packets meet it: devices, settings, routes and the packet filter."""

from __future__ import annotations

import functools
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import msgspec

from diagnose.firewall.routing import Routing
from diagnose.firewall.values import Interval, Nets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.firewall.packet import Family
    from diagnose.firewall.rules import Ruleset


class Device(msgspec.Struct, frozen=True):
    """One interface of the host. addresses: `10.0.0.1/24`, `fd00::1/64`. ports: of a bridge."""

    name: str
    addresses: tuple[str, ...] = ()
    kind: str | None = None
    ports: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """Kernel settings by interface; None or a missing name means that the value is not known."""

    forwarding: Mapping[str, bool | None] = {}
    """IPv4 forwarding by interface."""
    forwarding6: bool | None = None
    """One setting for all."""
    reverse_path: Mapping[str, int | None] = {}
    """The effective rp_filter (0 off, 1 strict, 2 loose)."""
    bridge_filter: bool = False
    bridge_filter6: bool = False
    """bridge_filter, bridge_filter6: whether bridged packets meet iptables' chains."""
    accept_local: frozenset[str] = frozenset()
    route_localnet: frozenset[str] = frozenset()
    """accept_local, route_localnet: interfaces with it on."""
    marked_reverse_path: frozenset[str] = frozenset()

    def forwards(self, family: Family, device: str) -> bool | None:
        """Whether what comes in by an interface may be sent on; true where it is not listed."""
        return self.forwarding6 if family == "ip6" else self.forwarding.get(device, True)

    def filters_bridged(self, family: Family) -> bool:
        """Whether packets between two ports of a bridge meet IP's own chains."""
        return self.bridge_filter6 if family == "ip6" else self.bridge_filter


class _WantedAddress(msgspec.Struct, frozen=True):
    """The key by which the host's choice of a source address is remembered."""

    device: str
    family: Family
    towards: str | None


class NetworkStack(msgspec.Struct, frozen=True, dict=True):
    """All of a host that decides about packets."""

    ruleset: Ruleset
    routing: Routing
    devices: tuple[Device, ...] = ()
    settings: Settings = Settings()
    inner: tuple[str, ...] = ()
    """Subnets behind the host, which an address left open is not in."""

    @functools.cached_property
    def forwarding(self) -> NetworkStack:
        """This host with forwarding on: what its rules and routes decide alone."""
        on = msgspec.structs.replace(self.settings, forwarding={}, forwarding6=True)
        return msgspec.structs.replace(self, settings=on)

    @functools.cached_property
    def by_name(self) -> dict[str, Device]:
        return {device.name: device for device in self.devices}

    @functools.cached_property
    def local(self) -> dict[str, str]:
        """The interface of each address of the host."""
        return {
            address.partition("/")[0]: device.name
            for device in self.devices
            for address in device.addresses
        }

    @functools.cached_property
    def inner_nets(self) -> Nets | None:
        """The subnets behind the host, one object for all packets."""
        if not self.inner:
            return None
        networks = [ip_network(subnet) for subnet in self.inner]
        return Nets(
            Interval(int(net.network_address), int(net.broadcast_address)) for net in networks
        )

    def is_bridge(self, device: str | None) -> bool:
        interface = self.by_name.get(device or "")
        return interface is not None and (interface.kind == "bridge" or bool(interface.ports))

    def is_local(self, address: str | None) -> bool | None:
        """Whether an address is the host's own; None where it is left open."""
        if address is None:
            return None
        return address in self.local or _is_loopback(address)

    def address_on(self, device: str, family: Family, towards: str | None = None) -> str | None:
        """The address that the host takes on an interface.

        One in the same net as its peer, else the first that others can reach.
        """
        key = _WantedAddress(device, family, towards)
        if key not in self._chosen_addresses:
            self._chosen_addresses[key] = self._choose_address(device, family, towards)
        return self._chosen_addresses[key]

    @functools.cached_property
    def _chosen_addresses(self) -> dict[_WantedAddress, str | None]:
        return {}

    def _choose_address(self, device: str, family: Family, towards: str | None) -> str | None:
        """An address of an interface: one in the subnet of the peer, else the first."""
        version = 4 if family == "ip" else 6
        addresses = self.by_name[device].addresses if device in self.by_name else ()
        fitting = [
            address
            for address in addresses
            if ip_address(address.partition("/")[0]).version == version
        ]
        if towards is not None:
            peer = ip_address(towards)
            for address in fitting:
                if peer in ip_network(address, strict=False):
                    return address.partition("/")[0]
        outer = [
            address
            for address in fitting
            if not ip_address(address.partition("/")[0]).is_link_local
        ]
        return (outer or fitting)[0].partition("/")[0] if fitting else None


@functools.lru_cache(maxsize=1 << 14)
def _is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback
