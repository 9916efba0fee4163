"""Connections that containers try to open now without an answer, each traced to its end."""

from collections.abc import Collection, Iterator
from ipaddress import ip_address

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.addresses.proxy_settings import proxy_of_engine_alone
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.peers.served_names import named_in, served_names
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.absent_machine import HostLinks, absent_machine
from diagnose.evidence.network.calls.awaited_calls import AwaitedCall, awaited_calls
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.host_calls import HostNetworkCalls
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.calls.metadata_calls import calls_without_metadata
from diagnose.evidence.network.calls.refused_on_host import refused_calls
from diagnose.evidence.network.calls.udp_calls import UdpCalls
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.ways_through_containers import (
    WayThroughContainer,
    way_through_container,
)
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours, parse_arp
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.packet import Family
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.mappings import only
from diagnose.model import EvidenceGroup, Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.probes import ProbeServer
from diagnose.registry import evidence

_MOST_PROBED = 4
"""Peers to which one connection from this host is tried."""
_ANSWERS = frozenset({"accepted", "closed", "refused"})
"""What a machine does that gets the packets."""


class UnansweredCalls(Items[UnansweredCall], frozen=True):
    """The calls of programs that want an answer."""

    watched: int = 0
    """Namespaces whose counters were read."""


class SeenCalls(EvidenceGroup, frozen=True):
    """Evidence of calls without an answer: sockets, connections, logs."""

    network_losses: NetworkLosses
    host_network_calls: HostNetworkCalls | None = None
    udp_calls: UdpCalls | None = None
    recent_logs: RecentLogs | None = None
    logged_failures: LoggedFailures | None = None

    @property
    def of_host(self) -> HostNetworkCalls:
        """The calls of containers on the host's own network."""
        calls = self.host_network_calls
        return HostNetworkCalls(()) if calls is None else calls

    @property
    def awaited(self) -> Iterator[AwaitedCall]:
        """The calls of sockets whose missing answer matters."""
        return awaited_calls((*self.network_losses, *self.of_host), self.udp_calls or ())


class CallWays(EvidenceGroup, frozen=True):
    """The path between callers and called: networks, host stack, routes, neighbours."""

    networks: Networks
    host_stack: HostStack | None = None
    neighbours: Neighbours | None = None
    routes: Routes | None = None
    links: Interfaces | None = None
    namespaces: Namespaces | None = None

    @property
    def host_links(self) -> HostLinks:
        return HostLinks(self.routes, self.links, self.neighbours, self.networks)

    @property
    def silent_router(self) -> str:
        """The host's default gateway, where it does not answer ARP; empty otherwise."""
        if self.routes is None or self.neighbours is None:
            return ""
        router = self.routes.router
        if router is None or self.neighbours.unanswered(router) is None:
            return ""
        return router

    def silent_interface(self, address: str) -> str:
        """The host's interface on which no machine answers to an address; "" if none is known."""
        entry = None if self.neighbours is None else self.neighbours.unanswered(address)
        return "" if entry is None else entry.interface


@evidence
def unanswered_calls(
    host: Host,
    containers: Containers,
    records: SeenCalls,
    ways: CallWays,
    info: Info | None,
    clock: Clock,
) -> UnansweredCalls:
    """The unanswered calls in sockets and logs.

    A caller on the host's network is traced as the host is. A call that a log calls refused counts
    where a rule of this host refuses it. The metadata service accepts a
    connection and its answer is lost: only a log shows that, and the host's counter of packets
    without a hop left. Peers on the internet at unusual ports are left out: programs that share
    files try thousands.
    """
    callers = _Callers(containers, ways, records.recent_logs, info)
    calls: list[UnansweredCall] = []
    for awaited in records.awaited:
        call = callers.call(awaited)
        traced = None if ways.host_stack is None else _trace_of(call, ways.host_stack.stack)
        source = _foreign_source(traced, ways.links)
        mistaken = _mistaken_neighbour(host, call)
        calls.append(
            msgspec.structs.replace(call, trace=traced, foreign_source=source, mistaken=mistaken)
        )
    # the tool's own requests for pages leave from the same namespaces
    lost = [call for call in calls if not call.is_to_itself or not call.has_loopback]
    lost = _with_answers_to_host(host, lost)
    lost += calls_without_metadata(host, containers, records.recent_logs, clock)
    lost += _calls_refused_here(records, callers, ways)
    return UnansweredCalls(tuple(lost), records.network_losses.counted + records.of_host.watched)


def _calls_refused_here(
    records: SeenCalls, callers: "_Callers", ways: CallWays
) -> Iterator[UnansweredCall]:
    """The calls that are refused by a rule of this host, by their trace."""
    if ways.host_stack is None:
        return
    for refused in refused_calls(records.logged_failures or ()):
        call = callers.call(refused)
        traced = _trace_of(call, ways.host_stack.stack)
        call = msgspec.structs.replace(call, trace=traced, is_refused=True)
        if call.obstacle is not None and call.obstacle.reason == "rule":
            yield call


class _Callers:
    """The containers of a host as callers; facts of all calls are collected once."""

    def __init__(
        self,
        containers: Containers,
        ways: CallWays,
        recent_logs: RecentLogs | None,
        info: Info | None,
    ) -> None:
        self._containers = containers
        self._ways = ways
        self._recent_logs = recent_logs
        self._info = info
        self._filtering = _filtering_owners(containers)
        self._publishers = _publishers(containers)
        self._served = served_names(containers.running)
        self._mesh_client = next(filter(_is_userspace_client, containers.running), None)
        self._with_tunnels = [netns for netns in ways.namespaces or () if netns.tunnels]

    def call(self, awaited: AwaitedCall) -> UnansweredCall:
        """A call with the facts of both ends, before its trace."""
        container = awaited.container
        waiting = awaited.waiting
        networks = self._ways.networks
        of_network = networks.bridge_of(ip_address(waiting.address))
        absent = absent_machine(waiting.address, self._ways.host_links)
        is_led_away = of_network is None and absent is not None and bool(absent.router)
        is_tcp = awaited.protocol == "tcp"
        publisher = self._publishers.get(waiting.port) if is_tcp else None
        is_public = publisher is not None and ip_address(waiting.address).is_global
        return UnansweredCall(
            container,
            address=waiting.address,
            port=waiting.port,
            repeats=waiting.repeats,
            network=_way_out(container, networks, of_network),
            peer=_container_at(waiting.address, of_network, self._containers),
            of_network=of_network,
            named_by=where_named(waiting.address, container),
            no_machine=self._ways.silent_interface(waiting.address),
            led_away=absent if is_led_away else None,
            is_closed_in=bool(networks.internal_of(container)),
            may_filter=container.id in self._filtering,
            silent_router=self._ways.silent_router if of_network is None else "",
            further=awaited.further,
            protocol=awaited.protocol,
            publisher=publisher,
            engine_proxy=proxy_of_engine_alone(container, self._containers, self._info),
            mesh_client=self._mesh_client,
            way_through=self._way_through(container, waiting.address),
            own_name=self._own_name(container) if is_public else "",
            has_loopback=self._has_loopback(container),
        )

    def _has_loopback(self, container: Container) -> bool:
        """Whether the loopback interface of the caller is up, as far as that is known."""
        namespaces = self._ways.namespaces
        netns = namespaces.of(container) if namespaces is not None else None
        return netns is None or all(link.up for link in netns.links if link.name == "lo")

    def _way_through(self, container: Container, address: str) -> WayThroughContainer | None:
        """The container whose tunnel leads to the address; None for a caller in its namespace."""
        owner = self._containers.namespace_owners.get(container.id, container)
        return way_through_container(address, owner, self._with_tunnels)

    def _own_name(self, container: Container) -> str:
        """A name of this host's containers that this one reports as unreachable; or "".

        Its own name counts too. A name in its settings shows nothing: most servers are given their
        own and call others.
        """
        lines = self._recent_logs.of(container) if self._recent_logs is not None else ()
        unreached = (line.text for line in lines if signs(line.text) & {"timeout", "unreachable"})
        names = named_in(unreached)
        return next((name for name in self._served if name in names), "")


def _with_answers_to_host(host: Host, calls: list[UnansweredCall]) -> list[UnansweredCall]:
    """The calls; those to another container with its answer to one connection of this host."""
    unexplained = {
        (call.address, call.port): call
        for call in calls
        if call.is_open_to_peer and call.protocol == "tcp"
    }
    answered_places = {
        place
        for place, reply in host.ask_about(
            list(unexplained)[:_MOST_PROBED], lambda place: ProbeServer(*place, is_near=True)
        )
        if not isinstance(reply, Failed) and reply.outcome in _ANSWERS
    }
    return [_with_answer(call, answered_places) for call in calls]


def _with_answer(
    call: UnansweredCall, answered_places: Collection[tuple[str, int]]
) -> UnansweredCall:
    """The call, where its place is one of those that answer this host, with that fact."""
    is_answered = call.is_open_to_peer and (call.address, call.port) in answered_places
    return msgspec.structs.replace(call, peer_answers_host=is_answered)


def _is_userspace_client(container: Container) -> bool:
    """Whether a container runs Tailscale without an interface, as its image does by default."""
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


def _filtering_owners(containers: Containers) -> frozenset[str]:
    """The owners of namespaces in which some container may write rules."""
    owners = containers.namespace_owners
    return frozenset(
        owners.get(container.id, container).id
        for container in containers.running
        if container.host_config.privileged or container.may_route_itself
    )


def _foreign_source(trace: Trace | None, links: Interfaces | None) -> str:
    """The source address to which a rule translates the packets, where this host lacks it; or "".

    The address may be routed to this host all the same; answers to any other one are lost.
    """
    address = trace.snat.address if trace is not None and trace.snat is not None else None
    return address if address and links is not None and not links.holds(address) else ""


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


def _trace_of(call: UnansweredCall, stack: NetworkStack) -> Trace | None:
    """The trace of a call through the host's rules and routes; None where that is not known."""
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
