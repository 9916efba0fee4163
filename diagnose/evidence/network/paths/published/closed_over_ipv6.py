"""Web ports that clients reach over IPv4, and that a rule closes over IPv6."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import BROWSED_PORTS, EVERYWHERE6
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.packet_paths import InboundPath, PacketPaths
from diagnose.evidence.network.paths.walks import ordinary_peer
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Obstacle, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.phrases import quoted
from diagnose.registry import evidence


class ClosedPort(msgspec.Struct, frozen=True):
    """A web port of the host that is closed over IPv6."""

    container: Container
    host_port: int
    address: str
    """The host's own."""
    obstacle: Obstacle
    """The obstacle for its clients."""
    line: str = ""
    """The log line about a call to that address; "" without one."""


class ClosedOverIpv6(Items[ClosedPort], frozen=True):
    """The web ports that clients reach over IPv4 and not over IPv6."""

    walked: int = 0
    """Web ports that were followed over IPv6."""


@evidence
def closed_over_ipv6(
    host_stack: HostStack,
    packet_paths: PacketPaths,
    containers: Containers,
    uplinks: Uplinks,
    recent_logs: RecentLogs | None,
) -> ClosedOverIpv6:
    """The web ports that clients reach over IPv4 and not over IPv6. Pure.

    Only a host with an address and a route of the IPv6 internet is looked at.
    """
    stack = host_stack.stack
    host_address = _own_address(stack, uplinks)
    if not host_address:
        return ClosedOverIpv6(())
    line = _line_about(host_address, containers, recent_logs)
    inbound_paths = [
        inbound for inbound in packet_paths.inbound_paths if _is_open_web_port(inbound)
    ]
    closed = []
    for inbound in inbound_paths:
        flow = Flow(
            Origin(inbound.uplink.name, ordinary_peer("ip6")),
            host_address,
            "tcp",
            inbound.host_port,
            "ip6",
        )
        obstacle = trace(stack, flow).rule_in_the_way
        if obstacle is not None:
            closed.append(
                ClosedPort(inbound.container, inbound.host_port, host_address, obstacle, line)
            )
    return ClosedOverIpv6(tuple(closed), len(inbound_paths))


def _own_address(stack: NetworkStack, uplinks: Uplinks) -> str:
    """The host's address on the IPv6 internet; empty where it has none, or no way there."""
    uplink = uplinks.preferred
    host_address = stack.address_on(uplink.name, "ip6") if uplink is not None else None
    if host_address is None or not ip_address(host_address).is_global:
        return ""
    return host_address if stack.routing.look_up(ordinary_peer("ip6")).kind == "unicast" else ""


def _is_open_web_port(inbound: InboundPath) -> bool:
    """Whether clients reach it over IPv4, and the engine publishes it over IPv6 too."""
    is_web = inbound.host_port in BROWSED_PORTS and inbound.port.endswith("/tcp")
    published = {
        published.host_port
        for published in inbound.container.published_ports
        if published.port == inbound.port and published.host_ip in EVERYWHERE6
    }
    return is_web and inbound.sample.outcome == "accept" and inbound.host_port in published


def _line_about(host_address: str, containers: Containers, recent_logs: RecentLogs | None) -> str:
    """The last line of a log that says that a call to this address failed.

    A certificate authority names the address that it has called.
    """
    lines = _recent_texts(containers, recent_logs) if recent_logs is not None else ()
    whole = re.compile(
        rf"(?<![\da-f:]){re.escape(host_address)}(?![\da-f]|:[\da-f])", re.IGNORECASE
    )
    failing_lines = [line for line in lines if whole.search(line) and signs(line) & FOUND_NOBODY]
    return quoted(failing_lines[-1]) if failing_lines else ""


def _recent_texts(containers: Containers, recent_logs: RecentLogs) -> Iterator[str]:
    for container in containers.running:
        yield from recent_logs.texts_of(container)
