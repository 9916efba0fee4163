"""Connections that containers try to open now and that nobody answers, each walked to its end."""

from __future__ import annotations

import re
from ipaddress import ip_address

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.failing_calls import where_named
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.wants import PORT_OF_SCHEME, PORT_OF_WORD
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sockets.losses import NamespaceLoss, NetworkLosses
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.packet import Family
from diagnose.firewall.stack import Stack
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.sockets import WaitingCall
from diagnose.registry import evidence

METADATA = "169.254.169.254"
"""Where clouds tell a machine about itself."""
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


class UnansweredCall(msgspec.Struct, frozen=True):
    """Requests of one container to one place, repeated without an answer."""

    container: Container
    address: str
    port: int
    repeats: int
    network: Network | None = None
    """By which they leave; None where that is not known."""
    peer: Container | None = None
    """The container that has the address."""
    of_network: Network | None = None
    """The Docker network whose subnet holds it."""
    named_by: str = ""
    """Where the container's configuration names it."""
    no_machine: str = ""
    """The interface on which nobody has it, by ARP."""
    is_closed_in: bool = False
    """Whether all networks of the container are internal."""
    may_filter: bool = False
    """Whether its own namespace may hold rules (NET_ADMIN)."""
    silent_router: str = ""
    """The host's router, where nobody answers for its address."""
    trace: Trace | None = None
    """How the host treats them."""
    expired: int = 0
    """Packets that this host has thrown away because their hop limit ended here, by its own counter
    since boot."""

    @property
    def has_no_way_out(self) -> bool:
        """Whether it calls the outside from a container that is on internal networks only."""
        return self.network is None and self.of_network is None and self.is_closed_in

    @property
    def is_untranslated(self) -> bool:
        """Whether it leaves the host with the container's own address, which the engine hides."""
        if self.network is None or self.trace is None or self.of_network is not None:
            return False
        is_open = self.trace.obstacle is None or self.trace.obstacle.part == "reply"
        leaves = bool(self.trace.to) and is_open and self.network.masquerades
        return leaves and self.trace.snat is None and not self.trace.nat_unknown

    @property
    def source(self) -> str:
        """The address of the container on the network by which it calls."""
        if self.network is None:
            return ""
        endpoint = self.container.endpoints[self.network.name]
        return endpoint.global_ipv6_address if ":" in self.address else endpoint.ip_address

    @property
    def place(self) -> str:
        """ADDRESS:PORT as people write it."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


class UnansweredCalls(msgspec.Struct, frozen=True):
    """The calls of programs that want an answer. watched: namespaces whose counters were read."""

    items: tuple[UnansweredCall, ...] = ()
    watched: int = 0

    def __len__(self) -> int:
        return len(self.items)


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
    clock: Clock,
) -> UnansweredCalls:
    """Sockets and logs were read before.

    The metadata service accepts a connection and its answer is lost: only a log tells, and the
    host's counter of packets without a hop left. Peers on the internet at unusual ports are left
    out: programs that share files try thousands.
    """
    router = _silent_router(routes, neighbours)
    filtering = _filtering(containers)
    calls: list[UnansweredCall] = []
    for loss in network_losses.items:
        container = loss.container
        for waiting in _wanted(loss):
            of_network = networks.bridge_of(ip_address(waiting.address))
            entry = None if neighbours is None else neighbours.unanswered(waiting.address)
            call = UnansweredCall(
                container,
                waiting.address,
                waiting.port,
                waiting.repeats,
                _way_out(container, networks, of_network),
                _holder(waiting.address, of_network, containers),
                of_network,
                where_named(waiting.address, container),
                entry.interface if entry is not None else "",
                bool(networks.internal_of(container)),
                container.id in filtering,
                router if of_network is None else "",
            )
            traced = None if host_stack is None else _traced(call, host_stack.stack)
            calls.append(msgspec.structs.replace(call, trace=traced))
    calls += _without_metadata(host, containers, recent_logs, clock)
    return UnansweredCalls(tuple(calls), network_losses.counted)


def _silent_router(routes: Routes | None, neighbours: Neighbours | None) -> str:
    """The host's default gateway, where it does not answer ARP; empty otherwise."""
    router = routes.router if routes is not None else None
    if router is None or neighbours is None or neighbours.unanswered(router) is None:
        return ""
    return router


def _filtering(containers: Containers) -> frozenset[str]:
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
    named: list[UnansweredCall] = []
    unnamed: list[UnansweredCall] = []
    for container in containers.running:
        if container.shares_host_network:
            continue
        lines = recent_logs.repeated(container, _tells_of_metadata, clock)
        lines_without = recent_logs.repeated(container, _tells_of_no_credentials, clock)
        if lines:
            named.append(UnansweredCall(container, METADATA, 80, len(lines) - 1))
        elif lines_without:
            unnamed.append(UnansweredCall(container, METADATA, 80, len(lines_without) - 1))
    expired = _expired(host) if named or unnamed else 0
    # each call of the service loses a packet; a traceroute of last week loses a few
    calls = [*named, *(call for call in unnamed if expired > call.repeats)]
    return [msgspec.structs.replace(call, expired=expired) for call in calls]


def _expired(host: Host) -> int:
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


def _wanted(loss: NamespaceLoss) -> list[WaitingCall]:
    """The calls whose answer somebody misses."""
    calls = [
        call
        for call in loss.calls
        if _is_wanted(call, loss.container) and not ip_address(call.address).is_loopback
    ]
    if len(calls) > MOST_PLACES:
        return [call for call in calls if where_named(call.address, loss.container)]
    return calls


def _holder(address: str, network: Network | None, containers: Containers) -> Container | None:
    """The container of a network that has an address there."""
    if network is None:
        return None
    return containers.by_place.get((network.name, address))


def _is_wanted(call: WaitingCall, container: Container) -> bool:
    is_service = call.port < _PRIVILEGED or call.port in _SERVICES
    is_near = not ip_address(call.address).is_global
    return is_service or is_near or bool(where_named(call.address, container))


def _way_out(
    container: Container, networks: Networks, of_network: Network | None
) -> Network | None:
    """The network by which a call leaves: that of its address, or one that leads out."""
    if of_network is not None and of_network.name in container.endpoints:
        return of_network
    attached = [networks.by_name.get(name) for name in sorted(container.endpoints)]
    leading = [network for network in attached if network is not None and not network.internal]
    return leading[0] if len(leading) == 1 else None


def _traced(call: UnansweredCall, stack: Stack) -> Trace | None:
    """What the host's rules and routes do to a call; None where that is not known."""
    network = call.network
    if network is None or not network.is_bridge or not call.source:
        return None
    family: Family = "ip6" if ":" in call.address else "ip"
    flow = Flow(Origin(network.bridge, call.source), call.address, "tcp", call.port, family)
    if call.of_network is not None and call.of_network.name == network.name:
        return trace_bridged(stack, flow)
    return trace(stack, flow)
