"""Ports of the swarm that this host's own rules close to the other nodes. Pure."""

from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.outgoing.lost_overlays import data_port
from diagnose.evidence.network.paths.published.inbound_paths import refused_by_host
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.verdict import Step
from diagnose.numbers import is_number
from diagnose.registry import evidence

_MANAGER_PORT = ("tcp", 2377)
_GOSSIP_PORTS = (("tcp", 7946), ("udp", 7946))


class ClosedSwarmPort(msgspec.Struct, frozen=True):
    """A port that all other nodes call, and that a rule closes to each of them."""

    protocol: str
    number: int
    interface: str
    """The interface with the address by which the nodes know this one."""
    rule: Step
    is_of_overlays: bool = False
    """Whether packets of overlay networks come to the port."""

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


class ClosedSwarmPorts(Items[ClosedSwarmPort], frozen=True):
    """The closed ports, in the order in which a node needs them."""

    nodes: tuple[str, ...] = ()
    """The addresses of the other nodes, as far as this one knows them."""


@evidence
def closed_swarm_ports(swarm: Swarm, host_stack: HostStack, info: Info) -> ClosedSwarmPorts:
    """The ports of the swarm that are closed to all other nodes.

    A port that is open to one of them is closed to the others on purpose, as a list of allowed
    addresses does it, or for a node that is gone.
    """
    nodes = tuple(dict.fromkeys(_other_nodes(swarm)))
    interface = host_stack.stack.local.get(swarm.node_address, "")
    if not nodes or not interface:
        return ClosedSwarmPorts((), nodes)
    overlay_port = ("udp", data_port(info))
    ports = [*([_MANAGER_PORT] if swarm.manager else []), *_GOSSIP_PORTS, overlay_port]
    closed = []
    for protocol, number in ports:
        rules = [
            _closing_rule(host_stack.stack, Origin(interface, node), swarm, protocol, number)
            for node in nodes
        ]
        known_rules = [rule for rule in rules if rule is not None]
        if len(known_rules) == len(nodes):
            is_of_overlays = (protocol, number) == overlay_port
            closed.append(
                ClosedSwarmPort(protocol, number, interface, known_rules[0], is_of_overlays)
            )
    return ClosedSwarmPorts(tuple(closed), nodes)


def _other_nodes(swarm: Swarm) -> Iterator[str]:
    """The addresses of nodes that are meant to work; of managers alone, on a worker."""
    present_nodes = (node for node in swarm.known_nodes if not (node.is_down and node.is_drained))
    managers = (address.rpartition(":")[0] for address in swarm.other_managers)
    for address in (*(node.status.addr for node in present_nodes), *managers):
        if address != swarm.node_address and _is_of_machine(address):
            yield address


def _is_of_machine(text: str) -> bool:
    """Whether a text is an address of IPv4 that one machine has."""
    if ":" in text or not is_number(text.rpartition(".")[2]):
        return False
    address = ip_address(text)
    return not (address.is_unspecified or address.is_loopback)


def _closing_rule(
    stack: NetworkStack, origin: Origin, swarm: Swarm, protocol: str, number: int
) -> Step | None:
    """The rule that certainly closes a port of this node to another one."""
    verdict = refused_by_host(stack, Flow(origin, swarm.node_address, protocol, number))
    return verdict.by if verdict.is_blocked else None
