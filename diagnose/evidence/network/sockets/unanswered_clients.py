"""Clients of published ports that try again and again, and never get a connection."""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import EVERYWHERE6
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.half_open import UNCONFIRMED
from diagnose.evidence.network.sockets.udp_flows import UdpFlows
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.packet import Family
from diagnose.firewall.trace import trace
from diagnose.mappings import by_key
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.network import ListConnections, UdpFlow
from diagnose.registry import evidence

MOST_PORTS = 20
"""How many ports are looked up; each costs a walk over the kernel's connection table."""
LEAST = 2
"""Connections that one client tried to open: a single packet may get lost."""
LEAST_STRANGERS = 3
"""How many clients of the internet count: a single one may have a forged source address."""
_ANSWERED = frozenset({53, 123, 1812, 3478})
"""Ports inside containers at which every request is answered: DNS, NTP, RADIUS, STUN."""
RECENT_S = 40.0
"""The last try is not older: many load balancers try every thirty seconds."""
_SETTLED_S = 10.0
"""Seconds after its start until a container's address is known on its bridge."""
_OVER = "time_wait"
"""The state of a connection that has ended."""
_TIMEOUT = "net.netfilter.nf_conntrack_tcp_timeout_"

Stage = Literal["request", "answer"]
"""The progress of a connection: the container does not answer, or the client gets no answer."""


class UnansweredClients(msgspec.Struct, frozen=True):
    """The clients of one published port that get no connection."""

    container: Container
    host_port: int
    stage: Stage
    clients: tuple[str, ...]
    tries: int
    strangers: bool = False
    """Whether they have addresses of the internet, where no other client has a connection."""
    protocol: Literal["tcp", "udp"] = "tcp"
    leaves_by: str = ""
    router: str = ""
    """leaves_by, router: where this host sends an answer to the first of them; empty where that is
    not known."""
    route: str = ""
    """The route that decides it."""
    stopped_by: str = ""
    """The rule of this host that drops the answer before it leaves, in words."""

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.clients[0]

    @property
    def place(self) -> str:
        """The host's port, with its protocol where that is UDP."""
        return f"{self.host_port}/udp" if self.protocol == "udp" else str(self.host_port)


class UnansweredClientsByPort(Items[UnansweredClients], frozen=True):
    """Clients of published ports that get no answer."""

    watched: int = 0
    """Published ports whose connections were read."""
    unread: tuple[Unexamined, ...] = ()
    """Containers with ports that were not looked at."""


@evidence
def unanswered_clients(
    host: Host,
    containers: Containers,
    networks: Networks,
    links: Interfaces,
    clock: Clock,
    host_stack: HostStack | None,
    udp_flows: UdpFlows | Unavailable,
) -> UnansweredClientsByPort | Unavailable:
    """The clients of published ports that get no answer, by tracked connections to containers.

    The kernel keeps an entry only of packets that its rules accept. The state `syn_sent` means that
    no answer came from the container, `syn_recv` that the client never confirmed the answer. Over
    UDP only servers are looked at that answer every request.
    """
    over_udp = _udp_clients(containers, networks, links, udp_flows)
    ports = host.first(containers.ports_published_by("tcp"), MOST_PORTS, "published TCP ports")
    if not ports:
        return over_udp
    tables = _tables(host, ports, links, containers)
    if isinstance(tables, Unavailable):
        return tables
    ages = _Ages(host, clock, links)
    if ages.unread is not None and any(map(_are_waiting, tables.values())):
        return Unavailable.of(ages.unread)
    items = list(over_udp)
    for port, flows in tables.items():
        outer = [flow for flow in flows if _is_from_outside(flow, networks, links)]
        for address, led in by_key((flow.reply_src, flow) for flow in outer).items():
            container = _server(address, port, containers, links)
            if container is not None:
                unanswered = _unanswered_clients(container, port, led, ages)
                items += [
                    _with_way_back(clients, led[0].dst, address, networks, host_stack)
                    for clients in unanswered
                ]
    unread = (*over_udp.unread, *_left_out(containers, set(ports)))
    return UnansweredClientsByPort(tuple(items), over_udp.watched + len(tables), unread)


def _server(address: str, port: int, containers: Containers, links: Interfaces) -> Container | None:
    """The container that has this address, or that publishes the port at one of the host's.

    Its docker-proxy takes calls over IPv6.
    """
    container = _container_at(address, containers)
    if container is None and links.holds(address):
        return containers.publisher_of(port)
    return container


def _tables(
    host: Host, ports: Sequence[int], links: Interfaces, containers: Containers
) -> dict[int, Sequence[UdpFlow]] | Unavailable:
    """The tracked connections to each port; none where the kernel tracks none.

    Those over IPv6 too, where other machines can call the host by it.
    """
    questions = [(port, ListConnections(protocol="tcp", dport=port)) for port in ports]
    if links.has_ipv6_for_others:
        questions += [
            (port, ListConnections(family="inet6", protocol="tcp", dport=port))
            for port in ports
            if _is_published_for_ipv6(port, containers)
        ]
    tables: dict[int, Sequence[UdpFlow]] = {}
    for (port, _), table in host.ask_in_order(questions, lambda pair: pair[1]):
        if isinstance(table, Failed):
            return Unavailable.of(table)
        if table.loaded:
            tables[port] = [*tables.get(port, ()), *table.entries]
    return dict(sorted(tables.items()))


def _is_published_for_ipv6(port: int, containers: Containers) -> bool:
    places = (
        published.host_ip
        for container in containers.running
        for published in container.published_by("tcp")
        if published.host_port == port
    )
    return any(place in EVERYWHERE6 or ":" in place for place in places)


def _are_waiting(flows: Iterable[UdpFlow]) -> bool:
    return any(flow.state in UNCONFIRMED for flow in flows)


def _left_out(containers: Containers, asked_ports: set[int]) -> Iterator[Unexamined]:
    """The containers with ports beyond those that are asked about."""
    for container in containers.running:
        ports = {published.host_port for published in container.published_by("tcp")}
        rest = sorted(ports - asked_ports)
        if rest:
            why = (
                f"connections to {MOST_PORTS} ports are read, and port {rest[0]} is not among them"
            )
            yield Unexamined(container.subject, why)


def _udp_clients(
    containers: Containers, networks: Networks, links: Interfaces, flows: UdpFlows | Unavailable
) -> UnansweredClientsByPort:
    """The clients that a server has not answered within the half minute that the kernel remembers.

    Addresses of the internet are left out: a server may ignore them on purpose.
    """
    if isinstance(flows, Unavailable):
        unread = _unread_over_udp(containers, flows) if flows.reason != "missing" else ()
        return UnansweredClientsByPort((), unread=tuple(unread))
    items = []
    for container, port in _udp_servers(containers):
        own_addresses = container.ipv4_addresses
        led = [
            flow
            for flow in flows.to(port)
            if flow.reply_src in own_addresses and _is_from_outside(flow, networks, links)
        ]
        answered = {flow.src for flow in led if "seen_reply" in flow.status}
        lost = _never_answered(_neighbours(led, links), answered)
        if lost:
            group = _group(container, port, "request", lost)
            items.append(msgspec.structs.replace(group, protocol="udp"))
    return UnansweredClientsByPort(tuple(items), len(flows))


def _udp_servers(containers: Containers) -> Iterator[tuple[Container, int]]:
    """The containers that answer every request over UDP, and the host's ports that lead there."""
    for container in containers.running:
        for published in container.published_by("udp"):
            if published.number in _ANSWERED:
                yield container, published.host_port


def _unread_over_udp(containers: Containers, why: Unavailable) -> Iterator[Unexamined]:
    for container in containers.running:
        if any(container.published_by("udp")):
            yield Unexamined(container.subject, f"clients over UDP: {why}")


class _Ages:
    """The time of a connection's last packet, by the time that its entry has left.

    links: the interfaces of the host, whose neighbours are not strangers.
    """

    def __init__(self, host: Host, clock: Clock, links: Interfaces) -> None:
        names = {state: f"{_TIMEOUT}{state}" for state in sorted(UNCONFIRMED)}
        answer = host.ask(ReadSysctls(list(names.values())))
        self.unread = answer if isinstance(answer, Failed) else None
        settings = {} if isinstance(answer, Failed) else answer
        self._limits = {state: settings.get(name) or "" for state, name in names.items()}
        self._host = host
        self.clock = clock
        self.links = links

    @functools.cached_property
    def _limit_over(self) -> str:
        """The seconds for which an ended connection is kept; asked where a client had one."""
        name = f"{_TIMEOUT}{_OVER}"
        answer = self._host.ask(ReadSysctls([name]))
        return "" if isinstance(answer, Failed) else answer.get(name) or ""

    def of(self, flow: UdpFlow) -> float | None:
        """Seconds; None where they are not known."""
        limit = self._limits.get(flow.state or "", "")
        if flow.state == _OVER:
            limit = self._limit_over
        if not limit.isdigit() or flow.timeout is None:
            return None
        return float(int(limit) - flow.timeout)


def _is_from_outside(flow: UdpFlow, networks: Networks, links: Interfaces) -> bool:
    """Whether another machine called an address of the host, and a rule redirected it elsewhere.

    Over IPv6 docker-proxy may take the call.
    """
    is_led = links.holds(flow.dst) and (flow.reply_src != flow.dst or ":" in flow.dst)
    if not is_led or links.holds(flow.src):
        return False
    return networks.bridge_of(ip_address(flow.src)) is None


def _container_at(address: str, containers: Containers) -> Container | None:
    """The running container that has this address on any network."""
    return next(
        (
            container
            for container in containers.running
            for endpoint in container.endpoints.values()
            if address in endpoint.addresses
        ),
        None,
    )


def _unanswered_clients(
    container: Container, port: int, flows: list[UdpFlow], ages: _Ages
) -> Iterator[UnansweredClients]:
    """The clients without a connection, by how far their packets come."""
    tries = [flow for flow in flows if _is_recent_try(flow, container, ages)]
    answered = _answered_clients(flows, tries, ages)
    for state, flows_in_state in by_key((flow.state, flow) for flow in tries).items():
        stage: Stage = "request" if state == "syn_sent" else "answer"
        lost = _never_answered(_neighbours(flows_in_state, ages.links), answered)
        if lost:
            yield _group(container, port, stage, lost)
        far = _strangers(flows_in_state, ages.links)
        is_reached = any(ip_address(client).is_global for client in answered)
        if len(far) >= LEAST_STRANGERS and not is_reached:
            yield msgspec.structs.replace(_group(container, port, stage, far), strangers=True)


def _answered_clients(flows: Iterable[UdpFlow], tries: Iterable[UdpFlow], ages: _Ages) -> set[str]:
    """The clients that are served: a connection that ended before all of their tries is past."""
    began: dict[str, float] = {}
    for flow in tries:
        began[flow.src] = max(began.get(flow.src, 0.0), ages.of(flow) or 0.0)
    return {
        flow.src
        for flow in flows
        if flow.state not in UNCONFIRMED
        and not (flow.src in began and (ages.of(flow) or 0.0) > began[flow.src])
    }


def _neighbours(flows: Iterable[UdpFlow], links: Interfaces) -> dict[str, list[UdpFlow]]:
    """By client, without those of the internet."""
    return by_key((flow.src, flow) for flow in flows if _is_near(flow.src, links))


def _strangers(flows: Iterable[UdpFlow], links: Interfaces) -> dict[str, list[UdpFlow]]:
    """By client, only those of the internet."""
    return by_key((flow.src, flow) for flow in flows if not _is_near(flow.src, links))


def _is_near(client: str, links: Interfaces) -> bool:
    """Whether a client has no address of the internet, or an IPv6 one of the host's own network."""
    address = ip_address(client)
    return not address.is_global or (address.version == 6 and links.is_neighbour(client))


def _never_answered(
    by_client: Mapping[str, list[UdpFlow]], answered: Collection[str]
) -> dict[str, list[UdpFlow]]:
    """The clients that tried several times, and never got through."""
    return {
        client: tries
        for client, tries in by_client.items()
        if len(tries) >= LEAST and client not in answered
    }


def _group(
    container: Container, port: int, stage: Stage, by_client: dict[str, list[UdpFlow]]
) -> UnansweredClients:
    tries = sum(map(len, by_client.values()))
    return UnansweredClients(container, port, stage, tuple(sorted(by_client)), tries)


def _with_way_back(
    clients: UnansweredClients,
    called: str,
    source: str,
    networks: Networks,
    host_stack: HostStack | None,
) -> UnansweredClients:
    """The clients, with the path of an answer from the container's address.

    A rule of this host drops it, or a route leads it on. called: the host's address.
    """
    if host_stack is None or clients.stage == "request":
        return clients
    stack = host_stack.stack
    client = clients.clients[0]
    origin = Origin(stack.routing.look_up(client).oif, client)
    family: Family = "ip6" if clients.is_ipv6 else "ip"
    in_the_way = trace(
        stack, Flow(origin, called, "tcp", clients.host_port, family)
    ).rule_in_the_way
    if in_the_way is not None and in_the_way.part == "reply":
        return msgspec.structs.replace(clients, stopped_by=str(in_the_way.by))
    network = networks.bridge_of(ip_address(source))
    bridge = network.bridge if network is not None else "lo"
    decision = stack.routing.look_up(client, source, bridge)
    return msgspec.structs.replace(
        clients, leaves_by=decision.oif, router=decision.gateway or "", route=decision.by
    )


def _is_recent_try(flow: UdpFlow, container: Container, ages: _Ages) -> bool:
    """Whether a flow is a try without a connection, recent, and of the container's present run."""
    if flow.state not in UNCONFIRMED:
        return False
    age = ages.of(flow)
    running_s = ages.clock.age(container.started_at)
    if age is None or age > RECENT_S:
        return False
    return running_s is not None and age < running_s - _SETTLED_S
