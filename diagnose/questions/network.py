"""Questions about the network: interfaces, routes, sockets, network namespaces and DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.model import Json
from diagnose.questions.question import Policy, Question


class ListInterfaces(Question[Json], frozen=True):
    """Every interface of the tool's network namespace."""

    POLICY = Policy("net.links", "the network interfaces", "network.process:ask", "local", "network", 2, 2)


class ListAddresses(Question[Json], frozen=True):
    """Every address of the tool's network namespace."""

    POLICY = Policy("net.addresses", "the network addresses", "network.process:ask", "local", "network", 2, 2)


class ListRoutes(Question[Json], frozen=True):
    """Every route of all tables, one row per next hop."""

    POLICY = Policy("net.routes", "the routes", "network.process:ask", "local", "network", 2, 2)


class ListRoutingRules(Question[Json], frozen=True):
    """Every policy routing rule."""

    POLICY = Policy("net.rules", "the routing rules", "network.process:ask", "local", "network", 2, 4)


class LookUpRoutes(Question[Json], frozen=True):
    """How the kernel would route packets."""

    POLICY = Policy("net.ways", "the kernel's choice of routes", "network.process:ask", "local", "network", 2, 4)
    asked: Sequence[Mapping[str, Json]]


class ListNeighbours(Question[Json], frozen=True):
    """The ARP and NDP tables of the tool's network namespace."""

    POLICY = Policy("net.neighbours", "the neighbour tables", "network.process:ask", "local", "network", 2, 5)


class ListConnections(Question[Json], frozen=True):
    """Connections that the kernel tracks (conntrack), at most `limit` of those that a filter lets through."""

    POLICY = Policy("conntrack", "the tracked connections", "network.process:ask", "local", "network", 3, 5)
    family: Literal["inet", "inet6"] = "inet"
    protocol: Literal["tcp", "udp", "icmp"] | None = None
    dst: str | None = None
    """Where the first packet was sent to, before any translation."""
    dport: int | None = None
    limit: int = 500


class ListListeners(Question[Json], frozen=True):
    """The listening sockets of the tool's network namespace."""

    POLICY = Policy("listeners", "the listening sockets", "kernel.proc:listeners", "local", "network", 2, 3)


class VisitNetns(Question[Json], frozen=True, omit_defaults=False):
    """Interfaces, addresses, routes and listeners as a process sees them in its network namespace."""

    POLICY = Policy("netns", "the network namespace of a container", "network.process:ask", "netns", "host", 2, 4)
    pid: int
    start: float | None = None
    nft: bool = False


class QueryDns(Question[Json], frozen=True, omit_defaults=False):
    """One DNS query to one server, from the network namespace of a process or (None) from this one."""

    POLICY = Policy("dns.query", "the answer of a DNS server", "network.dns:query", "probe", "network", 3.5, 1)
    server: str
    name: str
    type: str
    port: int = 53
    transport: str = "udp"
    pid: int | None = None
    start: float | None = None

    def about(self) -> str:
        return f"the answer of DNS server {self.server}"


class QuerySizedDns(Question[Json], frozen=True):
    """A DNS query for the root's name servers in a packet of a given size, from the network namespace of a process."""

    POLICY = Policy("dns.sized", "the answer to a large DNS query", "network.dns:sized", "probe", "network", 3.5, 4)
    server: str
    pid: int
    packet_bytes: int


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

    POLICY = Policy("tunnels", "the processes behind tunnels", "network.tunnels:tunnels", "local", "network", 2, 5)


class TcpStall(msgspec.Struct, frozen=True):
    """A connection that repeats what it sent: the peer as ADDRESS:PORT, the bytes that wait, and how often they were repeated."""

    peer: str
    unacknowledged: int
    retransmissions: int


class ListTcpStalls(Question[list[TcpStall]], frozen=True):
    """The IPv4 connections of a process's network namespace that get no acknowledgement."""

    POLICY = Policy("tcp.stalls", "stalled TCP connections", "network.tcp_stalls:stalls", "local", "host", 2, 5)
    pid: int
