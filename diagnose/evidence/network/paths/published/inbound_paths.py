"""The way in to each published port of running containers."""

from collections.abc import Collection, Iterator
from ipaddress import ip_address

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.addresses import EVERYWHERE, EVERYWHERE6
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.walks import (
    Attached,
    Walks,
    address_of,
    is_decided,
    leaves_by_another_interface,
    ordinary_peer,
    verdict_of,
)
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.connection_packets import first_packet
from diagnose.firewall.connection_verdict import ConnectionVerdict
from diagnose.firewall.docker import is_docker_chain
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.packet import Family
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.firewall.walk import walk
from diagnose.mappings import first_of


class InboundPath(msgspec.Struct, frozen=True):
    """A published port of a running container, and the verdict on a client behind the uplink."""

    container: Container
    network: Network
    addresses: frozenset[str]
    port: str
    """The port as the engine writes it (`80/tcp`)."""
    host_address: str
    host_port: int
    everywhere: bool
    uplink: Uplink
    reach: ConnectionVerdict
    """The verdict for a source left open."""
    sample: ConnectionVerdict
    """For an ordinary client."""
    refused: ConnectionVerdict
    """Whether the host's own filter would certainly refuse the port if it were not published."""
    family: Family = "ip"

    @property
    def led_by(self) -> Step | None:
        """The rule of another program that redirects the port, if one decides."""
        step = self.reach.nat_by
        return None if step is None or is_docker_chain(step.table, step.chain) else step

    @property
    def container_port(self) -> int:
        return int(self.port.partition("/")[0])

    @property
    def protocol(self) -> str:
        return self.port.partition("/")[2]

    @property
    def is_served_by_host(self) -> bool:
        """Whether a process of the host answers the client, such as docker-proxy."""
        return self.reach.nat is None and self.reach.outcome == "accept"


class OuterPort(msgspec.Struct, frozen=True):
    """A port that is published on an outer address, and its container's networks by address."""

    container: Container
    networks: dict[str, Network]
    port: str
    host_address: str
    host_port: int
    everywhere: bool
    family: Family


def outer_ports(
    attached: list[Attached], uplink: Uplink, family: Family, stack: NetworkStack
) -> Iterator[OuterPort]:
    """The published ports on outer addresses of one family.

    On all of them, by the uplink's address.
    """
    places: dict[str, dict[str, Network]] = {}
    containers = {}
    for container, network, endpoint in attached:
        containers[container.id] = container
        places.setdefault(container.id, {})[address_of(endpoint, family)] = network
    uplink_address = uplink.address if family == "ip" else stack.address_on(uplink.name, family)
    for id, container in containers.items():
        for published in container.published_ports:
            everywhere = published.host_ip in (EVERYWHERE if family == "ip" else EVERYWHERE6)
            address = (uplink_address or "") if everywhere else published.host_ip
            if stack.is_local(address) is False:
                # network.bind-address-missing says so; no rule of Docker matches a packet that is
                # not for this host
                continue
            is_walked = published.host_port and published.protocol in ("tcp", "udp")
            if is_walked and _is_outer(address, family):
                port = published.port
                host_port = published.host_port
                yield OuterPort(
                    container,
                    networks=places[id],
                    port=port,
                    host_address=address,
                    host_port=host_port,
                    everywhere=everywhere,
                    family=family,
                )


def inbound_path_of(walks: Walks, port: OuterPort) -> InboundPath:
    """The verdict on clients behind the uplink at a published port."""
    uplink = walks.uplink
    proto = port.port.partition("/")[2]
    bridges = [network.bridge for network in port.networks.values()]

    def flow_from(origin: Origin) -> Flow:
        return Flow(
            origin, port.host_address, proto, port.host_port, port.family, assumed=uplink.name
        )

    def verdict(origin: Origin) -> ConnectionVerdict:
        return _incoming_verdict(trace(walks.stack, flow_from(origin)), bridges)

    reach = verdict(Origin(uplink.name))
    # a verdict for any client holds for an ordinary one too
    if is_decided(reach):
        sample = reach
    else:
        sample = verdict(Origin(uplink.name, ordinary_peer(port.family)))
    target = reach.nat.address if reach.nat is not None else ""
    first_network = first_of(port.networks.values())
    return InboundPath(
        port.container,
        port.networks.get(target or "", first_network),
        addresses=frozenset(port.networks),
        port=port.port,
        host_address=port.host_address,
        host_port=port.host_port,
        everywhere=port.everywhere,
        uplink=uplink,
        reach=reach,
        sample=sample,
        refused=refused_by_host(walks.stack, flow_from(Origin(uplink.name))),
        family=port.family,
    )


def _incoming_verdict(traced: Trace, bridges: Collection[str]) -> ConnectionVerdict:
    """A trace as the packet filter's verdict: where routes lead is judged elsewhere.

    bridges: those of the container's networks.
    """
    obstacle = traced.obstacle
    is_routed_elsewhere = traced.nat is not None and leaves_by_another_interface(
        traced, "request", bridges
    )
    if is_routed_elsewhere or (obstacle is not None and obstacle.reason != "rule"):
        return ConnectionVerdict("accept", traced.nat, traced.nat_unknown, nat_by=traced.nat_by)
    return verdict_of(traced)


def refused_by_host(stack: NetworkStack, flow: Flow) -> ConnectionVerdict:
    """The verdict of the host's own filter on a connection to one of its processes.

    The trace ignores the translation of the port.
    """
    sent = replace(first_packet(stack, flow), dst_local=True)
    verdict = walk(stack.ruleset, "input", sent)
    return ConnectionVerdict(
        verdict.outcome,
        nat=None,
        nat_unknown=False,
        by=None if verdict.outcome == "accept" else verdict.by,
        hook="input",
    )


def _is_outer(text: str, family: Family) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return address.version == (4 if family == "ip" else 6) and not address.is_loopback
