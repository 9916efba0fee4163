"""Tracked UDP flows that still lead to where a published port was before."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.misled_udp_flows import (
    PublishedUdpPort,
    hidden_flows,
    published_udp_ports,
    stale_flows,
)
from diagnose.evidence.network.sockets.udp_flows import UdpFlow, UdpFlows
from diagnose.model import CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.phrases import count
from diagnose.registry import check


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
    published = list(published_udp_ports(containers))
    if not published:
        return None
    if isinstance(flows, Unavailable):
        return flows
    if firewall is None or not firewall.translates_ports:
        return Skipped("no rule of the packet filter translates published ports")
    for udp_port in published:
        stale = list(stale_flows(udp_port, flows, interfaces, listeners))
        if stale:
            yield _finding(udp_port, stale)
            continue
        hidden = list(hidden_flows(udp_port, flows, interfaces, networks, firewall))
        if hidden:
            yield _hidden_finding(udp_port, hidden)


def _hidden_finding(udp_port: PublishedUdpPort, hidden: list[UdpFlow]) -> Finding:
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
        recheck=(container.run,),
        variables={"port": str(udp_port.port)},
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


def _finding(udp_port: PublishedUdpPort, stale: list[UdpFlow]) -> Finding:
    first = stale[0]
    container = udp_port.container
    # the entry translates nothing: packets stay with the host, where nobody listens
    is_untranslated = first.reply_src == first.dst
    target = "to nobody" if is_untranslated else f"to {first.reply_src}"
    return Finding.about(
        container,
        f"{container}: UDP packets of {_clients(stale)} to port {udp_port.port} go {target}, "
        "because of a connection tracking entry from before its start",
        _entries(stale) | {"addresses of the container": sorted(udp_port.addresses)},
        discriminator=str(udp_port.port),
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables={"port": str(udp_port.port)},
    )
