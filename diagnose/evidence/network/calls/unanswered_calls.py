"""Connections that containers try to open now and that nobody answers, each walked to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Literal, NamedTuple

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.peers.served_names import named_in, served_names
from diagnose.evidence.containers.settings.proxy_settings import proxy_of_engine_alone
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.absent_machine import HostLinks, absent_machine
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.host_calls import HostNetworkCalls
from diagnose.evidence.network.calls.udp_calls import UdpCalls
from diagnose.evidence.network.calls.unanswered_call import MAIL, METADATA, UnansweredCall
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours, parse_arp
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.wanted.wants import PORT_OF_SCHEME, PORT_OF_WORD
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sockets.losses import NamespaceLoss, NetworkLosses
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.packet import Family
from diagnose.firewall.stack import Stack
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.sockets import WaitingCall
from diagnose.registry import evidence

_WITHOUT_CREDENTIALS = LazyPattern(
    r"unable to locate credentials|NoCredentialProviders|no EC2 IMDS role found|ec2imds: "
    r"|could not load credentials from any providers|EC2MetadataError"
    r"|unable to load credentials from any of the providers|Instance Metadata Service",
    re.IGNORECASE,
)
"""How Amazon's libraries say that nobody gave them credentials; few of them name the service that
they have asked last. Three words tell quickly that a line is about something else."""
MOST_PLACES = 5
"""A program that calls more places which do not answer looks for some: a scanner, a monitor."""
_PRIVILEGED = 1024
_SERVICES = frozenset({*PORT_OF_SCHEME.values(), *PORT_OF_WORD.values()})


class UnansweredCalls(Items[UnansweredCall], frozen=True):
    """The calls of programs that want an answer."""

    watched: int = 0
    """Namespaces whose counters were read."""


@evidence
def unanswered_calls(
    host: Host,
    network_losses: NetworkLosses,
    containers: Containers,
    networks: Networks,
    host_stack: HostStack | None,
    neighbours: Neighbours | None,
    routes: Routes | None,
    recent_logs: RecentLogs | None,
    host_network_calls: HostNetworkCalls | None,
    udp_calls: UdpCalls | None,
    info: Info | None,
    clock: Clock,
    links: Interfaces | None,
) -> UnansweredCalls:
    """The calls that sockets and logs show.

    A caller on the host's network is walked as the host is. The metadata service accepts a
    connection and its answer is lost: only a log tells, and the host's counter of packets without a
    hop left. Peers on the internet at unusual ports are left out: programs that share files try
    thousands.
    """
    router = _silent_router(routes, neighbours)
    ways = HostLinks(routes, links, neighbours, networks)
    filtering = _filtering_owners(containers)
    calls: list[UnansweredCall] = []
    of_host = HostNetworkCalls(()) if host_network_calls is None else host_network_calls
    publishers = _publishers(containers)
    served = served_names(containers.running)
    userspace_client = next(filter(_is_userspace_client, containers.running), None)
    for container, waiting, further, protocol in _awaited_calls(network_losses, of_host, udp_calls):
        of_network = networks.bridge_of(ip_address(waiting.address))
        absent = absent_machine(waiting.address, ways)
        is_led_away = of_network is None and absent is not None and bool(absent.router)
        call = UnansweredCall(
            container,
            address=waiting.address,
            port=waiting.port,
            repeats=waiting.repeats,
            network=_way_out(container, networks, of_network),
            peer=_container_at(waiting.address, of_network, containers),
            of_network=of_network,
            named_by=where_named(waiting.address, container),
            no_machine=_silent_interface(waiting.address, neighbours),
            led_away=absent if is_led_away else None,
            is_closed_in=bool(networks.internal_of(container)),
            may_filter=container.id in filtering,
            silent_router=router if of_network is None else "",
            further=further,
            protocol=protocol,
            publisher=publishers.get(waiting.port) if protocol == "tcp" else None,
            engine_proxy=proxy_of_engine_alone(container, containers, info),
            mesh_client=userspace_client,
        )
        if call.publisher is not None and ip_address(call.address).is_global:
            own_name = _own_name(container, served, recent_logs)
            call = msgspec.structs.replace(call, own_name=own_name)
        traced = None if host_stack is None else _trace_of(call, host_stack.stack)
        mistaken = _mistaken_neighbour(host, call)
        source = _foreign_source(traced, links)
        calls.append(
            msgspec.structs.replace(call, trace=traced, foreign_source=source, mistaken=mistaken)
        )
    calls += _without_metadata(host, containers, recent_logs, clock)
    return UnansweredCalls(tuple(calls), network_losses.counted + of_host.watched)


def _is_userspace_client(container: Container) -> bool:
    """Whether a container runs Tailscale without an interface, as its image does by itself."""
    words = " ".join(container.command)
    if "--tun=userspace-networking" in words:
        return True
    is_image = "tailscale/tailscale" in container.config.image
    return is_image and container.config.value_of("TS_USERSPACE") != "false"


def _publishers(containers: Containers) -> dict[int, Container]:
    """The running containers by the TCP ports of the host that they publish."""
    return {
        published.host_port: container
        for container in containers.running
        for published in container.published_by("tcp")
    }


def _silent_interface(address: str, neighbours: Neighbours | None) -> str:
    """The host's interface on which nobody answers to an address; "" if none is known."""
    entry = None if neighbours is None else neighbours.unanswered(address)
    return "" if entry is None else entry.interface


def _silent_router(routes: Routes | None, neighbours: Neighbours | None) -> str:
    """The host's default gateway, where it does not answer ARP; empty otherwise."""
    router = routes.router if routes is not None else None
    if router is None or neighbours is None or neighbours.unanswered(router) is None:
        return ""
    return router


def _filtering_owners(containers: Containers) -> frozenset[str]:
    """The owners of namespaces in which some container may write rules."""
    owners = containers.namespace_owners
    return frozenset(
        owners.get(container.id, container).id
        for container in containers.running
        if container.host_config.privileged or container.may_route_itself
    )


def _without_metadata(
    host: Host, containers: Containers, recent_logs: RecentLogs | None, clock: Clock
) -> list[UnansweredCall]:
    """The containers on bridges whose log says now that the metadata service gives no answer.

    A library that found no credentials may have asked nobody: it counts where the host has thrown
    away at least as many packets, since their hop limit ended here.
    """
    if recent_logs is None:
        return []
    named_calls: list[UnansweredCall] = []
    unnamed: list[UnansweredCall] = []
    for container in containers.running:
        if container.shares_host_network:
            continue
        lines = recent_logs.repeated(container, _tells_of_metadata, clock)
        lines_without = recent_logs.repeated(container, _tells_of_no_credentials, clock)
        if lines:
            named_calls.append(UnansweredCall(container, METADATA, 80, len(lines) - 1))
        elif lines_without:
            unnamed.append(UnansweredCall(container, METADATA, 80, len(lines_without) - 1))
    expired = _expired_packets(host) if named_calls or unnamed else 0
    # each call of the service loses a packet; a traceroute of last week loses a few
    calls = [*named_calls, *(call for call in unnamed if expired > call.repeats)]
    return [msgspec.structs.replace(call, expired=expired) for call in calls]


def _foreign_source(trace: Trace | None, links: Interfaces | None) -> str:
    """The address to which a rule translates what leaves, where this host does not have it.

    It may be routed to this host all the same; answers to any other one are lost.
    """
    address = trace.snat.address if trace is not None and trace.snat is not None else None
    return address if address and links is not None and not links.holds(address) else ""


def _expired_packets(host: Host) -> int:
    """ICMP messages "time exceeded" that this host has sent (RFC 1213, icmpOutTimeExcds)."""
    answer = host.ask(ReadFile("/proc/net/snmp"))
    if isinstance(answer, Failed):
        return 0
    rows = [line.split() for line in answer.text.splitlines() if line.startswith("Icmp:")]
    if len(rows) != 2 or "OutTimeExcds" not in rows[0]:
        return 0
    return int(rows[1][rows[0].index("OutTimeExcds")])


def _tells_of_metadata(text: str) -> bool:
    return METADATA in text and bool(signs(text) & {"timeout", "unreachable"})


def _tells_of_no_credentials(text: str) -> bool:
    lowered = text.lower()
    has_mark = "credential" in lowered or "ec2" in lowered or "metadata" in lowered
    return has_mark and _WITHOUT_CREDENTIALS.search(text) is not None


def _own_name(
    container: Container, served: Mapping[str, Container], recent_logs: RecentLogs | None
) -> str:
    """A name that a container of this host serves and that this one says it cannot reach.

    Its own name counts too. In its settings a name shows nothing: most servers are given their own
    and call others. Empty where there is none.
    """
    lines = recent_logs.of(container) if recent_logs is not None else ()
    names = named_in(line.text for line in lines if signs(line.text) & {"timeout", "unreachable"})
    return next((name for name in served if name in names), "")


class _Awaited(NamedTuple):
    """A call whose answer somebody misses, with further addresses at the same port."""

    container: Container
    waiting: WaitingCall
    further: tuple[str, ...] = ()
    protocol: Literal["tcp", "udp"] = "tcp"


def _awaited_calls(
    network_losses: NetworkLosses, of_host: HostNetworkCalls, udp_calls: UdpCalls | None
) -> Iterator[_Awaited]:
    for loss in (*network_losses.items, *of_host):
        for waiting, further in _wanted_calls(loss):
            yield _Awaited(loss.container, waiting, further)
    for loss in udp_calls or ():
        for waiting in loss.calls:
            yield _Awaited(loss.container, waiting, protocol="udp")


def _wanted_calls(loss: NamespaceLoss) -> list[tuple[WaitingCall, tuple[str, ...]]]:
    """The calls whose answer somebody misses, each with further addresses at the same port.

    Many machines at the port of one service, as a mail server calls them, are one call.
    """
    calls = [
        call
        for call in loss.calls
        if _is_wanted(call, loss.container) and not ip_address(call.address).is_loopback
    ]
    if len(calls) <= MOST_PLACES:
        return [(call, ()) for call in calls]
    first = calls[0]
    if first.port == MAIL and all(call.port == MAIL for call in calls):
        return [(first, tuple(call.address for call in calls[1:]))]
    return [(call, ()) for call in calls if where_named(call.address, loss.container)]


def _container_at(
    address: str, network: Network | None, containers: Containers
) -> Container | None:
    """The container of a network that has an address there."""
    if network is None:
        return None
    return containers.by_place.get((network.name, address))


def _mistaken_neighbour(host: Host, call: UnansweredCall) -> Neighbour | None:
    """By the ARP table of the caller's namespace: a program in it may have written the entry.

    The kernel itself soon asks again where a container was replaced by another.
    """
    if call.peer is None or call.of_network is None:
        return None
    mac = call.peer.endpoints[call.of_network.name].mac_address
    table = host.ask(ReadFile(f"/proc/{call.container.state.pid}/net/arp"))
    if not mac or isinstance(table, Failed):
        return None
    return Neighbours(tuple(parse_arp(table.text))).mistaken(call.address, mac)


def _is_wanted(call: WaitingCall, container: Container) -> bool:
    is_service = call.port < _PRIVILEGED or call.port in _SERVICES
    is_near = not ip_address(call.address).is_global
    return is_service or is_near or bool(where_named(call.address, container))


def _way_out(
    container: Container, networks: Networks, of_network: Network | None
) -> Network | None:
    """The network by which a call leaves: that of its address, or one that leads out.

    None for a container on the host's network.
    """
    if container.shares_host_network:
        return None
    if of_network is not None and of_network.name in container.endpoints:
        return of_network
    leading = [network for network in networks.of(container) if not network.internal]
    return only(leading)


def _trace_of(call: UnansweredCall, stack: Stack) -> Trace | None:
    """What the host's rules and routes do to a call; None where that is not known."""
    network = call.network
    family: Family = "ip6" if call.is_ipv6 else "ip"
    if call.container.shares_host_network:
        return trace(stack, Flow(Origin(), call.address, call.protocol, call.port, family))
    if network is None or not network.is_bridge or not call.source:
        return None
    flow = Flow(Origin(network.bridge, call.source), call.address, call.protocol, call.port, family)
    if call.of_network is not None and call.of_network.name == network.name:
        return trace_bridged(stack, flow)
    return trace(stack, flow)
