"""Containers that ask a DNS server which passes its own queries on to them. Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.items import Items
from diagnose.evidence.network.sockets.udp_flows import UdpFlows
from diagnose.registry import evidence


class ForwardingCircle(msgspec.Struct, frozen=True):
    """A DNS server in a container, and the server with which it forwards queries in a circle."""

    container: Container
    other: str
    """The address of the other server."""
    is_itself: bool = False
    """Whether that address, such as one of the host, leads to the container itself."""
    is_answered: bool = False
    """Whether the other server has answered all that the container asked it lately."""

    @property
    def clause(self) -> str:
        """The circle of a query, in words."""
        if self.is_itself:
            return f"it passes queries on to {self.other}, where it is itself the server"
        return (
            f"it passes queries on to {self.other}, and {self.other} passes them on to it, "
            "so that nobody looks them up"
        )


class ForwardingCircles(Items[ForwardingCircle], frozen=True):
    """The forwarding circles by container; a fault only where queries fail.

    A router may ask a Pi-hole for all names, be asked by it for those of the local network, and
    answer these.
    """

    def of(self, container: Container | None) -> ForwardingCircle | None:
        """The first circle of a container."""
        circles = (
            circle
            for circle in self
            if container is not None and circle.container.id == container.id
        )
        return next(circles, None)

    def silent_of(self, container: Container | None) -> ForwardingCircle | None:
        """The same where queries stay unanswered: a server that answers all is not to blame."""
        circle = self.of(container)
        return circle if circle is not None and not circle.is_answered else None


@evidence
def forwarding_circles(containers: Containers, udp_flows: UdpFlows) -> ForwardingCircles:
    """The DNS servers that forward to each other, by the kernel's table of connections.

    The table shows connections to the port of DNS in both directions.
    """
    circles = (
        circle for container in containers.running for circle in _circles_of(container, udp_flows)
    )
    return ForwardingCircles(tuple(circles))


def _circles_of(container: Container, flows: UdpFlows) -> Iterator[ForwardingCircle]:
    """The circles of one container.

    docker-proxy takes the calls of its neighbours, which the kernel tracks to the host's address
    alone.
    """
    own_addresses = container.ipv4_addresses - {""}
    of_dns = flows.to(DNS_PORT)
    own_places = own_addresses | {flow.dst for flow in of_dns if flow.reply_src in own_addresses}
    called_servers = {flow.dst for flow in of_dns if flow.src in own_addresses}
    askers = {flow.src for flow in of_dns if flow.dst in own_places}
    silent = {
        flow.dst for flow in of_dns if flow.src in own_addresses and "seen_reply" not in flow.status
    }
    for address in sorted(called_servers & (own_places | askers)):
        yield ForwardingCircle(
            container, address, is_itself=address in own_places, is_answered=address not in silent
        )
