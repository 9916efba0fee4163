"""Questions about the network: interfaces, addresses, routes, neighbours and connections."""

import functools
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

import msgspec

from diagnose.model import Subject
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
    group: int | None = None
    """By which rules name several interfaces at once; 0 unless somebody set it."""
    queue: str | None = None
    """The kind of its queue of packets to be sent: fq_codel, noqueue, tbf ... None where no queue
    was listed."""
    bridge_port_state: str | None = None
    """What a bridge does with it: listening and learning pass no packets yet, forwarding does."""
    spanning_tree: bool = False
    """Whether it is a bridge that looks for loops (STP) before it passes packets."""
    forward_delay: int | None = None
    """The time that a bridge keeps a new port in each of two states, in hundredths of a second."""

    @property
    def subject(self) -> Subject:
        return Subject("interface", self.name)

    @property
    def lacks_carrier(self) -> bool:
        """Whether it, or the interface below it, has nothing at its other end."""
        return self.operstate in ("down", "lowerlayerdown")


def _policy_of_second_list(policy: Policy) -> Policy:
    """The policy of a second list, for what changed while the first one was made."""
    return Policy(
        f"{policy.kind}.later",
        what=policy.what,
        collector="network.process:list_again",
        lane="local",
        scope="network",
        deadline=2,
        priority=2,
    )


class ListInterfaces(Question[list[Interface]], frozen=True):
    """Every interface of the tool's network namespace."""

    POLICY = Policy(
        "net.links",
        what="the network interfaces",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
        priority=2,
    )
    ROUNDS = {"later": _policy_of_second_list(POLICY)}  # noqa: RUF012 - never changed
    round: Literal["", "later"] = ""


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
        "net.addresses",
        what="the network addresses",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
        priority=2,
    )
    ROUNDS = {"later": _policy_of_second_list(POLICY)}  # noqa: RUF012 - never changed
    round: Literal["", "later"] = ""


class Route(msgspec.Struct, frozen=True, dict=True):
    """One next hop of one route."""

    dst: str = ""
    prefix: int = 0
    family: str = "inet"
    table: int = MAIN_TABLE
    gateway: str | None = None
    oif: int | None = None
    """Index of its interface."""
    type: str | None = "unicast"
    scope: str = "global"
    metric: int = 0
    mtu: int | None = None
    """The route's own metric in bytes, None if it has none."""
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

    POLICY = Policy(
        "net.routes",
        what="the routes",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
        priority=2,
    )
    ROUNDS = {"later": _policy_of_second_list(POLICY)}  # noqa: RUF012 - never changed
    round: Literal["", "later"] = ""


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
    """The mask of the firewall mark."""
    invert: bool = False
    suppress_prefix: int | None = None
    """Routes with so short a prefix do not count (-1: all count)."""
    goto: int | None = None
    """The priority at which to go on."""
    other: tuple[str, ...] = ()
    """Names of conditions that are not shown here."""

    def __str__(self) -> str:
        source = f"from {self.src or 'all'}"
        words = [f"{self.priority}: not {source}" if self.invert else f"{self.priority}: {source}"]
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
        "net.rules",
        what="the routing rules",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
        priority=4,
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
        "net.ways",
        what="the kernel's choice of routes",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
        priority=4,
    )
    asked: Sequence[WantedRoute]


class NeighbourEntry(msgspec.Struct, frozen=True):
    """One row of an ARP or NDP table."""

    index: int
    """The index of the interface."""
    address: str | None = None
    mac: str | None = None
    """The hardware address; None where nobody has answered."""
    state: str | None = None
    """The kernel's word for how sure it is: reachable, stale, failed ..."""
    is_router: bool = False
    """Whether it has said that it is an IPv6 router, even where its routes are ignored."""


class ListNeighbours(Question[list[NeighbourEntry]], frozen=True):
    """The ARP and NDP tables of the tool's network namespace."""

    POLICY = Policy(
        "net.neighbours",
        what="the neighbour tables",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
    )


class ProxiedAddress(msgspec.Struct, frozen=True):
    """An address for which the kernel answers neighbour discovery in the place of its machine."""

    index: int
    """The index of the interface on which it answers."""
    address: str | None = None


class ListProxiedAddresses(Question[list[ProxiedAddress]], frozen=True):
    """The IPv6 proxy entries of the tool's network namespace (`ip -6 neigh show proxy`)."""

    POLICY = Policy(
        "net.proxied",
        what="the proxied IPv6 addresses",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=2,
    )


class UdpFlow(msgspec.Struct, frozen=True):
    """One tracked flow.

    Where its first packet went, and who answers it in the kernel's view (`reply_src`). The ports
    are 0 where the protocol has none, as with ping.
    """

    src: str
    dst: str
    sport: int
    dport: int
    reply_src: str
    state: str | None = None
    """That of TCP."""
    status: list[str] = []
    """What the kernel knows of it: seen_reply, assured, src_nat ..."""
    timeout: int | None = None
    """The seconds that the entry has left."""


class ConnectionTable(msgspec.Struct, frozen=True):
    """Tracked connections."""

    loaded: bool = True
    """The kernel module that lists them is there."""
    entries: list[UdpFlow] = []


class ListConnections(Question[ConnectionTable], frozen=True):
    """Connections that the kernel tracks (conntrack).

    At most `limit` of those that a filter lets through.
    """

    POLICY = Policy(
        "conntrack",
        what="the tracked connections",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=3,
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
        what="the packets that rp_filter drops",
        collector="kernel.host:reverse_path_drops",
        lane="probe",
        scope="network",
        deadline=3,
        priority=4,
    )
    seconds: float = 1.5


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
        what="the processes behind tunnels",
        collector="network.tunnels:tunnels",
        lane="local",
        scope="network",
        deadline=2,
    )
