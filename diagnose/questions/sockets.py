"""Questions about sockets: who listens, who waits, and what was lost."""

import functools
from collections.abc import Sequence
from ipaddress import ip_address

import msgspec

from diagnose.questions.question import Policy, Question


class Listener(msgspec.Struct, frozen=True):
    """One listening socket.

    pid, comm, container (64-digit id) and unit are None where the holder may not be seen.
    """

    proto: str
    address: str
    port: int
    pid: int | None = None
    comm: str | None = None
    container: str | None = None
    unit: str | None = None
    """The service of the host's systemd that the holder belongs to."""

    def __post_init__(self) -> None:
        if self.address:
            ip_address(self.address.strip("[]"))

    @property
    def holder(self) -> str:
        """The process that holds the socket, as a report names it."""
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
        what="the listening sockets",
        collector="kernel.open_files:listeners",
        lane="local",
        scope="network",
        deadline=2,
        priority=3,
    )


class Socket(msgspec.Struct, frozen=True):
    """A socket inside that takes what comes to a port."""

    protocol: str
    address: str
    port: int
    waiting: int = 0
    """How many connections wait to be accepted by the program."""
    backlog: int | None = None
    """How many may, None where the kernel did not say. Both are 0 or None for UDP."""
    v6_only: bool = False
    """Whether it takes no IPv4 (IPV6_V6ONLY), as far as the kernel says."""

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


class PortConnection(msgspec.Struct, frozen=True):
    """A connection whose near end has a port of the host."""

    peer: str
    state: str
    pid: int | None = None
    comm: str | None = None
    """pid, comm: None where unknown."""


class ListPortConnections(Question[list[PortConnection]], frozen=True):
    """Connections of the host itself whose near end has this TCP port."""

    POLICY = Policy(
        "net.port-connections",
        what="the connections that have a port",
        collector="kernel.open_files:port_connections",
        lane="probe",
        scope="network",
        deadline=3,
    )
    port: int


class ListCallers(Question[dict[str, int]], frozen=True):
    """The connections to a port of a process's network namespace: how many each address has."""

    POLICY = Policy(
        "netns.callers",
        what="who is connected to a port",
        collector="network.losses:callers",
        lane="local",
        deadline=2,
    )
    pid: int
    port: int


class WaitingClient(msgspec.Struct, frozen=True):
    """A connection to a listening port whose client has sent something and got no answer to it."""

    port: int
    peer: str
    """The client's address."""
    unread: int
    """Bytes that the program has not read."""
    accepted: bool
    """Whether the program has taken the connection from the queue of its listening socket."""
    left: bool
    """Whether the client has closed its end since, and the program has not."""
    seconds: float
    """Since the client sent something last."""
    port_sent: float | None = None
    """Seconds since the program sent something over any connection to this port; None where it
    never did."""

    def __post_init__(self) -> None:
        ip_address(self.peer)


class ListWaitingClients(Question[list[WaitingClient]], frozen=True):
    """The clients of a network namespace that wait for an answer, the longest first."""

    POLICY = Policy(
        "netns.waiting-clients",
        what="the clients that wait for an answer",
        collector="network.process:ask",
        lane="netns",
        deadline=2,
    )
    pid: int


class TcpStall(msgspec.Struct, frozen=True):
    """A connection that repeats what it sent."""

    peer: str
    """ADDRESS:PORT."""
    unacknowledged: int
    """Bytes that wait for an acknowledgement."""
    retransmissions: int
    """How often the retransmission timer fired in a row."""


class ListTcpStalls(Question[list[TcpStall]], frozen=True):
    """The IPv4 connections of a process's network namespace that get no acknowledgement."""

    POLICY = Policy(
        "tcp.stalls",
        what="stalled TCP connections",
        collector="network.tcp_stalls:stalls",
        lane="local",
        deadline=2,
    )
    pid: int


_FEW_SEGMENTS = 200


class LossCounters(msgspec.Struct, frozen=True):
    """The packets and datagrams that a network namespace lost since it was made."""

    repeated_requests: int = 0
    """Requests for a TCP connection that were sent again for lack of an answer."""
    lost_datagrams: int = 0
    """Datagrams that were dropped because the UDP socket's buffer was full."""
    sent: int = 0
    """TCP segments."""
    sent_again: int = 0
    """TCP segments, without requests to connect."""
    connections: int = 0
    """TCP sockets that are in use now."""
    time_wait: int | None = None
    """Those that are closed and keep their port for a minute."""
    refused_inside: int = 0
    """Failed calls that were refused from inside: to a port of its own where nothing listens."""
    not_forwarded: int = 0
    """Packets for other machines that were dropped because the namespace forwards none (IPv4)."""

    @property
    def has_losses(self) -> bool:
        return self.repeated_requests > 0 or self.lost_datagrams > 0

    @property
    def sent_again_pct(self) -> float:
        """The share of the segments that had to be sent again; 0 where few were sent at all."""
        return 100 * self.sent_again / self.sent if self.has_sent_many else 0.0

    @property
    def has_sent_many(self) -> bool:
        """Whether it sent enough TCP segments to tell what share of them is lost."""
        return self.sent >= _FEW_SEGMENTS


class CountLosses(Question[dict[str, LossCounters]], frozen=True):
    """The losses of the network namespaces of processes, by pid."""

    POLICY = Policy(
        "netns.losses",
        what="what containers' networks lost",
        collector="network.losses:count",
        lane="local",
        deadline=2,
        in_helper=True,
    )
    pids: Sequence[int]


class MulticastCounters(msgspec.Struct, frozen=True):
    """IPv4 packets to groups, since a namespace was made; its own come back to it and count."""

    received: int
    sent: int
    broadcasts: int = 0
    """Packets that it sent to all machines of a subnet, which are not among those to groups."""


class CountMulticast(Question[dict[str, MulticastCounters]], frozen=True):
    """Packets to groups and to all, in the network namespaces of processes, by pid."""

    POLICY = Policy(
        "netns.multicast",
        what="the multicast packets of containers",
        collector="network.multicast:count",
        lane="local",
        deadline=2,
        priority=6,
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
    """The losses of the sockets of one namespace within a moment."""

    calls: list[WaitingCall] = []
    datagrams: list[FullUdpSocket] = []
    left_open: int = 0
    """Connections that their peers have closed and the program has not."""


class WatchSockets(Question[dict[str, SocketLosses]], frozen=True):
    """The sockets of the network namespaces of processes that lose something now, by pid."""

    POLICY = Policy(
        "netns.watched",
        what="the sockets that get no answer",
        collector="network.losses:watch",
        lane="probe",
        deadline=4,
    )
    pids: Sequence[int]
    seconds: float = 1.5


class HostCall(msgspec.Struct, frozen=True):
    """A peer that does not answer a process in the host's own network namespace."""

    address: str
    port: int
    repeats: int
    container: str | None = None
    """64-digit id; None where the process belongs to no container."""

    def __post_init__(self) -> None:
        ip_address(self.address)


class WatchHostCalls(Question[list[HostCall]], frozen=True):
    """The sockets of the host's network namespace that get no answer, with who holds them."""

    POLICY = Policy(
        "net.host-calls",
        what="the host's sockets that get no answer",
        collector="network.losses:watch_host",
        lane="probe",
        scope="network",
        deadline=4,
    )
    seconds: float = 1.5
