"""UDP flows that the kernel tracks to published ports of the host."""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.network import ListConnections, UdpFlow
from diagnose.registry import evidence

__all__ = ["UdpFlow", "UdpFlows", "udp_flows"]

_MOST_PORTS = 20
"""Ports that are asked about: each is a walk over the kernel's table."""


class UdpFlows(msgspec.Struct, frozen=True):
    """Flows to the UDP ports that running containers publish, by the host's port."""

    by_port: dict[int, tuple[UdpFlow, ...]]

    def __len__(self) -> int:
        return len(self.by_port)

    def to(self, port: int) -> tuple[UdpFlow, ...]:
        return self.by_port.get(port, ())

    def neighbours_at(self, port: int, container: Container) -> tuple[str, ...]:
        """The clients with private addresses that a container has not answered at a port.

        Addresses of the internet are left out: scanners send a packet to each port.
        """
        own_addresses = container.ipv4_addresses
        senders = {
            flow.src
            for flow in self.to(port)
            if flow.reply_src in own_addresses
            and flow.src != flow.dst
            and "seen_reply" not in flow.status
        }
        return tuple(sorted(sender for sender in senders if not ip_address(sender).is_global))


@evidence
def udp_flows(host: Host, containers: Containers) -> UdpFlows | Unavailable:
    """The UDP flows to published ports; nothing is asked where no container publishes one."""
    flows: dict[int, tuple[UdpFlow, ...]] = {}
    ports = host.first(containers.ports_published_by("udp"), _MOST_PORTS, "published UDP ports")
    for port, table in host.ask_in_order(
        ports, lambda port: ListConnections(protocol="udp", dport=port)
    ):
        if isinstance(table, Failed):
            return Unavailable.of(table)
        if not table.loaded:
            return Unavailable("missing", "the kernel module nf_conntrack_netlink is not loaded")
        flows[port] = tuple(table.entries)
    return UdpFlows(flows)
