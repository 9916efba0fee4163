"""Programs that serve or wake machines by broadcast, from networks that keep broadcasts in."""

import re
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ConnectionTable, ListConnections
from diagnose.questions.sockets import CountMulticast
from diagnose.registry import evidence

DHCP_PORT = 67
_GAVE_ADDRESS = LazyPattern(r"\bDHCP(?:OFFER|ACK)\b|\bDHCP4_LEASE_(?:OFFER|ADVERT|ALLOC)\b")
_FOREIGN_SUBNET = LazyPattern(
    r"no address range available for DHCP request via"
    r"|\bDHCPDISCOVER .{0,200}: (?:network .{0,80}: no free leases|unknown network segment)"
    r"|\bDHCP4_SUBNET_SELECTION_FAILED\b",
    re.IGNORECASE,
)
"""dnsmasq and Pi-hole, ISC dhcpd, Kea: a question came from a subnet that the server does not
serve, which is the bridge's."""
_WAKES = LazyPattern(
    r"\bmagic packets?\b|\b(?:send|sent|sending)\b.{0,60}\b(?:wake[- ]?on[- ]?lan|WOL)\b",
    re.IGNORECASE,
)


class KeptBroadcast(msgspec.Struct, frozen=True):
    """A container whose broadcasts, or those of its clients, end at a bridge."""

    container: Container
    networks: tuple[Network, ...]
    kind: Literal["dhcp", "wake"]
    line: str = ""
    """The log line about a question that it cannot answer, or a packet that it sent."""
    broadcasts: int = 0
    """Packets that it sent to all."""


class KeptBroadcasts(Items[KeptBroadcast], frozen=True):
    """The kept broadcasts, in the order of the containers."""

    asked: int = 0
    """How many containers on bridges serve DHCP or wake machines."""
    unread: tuple[Unexamined, ...] = ()
    """Servers that a relay may ask: that is not known."""


@evidence
def kept_broadcasts(
    host: Host,
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    links: Interfaces,
    recent_logs: RecentLogs,
) -> KeptBroadcasts:
    """The programs that serve or wake machines by broadcast, on networks that keep broadcasts in.

    The collector asks nothing where no container on a bridge publishes DHCP's port or wakes
    machines. A server that has given an address lately is reached, and so is one that a relay asks:
    a relay sends its clients' questions to the host's own address.
    """
    on_bridges = [
        container for container in containers.running if _is_on_bridges(container, networks)
    ]
    servers = [container for container in on_bridges if _serves_dhcp(container, namespaces)]
    wakers: dict[str, tuple[Container, str]] = {}
    for container in on_bridges:
        lines = _matching_lines(container, recent_logs, _WAKES)
        if lines and namespaces.of(container) is not None:
            wakers[container.id] = (container, lines[-1])
    broadcasts: list[KeptBroadcast] = []
    for container in servers:
        if _matching_lines(container, recent_logs, _GAVE_ADDRESS):
            continue
        lines = _matching_lines(container, recent_logs, _FOREIGN_SUBNET)
        line = lines[-1] if lines else ""
        broadcasts.append(KeptBroadcast(container, tuple(networks.of(container)), "dhcp", line))
    unread: tuple[Unexamined, ...] = ()
    if broadcasts:
        table = host.ask(ListConnections(protocol="udp", dport=DHCP_PORT))
        if isinstance(table, Failed):
            unread = tuple(
                Unexamined(broadcast.container.subject, f"relays: {table}")
                for broadcast in broadcasts
            )
            broadcasts = []
        elif _is_relayed(table, links):
            broadcasts = []
    broadcasts += _sent_broadcasts(host, wakers, networks)
    return KeptBroadcasts(tuple(broadcasts), len(servers) + len(wakers), unread)


def _is_on_bridges(container: Container, networks: Networks) -> bool:
    own_networks = [] if container.shares_network else networks.of(container)
    return bool(own_networks) and all(network.is_bridge for network in own_networks)


def _serves_dhcp(container: Container, namespaces: Namespaces) -> bool:
    """Whether a container publishes DHCP's port, and listens there."""
    netns = namespaces.of(container)
    is_published = any(port.number == DHCP_PORT for port in container.published_by("udp"))
    return is_published and netns is not None and netns.serves_others("udp", DHCP_PORT)


def _matching_lines(
    container: Container, recent_logs: RecentLogs, pattern: LazyPattern
) -> list[str]:
    return [line.text for line in recent_logs.of_this_run(container) if pattern.search(line.text)]


def _is_relayed(table: ConnectionTable, links: Interfaces) -> bool:
    """Whether another machine sends questions to an address of this host, not to all."""
    return any(links.holds(flow.dst) and not links.holds(flow.src) for flow in table.entries)


def _sent_broadcasts(
    host: Host, wakers: dict[str, tuple[Container, str]], networks: Networks
) -> list[KeptBroadcast]:
    """The programs that have sent packets to all of their own subnet, which is the bridge's."""
    if not wakers:
        return []
    pids = {container.state.pid: (container, line) for container, line in wakers.values()}
    counted = host.ask(CountMulticast(sorted(pids)))
    if isinstance(counted, Failed):
        return []
    kept = []
    for pid, (container, line) in pids.items():
        counters = counted.get(str(pid))
        sent = counters.broadcasts if counters is not None else 0
        if sent:
            kept.append(KeptBroadcast(container, tuple(networks.of(container)), "wake", line, sent))
    return kept
