"""Clients on other machines whose addresses are in a subnet of the engine's.

The host sends the answers to them to its own bridge, where no container has the address.
"""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.sockets.half_open import UNCONFIRMED
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.network import ListConnections
from diagnose.registry import evidence

MOST_PORTS = 10
"""Ports that are asked about; each is a walk over the kernel's table."""
_SSH = 22


class SwallowedClient(msgspec.Struct, frozen=True):
    """A client that gets no answer because its address lies in a network's subnet."""

    network: Network
    """The network whose subnet holds the client's address."""
    address: str
    port: int


class SwallowedClients(Items[SwallowedClient], frozen=True):
    """The swallowed clients, each once for each port that it called."""

    def of(self, network: Network) -> tuple[SwallowedClient, ...]:
        return tuple(client for client in self if client.network.name == network.name)


@evidence
def swallowed_clients(
    host: Host, containers: Containers, networks: Networks, links: Interfaces
) -> SwallowedClients:
    """The clients whose address lies in a network's subnet, by tracked calls without an answer.

    Only calls to published ports and to ssh.
    """
    published = containers.ports_published_by("tcp")
    ports = [*published[: MOST_PORTS - 1], *([_SSH] if published else [])]
    # a network that was created with a subnet alone does not list its gateway
    own_addresses = containers.addresses_in_use | {address.address for address in links.addresses}
    swallowed: dict[tuple[str, int], SwallowedClient] = {}
    for port, table in host.ask_about(
        ports, lambda port: ListConnections(protocol="tcp", dport=port)
    ):
        entries = () if isinstance(table, Failed) else table.entries
        for flow in entries:
            network = networks.bridge_of(ip_address(flow.src))
            if network is None or flow.src in own_addresses or flow.state not in UNCONFIRMED:
                continue
            swallowed[flow.src, port] = SwallowedClient(network, flow.src, port)
    return SwallowedClients(tuple(swallowed.values()))
