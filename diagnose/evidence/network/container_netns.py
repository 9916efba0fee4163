"""The inside of each running container's network.

Interfaces, addresses, routes, listening sockets.
"""

import functools
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.netns import NetnsView, VisitNetns
from diagnose.questions.network import Address, Interface, Route
from diagnose.questions.sockets import Socket
from diagnose.registry import evidence

__all__ = ["ContainerNetns", "Namespaces", "Socket", "had_time_to_listen", "namespaces"]

SHARE = 0.3
"""The part of a run's time that visits may take at most."""

VISIT_S = 0.006
"""Seconds that one visit may cost; 2 ms of CPU were measured."""


_BEGUN_S = 15.0
"""Seconds after its start at which a program that serves one port has opened the others, too."""

_TUNNELS = ("tun", "wireguard")
"""Kinds of interfaces by which programs in containers join a VPN, or serve one."""


class ContainerNetns(msgspec.Struct, frozen=True, dict=True):
    """The state of one container's network namespace."""

    container: Container
    inode: int
    links: tuple[Interface, ...]
    addresses: tuple[Address, ...]
    routes: tuple[Route, ...]
    listeners: tuple[Socket, ...]

    def link_with(self, address: str) -> Interface | None:
        """The interface that has this address."""
        index = next((row.index for row in self.addresses if row.address == address), None)
        return next((link for link in self.links if link.index == index), None)

    def link_with_mac(self, mac: str) -> Interface | None:
        """The interface with this hardware address."""
        return next((link for link in self.links if mac and link.mac == mac.lower()), None)

    @functools.cached_property
    def has_default_route(self) -> bool:
        return any(not route.prefix and route.leads_somewhere for route in self.routes)

    @property
    def gateway(self) -> str | None:
        """The gateway of the default route of IPv4; None for no route, or several."""
        defaults = [route for route in self.routes if not route.prefix and route.family == "inet"]
        return defaults[0].gateway if len(defaults) == 1 else None

    @property
    def is_bare(self) -> bool:
        """Whether it has nothing but its loopback.

        Tunnels that the kernel puts into each new namespace are down.
        """
        return not any(link.up for link in self.links if link.name != "lo")

    @functools.cached_property
    def tunnels(self) -> tuple[Interface, ...]:
        """The interfaces of VPNs that are up."""
        return tuple(link for link in self.links if link.up and link.kind in _TUNNELS)

    @property
    def states(self) -> dict[str, str]:
        """The operational state of each interface; the kernel has none for the loopback one."""
        return {link.name: link.operstate for link in self.links if link.name != "lo"}

    @property
    def interfaces(self) -> dict[str, str] | str:
        """The same in words where there is only the loopback one."""
        return self.states or "only lo"

    def sockets(self, protocol: str, port: int) -> tuple[Socket, ...]:
        return tuple(
            listener
            for listener in self.listeners
            if (listener.protocol, listener.port) == (protocol, port)
        )

    @property
    def tcp_listeners(self) -> list[str]:
        """The TCP sockets that listen, for evidence: 127.0.0.1:8080."""
        return self._listeners("tcp")

    @property
    def udp_listeners(self) -> list[str]:
        """Likewise, where UDP sockets wait for datagrams."""
        return self._listeners("udp")

    def _listeners(self, protocol: str) -> list[str]:
        sockets = (socket for socket in self.listeners if socket.protocol == protocol)
        return sorted({f"{socket.address}:{socket.port}" for socket in sockets})

    def serves_others(self, protocol: str, port: int) -> bool:
        """Whether a socket listens there at more than the namespace's own loopback."""
        return any(not socket.is_loopback for socket in self.sockets(protocol, port))

    def serves_ipv6_alone(self, protocol: str, port: int) -> bool:
        """Whether all sockets there take no IPv4, as that of nginx' `listen [::]:80`."""
        sockets = self.sockets(protocol, port)
        return bool(sockets) and all(socket.v6_only for socket in sockets)

    @property
    def served_ports(self) -> list[int]:
        """The TCP ports at which something listens for others."""
        ports = {
            socket.port
            for socket in self.listeners
            if socket.protocol == "tcp" and not socket.is_loopback
        }
        return sorted(ports)


def had_time_to_listen(netns: ContainerNetns, port: int, clock: Clock, settled: float) -> bool:
    """Whether the programs of a container would listen at a TCP port by now, if they ever did.

    After `settled` seconds they would. A moment after their start they would too, if they serve
    other ports, the image does not declare this one, and no health check says that they are still
    starting.
    """
    container = netns.container
    if clock.has_passed(container.started_at, settled):
        return True
    health = container.state.health
    may_follow = str(port) in container.offered_ports or (
        health is not None and health.status == "starting"
    )
    has_begun = clock.has_passed(container.started_at, _BEGUN_S)
    return has_begun and bool(netns.served_ports) and not may_follow


class Namespaces(msgspec.Struct, frozen=True):
    """The network namespaces of containers, by container id."""

    items: dict[str, ContainerNetns]
    unvisited: tuple[Unexamined, ...] = ()
    """Running containers that were not visited, or could not be."""

    def __iter__(self) -> Iterator[ContainerNetns]:
        return iter(self.items.values())

    def __len__(self) -> int:
        return len(self.items)

    def of(self, container: Container) -> ContainerNetns | None:
        return self.items.get(container.id)


@evidence
def namespaces(host: Host, containers: Containers, options: Options) -> Namespaces | Unavailable:
    """The network namespace of each running container with a network of its own.

    Each takes one short visit. Suspicious containers come first.
    """
    running = [container for container in containers.running if not container.shares_host_network]
    ordered = sorted(running, key=_rank)
    limit = max(1, int(options.budget_s * SHARE / VISIT_S))
    visited: list[ContainerNetns] = []
    why = f"only {limit} containers' networks are visited within the time limit"
    missing = [Unexamined(container.subject, why) for container in ordered[limit:]]
    failures: list[Failed] = []
    for container, netns in host.ask_in_order(
        ordered[:limit], lambda container: VisitNetns(container.state.pid)
    ):
        if not isinstance(netns, Failed):
            visited.append(_visited_netns(container, netns))
        elif netns.reason != "gone":
            failures.append(netns)
            missing.append(Unexamined(container.subject, f"its network namespace: {netns}"))
    if failures and not visited:
        return Unavailable.of(failures[0])
    visited.sort(key=lambda netns: netns.container.name)
    return Namespaces(
        {netns.container.id: netns for netns in visited},
        tuple(sorted(missing, key=lambda unexamined: unexamined.subject)),
    )


def _visited_netns(container: Container, netns: NetnsView) -> ContainerNetns:
    return ContainerNetns(
        container,
        inode=netns.inode,
        links=tuple(netns.links),
        addresses=tuple(netns.addresses),
        routes=tuple(netns.routes),
        listeners=tuple(netns.listeners),
    )


def _rank(container: Container) -> tuple[bool, bool, int, str]:
    """Unhealthy ones first, then those that publish ports, then those that restarted most."""
    return (
        not container.is_unhealthy,
        not container.published_ports,
        -container.restart_count,
        container.name,
    )
