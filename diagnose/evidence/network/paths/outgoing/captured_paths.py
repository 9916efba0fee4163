"""Connections of containers to the outside that a rule redirects to a program of the host itself.

Transparent proxies (Clash, v2ray, dnscrypt-proxy) take them by REDIRECT or DNAT rules. Where the
program has ended and its rules are left, the connections reach nothing.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_everywhere
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.outgoing.outbound_paths import SAMPLES
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.walks import leads_out
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.mappings import first_of
from diagnose.registry import evidence


class CapturedPath(msgspec.Struct, frozen=True):
    """Packets of one network to an outside port, redirected to a port of the host."""

    network: Network
    members: tuple[Container, ...]
    protocol: Literal["tcp", "udp"]
    port: int
    host_port: int
    by: Step
    """The rule that does it."""
    taker: Listener | None
    """The socket that takes them, None where there is none."""
    elsewhere: Listener | None
    """A socket of that port on another address alone."""
    is_known: bool = True
    """Whether the host's sockets could be listed."""


class CapturedPaths(Items[CapturedPath], frozen=True):
    """The sample connections that rules redirect to the host, for each network that leads out."""

    walked: int = 0
    """How many samples were traced."""
    why_none: str = ""


@evidence
def captured_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    walked_host: WalkedHost,
    listeners: Listeners | None,
) -> CapturedPaths:
    """The captured connections, by one trace for each network and sample.

    Empty where no rule translates destinations.
    """
    if walked_host.why_not:
        return CapturedPaths((), why_none=walked_host.why_not)
    paths: list[CapturedPath] = []
    walked = 0
    for network, members, address in _sources(containers, networks):
        host_address = host_stack.stack.address_on(network.bridge, "ip") or ""
        for protocol, port in SAMPLES:
            walked += 1
            flow = Flow(Origin(network.bridge, address), SOMEWHERE, protocol, port)
            capture = local_capture(trace(host_stack.stack, flow))
            if capture is None:
                continue
            sockets = _sockets_for(
                listeners, protocol, capture.address or host_address, capture.port
            )
            paths.append(
                CapturedPath(
                    network,
                    members,
                    protocol,
                    port,
                    capture.port,
                    capture.by,
                    *sockets,
                    listeners is not None,
                )
            )
    return CapturedPaths(tuple(paths), walked)


class LocalCapture(msgspec.Struct, frozen=True):
    """The port of the host to which a rule redirects a packet."""

    address: str
    port: int
    by: Step


def local_capture(traced: Trace) -> LocalCapture | None:
    """The port of the host that takes the packet; None where the packet leaves, or may leave."""
    packet = traced.packet
    step = traced.nat_by
    stays_here = traced.to == "" and not traced.nat_unknown
    if traced.nat is None or step is None or not stays_here:
        return None
    if packet is None or packet.dport is None:
        return None
    return LocalCapture(packet.dst or "", packet.dport, step)


class _Source(NamedTuple):
    """A network whose containers open connections."""

    network: Network
    members: tuple[Container, ...]
    """Its running containers."""
    address: str
    """The address of the first of them."""


def _sources(containers: Containers, networks: Networks) -> Iterator[_Source]:
    """The networks that lead out and have running containers."""
    members_of: dict[str, list[tuple[Container, str]]] = {}
    for container in containers.running:
        for network, endpoint in networks.places_of(container):
            if endpoint.ip_address and leads_out(network):
                members_of.setdefault(network.name, []).append((container, endpoint.ip_address))
    for name, attached in sorted(members_of.items()):
        members = tuple(container for container, _ in attached)
        _, address = attached[0]
        yield _Source(networks.by_name[name], members, address)


def _sockets_for(
    listeners: Listeners | None, protocol: str, address: str, port: int
) -> tuple[Listener | None, Listener | None]:
    """The socket that takes packets for an address and port, or one that does not hear them."""
    of_port = [
        listener
        for listener in listeners or ()
        if listener.port == port and listener.proto.startswith(protocol)
    ]
    taker = next(
        (other for other in of_port if is_everywhere(other.address) or other.address == address),
        None,
    )
    return taker, None if taker is not None else first_of(of_port, None)
