"""Tracked UDP flows that a published port's rule does not lead."""

from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.udp_flows import UdpFlow, UdpFlows

_ENGINE = "dockerd"
"""Without docker-proxy the engine itself holds the port, so that no other program takes it, and
reads nothing."""


class PublishedUdpPort(msgspec.Struct, frozen=True):
    """A UDP port that a running container publishes."""

    container: Container
    port: int
    """The host's."""
    address: str
    """The host's address on which it is published; "" for all."""

    @property
    def addresses(self) -> frozenset[str]:
        """The container's addresses, which answer a flow that is translated rightly."""
        return frozenset(
            endpoint.ip_address
            for endpoint in self.container.endpoints.values()
            if endpoint.ip_address
        )


def published_udp_ports(containers: Containers) -> Iterator[PublishedUdpPort]:
    """The UDP ports that running containers publish, over IPv4."""
    for container in containers.running:
        for published in container.published_by("udp"):
            if not published.is_ipv6:
                yield PublishedUdpPort(container, published.host_port, published.host_ip)


def stale_flows(
    udp_port: PublishedUdpPort, flows: UdpFlows, interfaces: Interfaces, listeners: Listeners | None
) -> Iterator[UdpFlow]:
    """The flows to a published port that connection tracking leads past the container."""
    holders = () if listeners is None else listeners.on("udp", "", udp_port.port)
    is_served_by_host = listeners is None or any(holder.comm != _ENGINE for holder in holders)
    for flow in flows.to(udp_port.port):
        is_to_port = interfaces.holds(flow.dst) and udp_port.address in (*EVERYWHERE, flow.dst)
        is_led_elsewhere = flow.reply_src not in udp_port.addresses and not interfaces.holds(
            flow.src
        )
        is_served = flow.reply_src == flow.dst and is_served_by_host
        if is_to_port and is_led_elsewhere and not is_served:
            yield flow


def hidden_flows(
    udp_port: PublishedUdpPort,
    flows: UdpFlows,
    interfaces: Interfaces,
    networks: Networks | None,
    firewall: Firewall,
) -> Iterator[UdpFlow]:
    """The flows of other machines that reach the host, though a rule redirects to the container.

    Packets from containers to the host are for docker-proxy: the engine's rules leave them alone.
    """
    is_led = any(
        rule.protocol == "udp"
        and rule.host_port == udp_port.port
        and rule.address in udp_port.addresses
        for rule in firewall.port_rules
    )
    if networks is None or not is_led:
        return
    for flow in flows.to(udp_port.port):
        is_to_port = interfaces.holds(flow.dst) and udp_port.address in (*EVERYWHERE, flow.dst)
        is_of_host = interfaces.holds(flow.src) or networks.bridge_of(ip_address(flow.src))
        if is_to_port and not is_of_host and flow.reply_src == flow.dst:
            yield flow
