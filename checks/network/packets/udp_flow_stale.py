"""Tracked UDP flows that still lead to where a published port was before."""

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
from diagnose.model import CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.phrases import count
from diagnose.registry import check

_ENGINE = "dockerd"
"""Without docker-proxy the engine itself holds the port, so that nobody else takes it, and reads
nothing."""


class _PublishedUdpPort(msgspec.Struct, frozen=True):
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


@check("network.udp-flow-stale", severity=Severity.warning, caused_by=["firewall.dnat-missing"])
def udp_flow_stale(
    containers: Containers,
    flows: UdpFlows | Unavailable,
    interfaces: Interfaces,
    listeners: Listeners | None,
    firewall: Firewall | None,
    networks: Networks | None,
) -> CheckResult:
    """A client's UDP packets do not follow the rule of a published port.

    The kernel translates only the first packet of a flow. A client that keeps sending from one port
    keeps the old entry alive, so that the new rule is never asked. Engine 20.10.24 leaves such
    entries, 26.1.5 and 28.5.2 delete them when a container starts (seen); a firewall that was
    reloaded leaves them on any engine. A flow without translation gets to docker-proxy, where that
    listens on the port: the container then sees the address of its gateway as the sender.
    """
    published = list(_published_udp_ports(containers))
    if not published:
        return None
    if isinstance(flows, Unavailable):
        return flows
    if firewall is None or not firewall.translates_ports:
        return Skipped("no rule of the packet filter translates published ports")
    for udp_port in published:
        stale = list(_stale_flows(udp_port, flows, interfaces, listeners))
        if stale:
            yield _finding(udp_port, stale)
            continue
        hidden = list(_hidden_flows(udp_port, flows, interfaces, networks, firewall))
        if hidden:
            yield _hidden_finding(udp_port, hidden)


def _published_udp_ports(containers: Containers) -> Iterator[_PublishedUdpPort]:
    for container in containers.running:
        for published in container.published_by("udp"):
            if not published.is_ipv6:
                yield _PublishedUdpPort(container, published.host_port, published.host_ip)


def _stale_flows(
    udp_port: _PublishedUdpPort,
    flows: UdpFlows,
    interfaces: Interfaces,
    listeners: Listeners | None,
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


def _hidden_flows(
    udp_port: _PublishedUdpPort,
    flows: UdpFlows,
    interfaces: Interfaces,
    networks: Networks | None,
    firewall: Firewall,
) -> Iterator[UdpFlow]:
    """The flows of other machines that get to the host, though a rule leads to the container.

    What containers send to the host is for docker-proxy: the engine's rules leave it alone.
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


def _hidden_finding(udp_port: _PublishedUdpPort, hidden: list[UdpFlow]) -> Finding:
    container = udp_port.container
    gateways = [end.gateway for end in container.endpoints.values() if end.gateway]
    seen_as = gateways[0] if gateways else "its gateway"
    return Finding.about(
        container,
        f"{container} sees {seen_as} as the sender of UDP packets from {_clients(hidden)} to port "
        f"{udp_port.port}: a connection tracking entry that is older than the port's rule sends them "
        "through docker-proxy",
        _entries(hidden),
        discriminator=str(udp_port.port),
        stable=(container.life,),
        port=str(udp_port.port),
    )


def _clients(flows: list[UdpFlow]) -> str:
    return f"{count(len({flow.src for flow in flows}), 'client')} ({flows[0].src})"


def _entries(flows: list[UdpFlow]) -> dict[str, str]:
    return {
        f"conntrack udp {flow.src}:{flow.sport} -> {flow.dst}:{flow.dport}": (
            f"answered by {flow.reply_src}"
        )
        for flow in flows[:10]
    }


def _finding(udp_port: _PublishedUdpPort, stale: list[UdpFlow]) -> Finding:
    first, container = stale[0], udp_port.container
    # the entry translates nothing: packets stay with the host, where nobody listens
    is_untranslated = first.reply_src == first.dst
    where = "to nobody" if is_untranslated else f"to {first.reply_src}"
    return Finding.about(
        container,
        f"{container}: UDP packets of {_clients(stale)} to port {udp_port.port} go {where}, "
        "because of a connection tracking entry from before its start",
        _entries(stale) | {"addresses of the container": sorted(udp_port.addresses)},
        discriminator=str(udp_port.port),
        signs=frozenset({"timeout"}),
        stable=(container.life,),
        port=str(udp_port.port),
    )
