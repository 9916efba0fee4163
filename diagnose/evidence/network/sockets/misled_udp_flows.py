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
    """The flows to a published port that connection tracking leads past the container.

    The host's own flows are left out, and those that a program of the host itself may answer.
    """
    host_may_answer = _host_may_answer(udp_port, listeners)
    for flow in _flows_to(udp_port, flows, interfaces):
        if interfaces.holds(flow.src) or flow.reply_src in udp_port.addresses:
            continue
        is_for_host = flow.reply_src == flow.dst
        if is_for_host and host_may_answer:
            continue
        yield flow


def _host_may_answer(udp_port: PublishedUdpPort, listeners: Listeners | None) -> bool:
    """Whether a program of the host may read what comes to the port; so where that is not known."""
    if listeners is None:
        return True
    return any(listener.comm != _ENGINE for listener in listeners.on("udp", "", udp_port.port))


def _flows_to(
    udp_port: PublishedUdpPort, flows: UdpFlows, interfaces: Interfaces
) -> Iterator[UdpFlow]:
    """The flows to an address of the host at which the port is published."""
    for flow in flows.to(udp_port.port):
        if interfaces.holds(flow.dst) and udp_port.address in (*EVERYWHERE, flow.dst):
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
    if networks is None or not _has_rule(udp_port, firewall):
        return
    for flow in _flows_to(udp_port, flows, interfaces):
        is_from_host = interfaces.holds(flow.src)
        is_from_container = networks.bridge_of(ip_address(flow.src)) is not None
        is_for_host = flow.reply_src == flow.dst
        if is_for_host and not is_from_host and not is_from_container:
            yield flow


def _has_rule(udp_port: PublishedUdpPort, firewall: Firewall) -> bool:
    """Whether a rule of the packet filter redirects the port to the container."""
    return any(
        rule.protocol == "udp"
        and rule.host_port == udp_port.port
        and rule.address in udp_port.addresses
        for rule in firewall.port_rules
    )
