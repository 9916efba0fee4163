"""Ports that are published for this host alone, and that other machines call or miss."""

import ipaddress
import itertools
from collections import Counter
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.containers.settings.developer_runs import is_on_a_desk
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import BROWSED_PORTS, is_loopback
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.proxies.host_proxy_logs import PROGRAMS
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.network import ListConnections, UdpFlow
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

_CLOSED = "close"
"""The state of a call that was refused; the kernel keeps it for ten seconds."""
_TUNNELS = vocabulary(
    "autossh chisel cloudflared frpc inlets newt ngrok rathole socat ssh stunnel stunnel4 "
    "tailscaled zrok"
)
"""Programs that bring visitors to a port of the host's loopback."""
_MOST_PORTS = 10
"""Ports about which the kernel is asked."""
_MOST_TRIED = 2
"""A machine that was refused at more ports looks for open ones."""


class PortForHostAlone(msgspec.Struct, frozen=True):
    """A port at a loopback address of the host that others want."""

    container: Container
    binding: PortBinding
    callers: tuple[str, ...]
    """Neighbours that were refused there in the last seconds; none where it is an entry."""


class PortsForHostAlone(Items[PortForHostAlone], frozen=True):
    """The ports that neighbours call, and those that are entries which nobody else serves."""


@evidence
def ports_for_host_alone(
    host: Host,
    containers: Containers,
    listeners: Listeners,
    interfaces: Interfaces,
    processes: Processes | None,
) -> PortsForHostAlone:
    """The published loopback ports that other machines were refused at, or that they should reach.

    Ports 80 and 443 are for visitors, unless a proxy or a tunnel of this host brings them, or a
    person sits before it. Three kinds of callers are left out: those with addresses of the
    internet, those that were refused at several ports, since scanners try each one, and containers,
    which other checks judge.
    """
    shut_ports = by_key(_shut_ports(containers, listeners))
    numbers = host.first(sorted(shut_ports), _MOST_PORTS, "ports for this host alone")
    is_fronted = processes is None or _has_front(processes) or is_on_a_desk(processes)
    refused: dict[int, tuple[str, ...]] = {}
    for number, table in host.ask_in_order(
        numbers, lambda number: ListConnections(protocol="tcp", dport=number)
    ):
        flows = [] if isinstance(table, Failed) else table.entries
        refused[number] = _refused_neighbours(flows, interfaces)
    inside = {address for container in containers for address in container.ipv4_addresses}
    times = Counter(itertools.chain.from_iterable(refused.values()))
    ports: list[PortForHostAlone] = []
    for number, sources in refused.items():
        callers = tuple(src for src in sources if times[src] <= _MOST_TRIED and src not in inside)
        container, binding = shut_ports[number][0]
        is_entry = number in BROWSED_PORTS and container.restarts_always and not is_fronted
        if callers or is_entry:
            ports.append(PortForHostAlone(container, binding, callers))
    return PortsForHostAlone(tuple(ports))


def _shut_ports(
    containers: Containers, listeners: Listeners
) -> Iterator[tuple[int, tuple[Container, PortBinding]]]:
    """By the port of the host, the bindings to its loopback where nothing listens for others."""
    open_ports = {
        listener.port
        for listener in listeners
        if listener.proto[:3] == "tcp" and not is_loopback(listener.address)
    }
    for container in containers.running:
        for binding in container.published_by("tcp"):
            is_shut = binding.is_for_host_alone and not binding.is_ipv6
            if is_shut and binding.host_port not in open_ports:
                yield binding.host_port, (container, binding)


def _has_front(processes: Processes) -> bool:
    """Whether a web server or a tunnel runs that may bring visitors to the host's loopback."""
    names = {process.comm for process in processes}
    outside = {process.comm for process in processes.outside}
    return not names.isdisjoint(_TUNNELS) or not outside.isdisjoint(PROGRAMS)


def _refused_neighbours(flows: list[UdpFlow], interfaces: Interfaces) -> tuple[str, ...]:
    """The machines of the local network whose calls to this host were refused."""
    refused = [flow for flow in flows if flow.state == _CLOSED]
    to_host = [flow for flow in refused if interfaces.holds(flow.dst) and not is_loopback(flow.dst)]
    callers = {flow.src for flow in to_host if not interfaces.holds(flow.src)}
    return tuple(sorted(src for src in callers if not ipaddress.ip_address(src).is_global))
