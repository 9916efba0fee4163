"""A running container on one bridge network, seen from inside and from the host. Pure."""

import functools
import ipaddress
from typing import Literal

import msgspec

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network

CableFault = Literal[
    "",
    "no interface",
    "no host end",
    "down inside",
    "down on the host",
    "not on the bridge",
    "no address",
]
"""The fault between a container's interface and its bridge."""


class Attachment(msgspec.Struct, frozen=True, dict=True):
    """A network of a container, with both ends of its veth pair."""

    container: Container
    netns: ContainerNetns
    network: Network
    endpoint: NetworkEndpoint
    bridge: Interface
    links: Interfaces
    """Those of the host."""

    @property
    def address(self) -> str:
        return self.endpoint.ip_address

    @functools.cached_property
    def inner(self) -> Interface | None:
        """The container's interface on this network."""
        return self.netns.link_with(self.address) or self.netns.link_with_mac(
            self.endpoint.mac_address
        )

    @functools.cached_property
    def host_end(self) -> Interface | None:
        """The other end of its veth pair, if it exists."""
        if self.inner is None or self.inner.kind != "veth":
            return None
        peer = self.links.by_index.get(self.inner.link or 0)
        is_pair = peer is not None and peer.kind == "veth" and peer.link == self.inner.index
        return peer if is_pair else None

    @property
    def fault(self) -> CableFault:
        """The first fault; interfaces of other kinds are left out."""
        if self.inner is None:
            return "no interface"
        if self.inner.kind != "veth":
            return ""
        if self.host_end is None:
            return "no host end"
        faults: dict[CableFault, bool] = {
            "down inside": not self.inner.up,
            "down on the host": not self.host_end.up,
            "not on the bridge": self.host_end.master != self.bridge.index,
            "no address": self.address not in {entry.address for entry in self.netns.addresses},
        }
        return next((fault for fault, holds in faults.items() if holds), "")

    @property
    def needs_default_route(self) -> bool:
        """Whether the engine gave it a gateway, and its bridge can pass packets on."""
        has_ipv4_gateway = "." in self.endpoint.gateway
        return has_ipv4_gateway and not self.network.internal and self.network.bridge_has_address

    def wrong_gateway(self, containers: Containers) -> str:
        """The wrong target of the only default route inside; or "".

        The address is of this network, and neither a gateway's nor a container's. Another kind of
        port at the bridge may be a router.
        """
        gateway = self.netns.gateway
        has_other_ports = any(port.kind != "veth" for port in self.links.ports(self.bridge))
        if gateway is None or gateway in self.network.gateways or has_other_ports:
            return ""
        members = containers.running_on(self.network.name)
        ends = [member.endpoints[self.network.name] for member in members]
        is_known = any(gateway in (end.gateway, end.ip_address) for end in ends)
        is_beside = any(ipaddress.ip_address(gateway) in net for net in self.network.subnets)
        return gateway if is_beside and not is_known else ""
