"""Ports of programs on the host's own network that its rules close to others.

A published port passes by the input rules; a program of a container with `network_mode: host` meets
them like any other program of the host.
"""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.network.addresses import BROWSED_PORTS, is_loopback
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.sockets.asked_ports import wanted_ports
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.evidence.run.options import Options
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_BLOCKED = LazyPattern(
    r"\bIN=(?P<device>\S{1,32}) OUT= .{0,300}?\bSRC="
    r"(?P<client>\S{1,64}) .{0,300}?\bDPT=(?P<port>\d{1,5})\b"
)
"""The text of a LOG rule about a packet on the input hook: ufw's `[UFW BLOCK] IN=eth0 OUT= ...`."""

_PROXY_PORT = LazyPattern(r"(?:^|\.)(?:loadbalancer\.server\.)?port$|^VIRTUAL_PORT$")
"""The label and the variable with a service's port for a proxy: of Traefik, nginx-proxy."""

_FOR_PROGRAMS = LazyPattern(
    r"""
      agent | alloy | beat | cadvisor | clickhouse | collector | consul | elastic | etcd | exporter
    | fluent | glances | influx | kafka | maria-?db | memcached | minio | mongo | mysql | netdata
    | opensearch | postgres | promtail | rabbitmq | redis | telegraf | timescale | valkey | vector
    """,
    re.VERBOSE,
)
"""Images of programs that other programs call: their ports are often closed on purpose."""

Reason = Literal["asked", "clients", "ports", "proxy", "image", ""]
"""The reason why others should reach a port: the user says so, clients tried, it should be
published, a proxy should call it, the image declares it. Empty: nothing says so."""


class ServedPort(msgspec.Struct, frozen=True):
    """A port on which a container in the host's network listens for others."""

    container: Container
    listener: Listener
    protocol: str
    clients: tuple[str, ...] = ()
    """The clients whose packets to it were blocked, by the kernel's log."""
    wanted: Reason = ""
    """The reason why others should reach it."""

    @property
    def number(self) -> int:
        return self.listener.port

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


class ClosedHostPort(msgspec.Struct, frozen=True):
    """A port of a program on the host's network, and the rule that closes it for every source."""

    port: ServedPort
    uplink: str
    by: Step
    is_answer: bool = False
    """Whether the rule drops the program's answers, and lets the requests in."""


class ClosedHostPorts(Items[ClosedHostPort], frozen=True):
    """Ports of programs on the host's network that its rules close to others."""

    walked: int = 0
    """How many ports were judged, open ones too."""
    shut: frozenset[str] = frozenset()
    """The ids of containers for people whom nobody reaches: a rule closes each of their ports, and
    the host has no web server that may pass requests on to them."""


@evidence
def closed_host_ports(
    host_stack: HostStack,
    containers: Containers,
    listeners: Listeners,
    uplinks: Uplinks,
    kernel_log: KernelLog | None,
    options: Options | None,
) -> ClosedHostPorts:
    """The ports of containers on the host's network that a rule closes to other machines.

    One traced call of any client to each TCP port, and to each UDP port that somebody should reach.
    """
    sharing = {
        container.id: container for container in containers.running if container.shares_host_network
    }
    uplink = uplinks.preferred
    if not sharing or uplink is None or uplink.address is None:
        return ClosedHostPorts(())
    ports: dict[tuple[str, int], ClosedHostPort] = {}
    walked = 0
    open_ids = set()
    asked_ports = frozenset(wanted_ports(options.reach)) if options is not None else frozenset()
    for port in _served_ports(sharing, listeners, _blocked_clients(kernel_log), asked_ports):
        walked += 1
        origin = Origin(uplink.name)
        call = Flow(origin, uplink.address, port.protocol, port.number, assumed=uplink.name)
        traced = trace(host_stack.stack, call)
        obstacle = traced.rule_in_the_way
        if obstacle is not None and traced.nat is None:
            closed = ClosedHostPort(
                port, uplink.name, obstacle.by, is_answer=obstacle.part == "reply"
            )
            ports.setdefault((port.container.id, port.number), closed)
        else:
            open_ids.add(port.container.id)
    closed_containers = [closed.port.container for closed in ports.values()]
    shut = frozenset(
        container.id
        for container in closed_containers
        if container.id not in open_ids and not _FOR_PROGRAMS.search(container.config.image.lower())
    )
    has_proxy = _has_web_server(containers, listeners)
    return ClosedHostPorts(tuple(ports.values()), walked, frozenset() if has_proxy else shut)


def _has_web_server(containers: Containers, listeners: Listeners) -> bool:
    """Whether a program of the host, or a published port, takes requests at 80 or 443."""
    served = any(
        listener.port in BROWSED_PORTS and not is_loopback(listener.address)
        for listener in listeners
    )
    return served or any(
        container.publishes(port) for container in containers.running for port in BROWSED_PORTS
    )


def _served_ports(
    sharing: Mapping[str, Container],
    listeners: Listeners,
    blocked: Mapping[int, tuple[str, ...]],
    asked_ports: Set[int],
) -> Iterator[ServedPort]:
    """The ports of containers on the host's network, and the clients that need them.

    blocked: the clients whose packets were dropped, by port. asked_ports: ports that the user
    names. A UDP port without a known client may be the source port of the container's own queries.
    """
    for listener in listeners:
        container = sharing.get(listener.container or "")
        if container is None or is_loopback(listener.address):
            continue
        protocol = listener.proto[:3]
        clients = blocked.get(listener.port, ())
        if listener.port in asked_ports and protocol == "tcp":
            reason: Reason = "asked"
        elif clients:
            reason = "clients"
        else:
            reason = _reason_to_reach(container, listener.port, protocol)
        if protocol == "tcp" or (protocol == "udp" and reason):
            yield ServedPort(container, listener, protocol, clients, reason)


def _reason_to_reach(container: Container, number: int, protocol: str) -> Reason:
    """The reason why others should reach a port, by the configuration of its container; "" without
    one."""
    name = f"{number}/{protocol}"
    if any(number == port.host_port or name == port.port for port in container.wanted_ports):
        return "ports"
    settings = (*container.labels.items(), *container.config.environment)
    if any(_PROXY_PORT.search(key) and value == str(number) for key, value in settings):
        return "proxy"
    return "image" if name in (container.config.exposed_ports or {}) else ""


def _blocked_clients(kernel_log: KernelLog | None) -> Mapping[int, tuple[str, ...]]:
    """The clients whose packets were logged as they were dropped, by the port that they called."""
    clients_of: dict[int, dict[str, None]] = {}
    for _, match in kernel_log.matching(_BLOCKED, ["DPT="]) if kernel_log is not None else ():
        clients_of.setdefault(int(match["port"]), {})[match["client"]] = None
    return {port: tuple(clients)[:5] for port, clients in clients_of.items()}
