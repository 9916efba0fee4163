"""Questions about the network: interfaces, routes, sockets, network namespaces and DNS."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

import msgspec

from diagnose.model import Json, Subject
from diagnose.questions.question import Policy, Question

MAIN_TABLE = 254

Subnet = IPv4Network | IPv6Network


class Interface(msgspec.Struct, frozen=True):
    """One interface."""

    index: int
    name: str = ""
    up: bool = False
    """The admin flag, which an idle bridge without a carrier keeps."""
    operstate: str = "unknown"
    """The carrier's word."""
    mtu: int = 0
    """Bytes."""
    kind: str | None = None
    master: int | None = None
    link: int | None = None
    """Index of the peer or parent, in another namespace where link_netnsid is not None."""
    link_netnsid: int | None = None
    mac: str | None = None
    bridge_port_state: str | None = None

    @property
    def subject(self) -> Subject:
        return Subject("interface", self.name)


class ListInterfaces(Question[list[Interface]], frozen=True):
    """Every interface of the tool's network namespace."""

    POLICY = Policy(
        "net.links", "the network interfaces", "network.process:ask", "local", "network", 2, 2
    )


class Address(msgspec.Struct, frozen=True):
    """One address of the interface with this index."""

    index: int
    address: str = ""
    prefix: int = 0
    family: str = "inet"
    scope: str = "global"

    def __post_init__(self) -> None:
        if self.address:
            ip_address(self.address)


class ListAddresses(Question[list[Address]], frozen=True):
    """Every address of the tool's network namespace."""

    POLICY = Policy(
        "net.addresses", "the network addresses", "network.process:ask", "local", "network", 2, 2
    )


class Route(msgspec.Struct, frozen=True, dict=True):
    """One next hop of one route.

    oif: index of its interface. mtu: the route's own metric in bytes, None if it has none.
    """

    dst: str = ""
    prefix: int = 0
    family: str = "inet"
    table: int = MAIN_TABLE
    gateway: str | None = None
    oif: int | None = None
    type: str | None = "unicast"
    scope: str = "global"
    proto: str = ""
    metric: int = 0
    mtu: int | None = None
    src: str | None = None

    def __post_init__(self) -> None:
        ip_network(f"{self.dst}/{self.prefix}", strict=False)
        if self.gateway:
            ip_address(self.gateway)

    @functools.cached_property
    def net(self) -> Subnet:
        return ip_network(f"{self.dst}/{self.prefix}", strict=False)

    @property
    def leads_somewhere(self) -> bool:
        """Whether packets leave through it: not local, broadcast, multicast or blackhole."""
        return self.type == "unicast"

    def __str__(self) -> str:
        via = f" via {self.gateway}" if self.gateway else ""
        table = f" table {self.table}" if self.table != MAIN_TABLE else ""
        return ("default" if not self.prefix else str(self.net)) + via + table


class ListRoutes(Question[list[Route]], frozen=True):
    """Every route of all tables, one row per next hop."""

    POLICY = Policy("net.routes", "the routes", "network.process:ask", "local", "network", 2, 2)


class PolicyRule(msgspec.Struct, frozen=True):
    """One policy rule."""

    priority: int = 0
    family: str = "inet"
    src: str | None = None
    dst: str | None = None
    iif: str | None = None
    oif: str | None = None
    mark: int | None = None
    table: int = 0
    action: str = ""
    mask: int | None = None
    """Of the mark."""
    invert: bool = False
    suppress_prefix: int | None = None
    """Routes with so short a prefix do not count (-1: all count)."""
    goto: int | None = None
    """The priority at which to go on."""
    other: tuple[str, ...] = ()
    """Names of conditions that are not shown here."""

    def __str__(self) -> str:
        words = [f"{self.priority}:{' not' if self.invert else ''} from {self.src or 'all'}"]
        words += [
            f"{word} {value}"
            for word, value in (("to", self.dst), ("iif", self.iif), ("oif", self.oif))
            if value
        ]
        if self.mark is not None:
            words.append(f"fwmark {self.mark:#x}")
        return " ".join(
            [*words, f"lookup {self.table}" if self.action == "lookup" else self.action]
        )


class ListRoutingRules(Question[list[PolicyRule]], frozen=True):
    """Every policy routing rule."""

    POLICY = Policy(
        "net.rules", "the routing rules", "network.process:ask", "local", "network", 2, 4
    )


class WantedRoute(msgspec.Struct, frozen=True):
    """A packet whose route is asked for.

    Its addresses, and the index of the interface by which it comes in.
    """

    dst: str
    src: str | None = None
    iif: int | None = None


class RouteLookup(msgspec.Struct, frozen=True):
    """One decision: the interface's index, the next hop and the table.

    Or the kernel's refusal (an errno's name).
    """

    oif: int | None = None
    gateway: str | None = None
    table: int | None = None
    error: str | None = None


class LookUpRoutes(Question[list[RouteLookup]], frozen=True):
    """How the kernel would route packets."""

    POLICY = Policy(
        "net.ways", "the kernel's choice of routes", "network.process:ask", "local", "network", 2, 4
    )
    asked: Sequence[WantedRoute]


class ListNeighbours(Question[Json], frozen=True):
    """The ARP and NDP tables of the tool's network namespace."""

    POLICY = Policy(
        "net.neighbours", "the neighbour tables", "network.process:ask", "local", "network", 2, 5
    )


class UdpFlow(msgspec.Struct, frozen=True):
    """One tracked flow.

    Where its first packet went, and who answers it in the kernel's view (`reply_src`). state:
    that of TCP.
    """

    src: str
    dst: str
    sport: int
    dport: int
    reply_src: str
    state: str | None = None


class ConnectionTable(msgspec.Struct, frozen=True):
    """Tracked connections. loaded: the kernel module that lists them is there."""

    loaded: bool = True
    entries: list[UdpFlow] = []


class ListConnections(Question[ConnectionTable], frozen=True):
    """Connections that the kernel tracks (conntrack).

    At most `limit` of those that a filter lets through.
    """

    POLICY = Policy(
        "conntrack", "the tracked connections", "network.process:ask", "local", "network", 3, 5
    )
    family: Literal["inet", "inet6"] = "inet"
    protocol: Literal["tcp", "udp", "icmp"] | None = None
    dst: str | None = None
    """Where the first packet was sent to, before any translation."""
    dport: int | None = None
    limit: int = 500


class ReversePathDrops(msgspec.Struct, frozen=True):
    """Packets that rp_filter has dropped: since the start of the host, and while it was counted."""

    total: int
    within: int


class CountReversePathDrops(Question[ReversePathDrops], frozen=True):
    """The counter IPReversePathFilter, read twice with `seconds` between."""

    POLICY = Policy(
        "net.rp-drops",
        "the packets that rp_filter drops",
        "kernel.host:reverse_path_drops",
        "probe",
        "network",
        3,
        4,
    )
    seconds: float = 1.5


class Listener(msgspec.Struct, frozen=True):
    """One listening socket.

    pid, comm and container (64-digit id) are None where the holder may not be seen.
    """

    proto: str
    address: str
    port: int
    pid: int | None = None
    comm: str | None = None
    container: str | None = None

    def __post_init__(self) -> None:
        if self.address:
            ip_address(self.address.strip("[]"))

    @property
    def holder(self) -> str:
        """Who holds it, as people say it."""
        return f"{self.comm} (pid {self.pid})" if self.comm else "a process that only root can name"

    def clashes(self, proto: str, address: str, port: int) -> bool:
        """Whether it keeps this address and port (tcp or udp) from being bound.

        Empty or unspecified means all addresses.
        """
        if self.port != port or self.proto.removesuffix("6") != proto:
            return False
        return overlap(self.address, address)


@functools.lru_cache(4096)
def overlap(one: str, other: str) -> bool:
    """Whether sockets bound to these two addresses would take the same packets.

    Equal, or one takes all of the family.
    """
    first, second = (ip_address(address.strip("[]") or "0.0.0.0") for address in (one, other))  # noqa: S104
    for wide in (first, second):
        if wide.is_unspecified and (wide.version == 6 or first.version == second.version):
            return True  # a dual-stack socket on :: takes IPv4 too
    return first == second


class ListListeners(Question[list[Listener]], frozen=True):
    """The listening sockets of the tool's network namespace."""

    POLICY = Policy(
        "listeners",
        "the listening sockets",
        "kernel.open_files:listeners",
        "local",
        "network",
        2,
        3,
    )


class Socket(msgspec.Struct, frozen=True):
    """A socket inside that takes what comes to a port.

    waiting: how many connections wait to be accepted by the program. backlog: how many may, None
    where the kernel did not say. Both are 0 or None for UDP.
    """

    protocol: str
    address: str
    port: int
    waiting: int = 0
    backlog: int | None = None

    def __post_init__(self) -> None:
        """ValueError for an address that is none: the answer is unreadable then."""
        ip_address(self.address.partition("%")[0])

    @property
    def is_loopback(self) -> bool:
        return ip_address(self.address.partition("%")[0]).is_loopback

    @property
    def is_full(self) -> bool:
        """Whether the kernel drops further connections (sk_acceptq_is_full of net/sock.h)."""
        return self.backlog is not None and self.waiting > self.backlog


class NetnsView(msgspec.Struct, frozen=True):
    """What one network namespace holds. inode: its number."""

    inode: int
    links: list[Interface]
    addresses: list[Address]
    routes: list[Route]
    listeners: list[Socket]


class VisitNetns(Question[NetnsView], frozen=True, omit_defaults=False):
    """A network namespace as a process sees it.

    Interfaces, addresses, routes and listeners. round `later`: a second look, after a moment.
    """

    POLICY = Policy(
        "netns",
        "the network namespace of a container",
        "network.process:ask",
        "netns",
        "host",
        2,
        4,
    )
    ROUNDS = {  # noqa: RUF012 - never changed
        "later": Policy(
            "netns.later", POLICY.what, "network.process:visit_later", "probe", "host", 4, 4
        )
    }
    pid: int
    start: float | None = None
    nft: bool = False
    round: Literal["", "later"] = ""


class NetnsFilter(msgspec.Struct, frozen=True):
    """What decides about packets in one network namespace."""

    nftables: Json
    """As in the answer to `ListNftables`."""
    routes: list[Route]
    """Those to the namespace's own addresses too."""
    rules: list[PolicyRule]
    reverse_path: dict[str, int] = {}
    """rp_filter by interface, "all" among them."""
    legacy: list[str] = []
    """The names of the tables of iptables-legacy."""


class ReadNetnsFilter(Question[NetnsFilter], frozen=True):
    """The packet filter, the routes and the routing rules of a process's network namespace."""

    POLICY = Policy(
        "netns.filter",
        "the packet filter inside a container's network namespace",
        "network.process:ask",
        "netns",
        "host",
        3,
        4,
    )
    pid: int


class DnsReply(msgspec.Struct, frozen=True):
    """What came back.

    Any reply proves that the server is reachable, no more. icmp: refused, unreachable,
    prohibited or None.
    """

    answered: bool = False
    rcode: str | None = None
    answers: list[str] = []
    ms: float | None = None
    sent: int = 0
    icmp: str | None = None
    truncated: bool = False

    def __post_init__(self) -> None:
        if self.answered and self.ms is None:
            raise ValueError("an answer without its time")

    @property
    def denies(self) -> bool:
        """Whether a library takes it as final that the name has no address.

        It asks no further server then.
        """
        return self.rcode == "NXDOMAIN" or (self.rcode == "NOERROR" and not self.answers)

    @property
    def knows(self) -> bool:
        return self.rcode == "NOERROR" and bool(self.answers)

    def __str__(self) -> str:
        if self.answered:
            return (
                f"answered {self.rcode or 'something that is no DNS message'} "
                f"in {self.ms or 0:.0f} ms"
            )
        if self.icmp:
            return {
                "refused": "refused (nothing listens there)",
                "unreachable": "unreachable (no route, or a router said so)",
                "prohibited": "prohibited (the sender's own packet filter drops it)",
            }.get(self.icmp, self.icmp)
        return f"silent after {self.sent} queries"


class QueryDns(Question[DnsReply], frozen=True, omit_defaults=False):
    """One DNS query to one server.

    From the network namespace of a process or (None) from this one.
    """

    POLICY = Policy(
        "dns.query", "the answer of a DNS server", "network.dns:query", "probe", "network", 3.5, 1
    )
    server: str
    name: str
    type: str
    port: int = 53
    transport: str = "udp"
    pid: int | None = None
    start: float | None = None

    def about(self) -> str:
        return f"the answer of DNS server {self.server}"


class QuerySizedDns(Question[DnsReply], frozen=True):
    """A DNS query for the root's name servers in a packet of a given size.

    From the network namespace of a process.
    """

    POLICY = Policy(
        "dns.sized",
        "the answer to a large DNS query",
        "network.dns:sized",
        "probe",
        "network",
        3.5,
        4,
    )
    server: str
    pid: int
    packet_bytes: int


class DnsSample(msgspec.Struct, frozen=True):
    """How many of several queries to one server were answered."""

    sent: int = 0
    answered: int = 0
    rcode: str | None = None
    """Of the first reply."""
    ms: float | None = None
    """Of the slowest one."""
    icmp: str | None = None
    """As in a reply."""

    @property
    def lost(self) -> int:
        return self.sent - self.answered

    @property
    def lost_pct(self) -> float:
        """Which part of the queries was lost, in percent."""
        return 100 * self.lost / self.sent if self.sent else 0.0

    @property
    def loses_some(self) -> bool:
        """Whether some queries were answered and some were not."""
        return 0 < self.answered < self.sent

    def __str__(self) -> str:
        if self.icmp:
            return f"{self.icmp} after {self.sent} queries"
        return f"{self.answered} of {self.sent} queries answered"


class SampleDns(Question[DnsSample], frozen=True, omit_defaults=False):
    """Several DNS queries to one server, for the root's name servers.

    From the network namespace of a process or (None) from this one.
    """

    POLICY = Policy(
        "dns.sample",
        "how many queries a DNS server answers",
        "network.dns_loss:sample",
        "probe",
        "network",
        3.5,
        2,
    )
    server: str
    pid: int | None = None

    def about(self) -> str:
        return f"how many queries DNS server {self.server} answers"


ProbeOutcome = Literal[
    "accepted", "closed", "answered", "refused", "unreachable", "prohibited", "silent"
]


class ProbeReply(msgspec.Struct, frozen=True):
    """What became of one packet.

    accepted: the connection stands. closed: it was accepted, and ended at once. answered: a
    datagram came back. refused: a reset, or ICMP port unreachable. unreachable: another ICMP error,
    or no route. prohibited: a rule of the sender's own namespace. ms: until the outcome.
    """

    outcome: ProbeOutcome
    ms: float = 0.0


class ProbeServer(Question[ProbeReply], frozen=True, omit_defaults=False):
    """One TCP connect, or one UDP datagram, to an address.

    It leaves the network namespace of a process, or (None) this one.
    """

    POLICY = Policy(
        "net.probe", "the answer to a packet", "network.probe:probe", "probe", "network", 3.5, 1
    )
    server: str
    port: int
    transport: Literal["tcp", "udp"] = "tcp"
    pid: int | None = None

    def about(self) -> str:
        return f"the answer of {self.server} port {self.port}"


class PortConnection(msgspec.Struct, frozen=True):
    """A connection whose near end has a port of the host. pid, comm: None where unknown."""

    peer: str
    state: str
    pid: int | None = None
    comm: str | None = None


class ListPortConnections(Question[list[PortConnection]], frozen=True):
    """Connections of the host itself whose near end has this TCP port."""

    POLICY = Policy(
        "net.port-connections",
        "the connections that have a port",
        "kernel.open_files:port_connections",
        "probe",
        "network",
        3,
        5,
    )
    port: int


class TunnelHolder(msgspec.Struct, frozen=True):
    """A process that holds a tun or tap interface open, and the systemd unit that it belongs to."""

    interface: str
    pid: int
    comm: str = ""
    unit: str | None = None

    def __str__(self) -> str:
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.comm} (pid {self.pid}{unit})"


class ListTunnelHolders(Question[list[TunnelHolder]], frozen=True):
    """The processes that serve the tun and tap interfaces of this host."""

    POLICY = Policy(
        "tunnels",
        "the processes behind tunnels",
        "network.tunnels:tunnels",
        "local",
        "network",
        2,
        5,
    )


class TcpStall(msgspec.Struct, frozen=True):
    """A connection that repeats what it sent.

    The peer as ADDRESS:PORT, the bytes that wait, and how often they were repeated.
    """

    peer: str
    unacknowledged: int
    retransmissions: int


class ListTcpStalls(Question[list[TcpStall]], frozen=True):
    """The IPv4 connections of a process's network namespace that get no acknowledgement."""

    POLICY = Policy(
        "tcp.stalls", "stalled TCP connections", "network.tcp_stalls:stalls", "local", "host", 2, 5
    )
    pid: int


class LossCounters(msgspec.Struct, frozen=True):
    """What a network namespace lost since it was made.

    repeated_requests: of TCP connections that nobody answered in time. lost_datagrams: for which a
    UDP socket had no room. connections: TCP sockets that are in use now.
    """

    repeated_requests: int = 0
    lost_datagrams: int = 0
    connections: int = 0

    def __bool__(self) -> bool:
        return bool(self.repeated_requests or self.lost_datagrams)


class CountLosses(Question[dict[str, LossCounters]], frozen=True):
    """What the network namespaces of processes lost, by pid."""

    POLICY = Policy(
        "netns.losses",
        "what containers' networks lost",
        "network.losses:count",
        "local",
        "host",
        2,
        5,
    )
    pids: Sequence[int]


class WaitingCall(msgspec.Struct, frozen=True):
    """A peer that does not answer, and how often it was asked again."""

    address: str
    port: int
    repeats: int

    def __post_init__(self) -> None:
        ip_address(self.address)


class FullUdpSocket(msgspec.Struct, frozen=True):
    """A UDP socket that has no room: datagrams that it lost in all, and within a moment."""

    address: str
    port: int
    total: int
    within: int


class SocketLosses(msgspec.Struct, frozen=True):
    """What one namespace lost within a moment.

    left_open: connections that their peers have closed and the program has not.
    """

    calls: list[WaitingCall] = []
    datagrams: list[FullUdpSocket] = []
    left_open: int = 0


class WatchSockets(Question[dict[str, SocketLosses]], frozen=True):
    """The sockets of the network namespaces of processes that lose something now, by pid."""

    POLICY = Policy(
        "netns.watched",
        "the sockets that get no answer",
        "network.losses:watch",
        "probe",
        "host",
        4,
        5,
    )
    pids: Sequence[int]
    seconds: float = 1.5
