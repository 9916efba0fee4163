"""Global IPv6 addresses of containers that no machine announces on the link of the uplink.

The uplink's router takes an address of the link's own prefix for a neighbour. It asks the link who
has it, and the container, which is on a bridge behind the host, never hears the question.
"""

from ipaddress import IPv6Network, ip_address

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.mappings import by_key, distinct
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.network import ListConnections, ListProxiedAddresses, UdpFlow
from diagnose.registry import evidence

_SWITCH = "net/ipv6/conf/{}/proxy_ndp"
_ANSWERERS = ("ndp", "npd6", "odhcpd")
"""Parts of the names of programs that answer neighbour discovery for others: ndppd, ndpresponder,
docker-ndp-daemon."""
_MOST_FLOWS = 5_000


class UnproxiedNetwork(msgspec.Struct, frozen=True):
    """A Docker network with addresses of the prefix that is on the link of an uplink."""

    network: Network
    uplink: str
    prefix: str
    """The uplink's prefix, in CIDR notation."""
    members: tuple[Container, ...]
    """The running containers that nobody announces."""
    addresses: tuple[str, ...]
    waiting: tuple[Container, ...]
    """Those whose requests get no answer."""
    is_proxy_on: bool
    """Whether the kernel answers on the uplink for the addresses of its proxy list."""


class UnproxiedAddresses(Items[UnproxiedNetwork], frozen=True):
    """The networks whose containers the router does not find."""

    judged: int = 0
    """How many containers send packets from an address of the uplink's own prefix."""


@evidence
def unproxied_addresses(
    host: Host,
    packet_paths: PacketPaths,
    interfaces: Interfaces,
    networks: Networks,
    processes: Processes | None,
    unanswered_calls: UnansweredCalls | None,
) -> UnproxiedAddresses | Unavailable:
    """The ways out over IPv6 beside the kernel's list of proxied addresses.

    Three questions, and only where a container sends packets from an address of the uplink's
    prefix. A tunnel or a serial line has no neighbours. Packets that come back show that the router
    has a route of its own. A program that answers for others may do so for these containers.
    """
    ways = [way for way in packet_paths.outbound_paths6 if _prefix(way, interfaces) is not None]
    if not ways or _has_answerer(processes):
        return UnproxiedAddresses(judged=len(ways))
    proxies = _Proxies(host, interfaces, distinct(way.uplink.name for way in ways))
    lost = [way for way in ways if not proxies.answer_for(way)]
    if not lost:
        return UnproxiedAddresses(judged=len(ways))
    callers = frozenset(call.container.id for call in unanswered_calls or () if ":" in call.address)
    traffic = _Traffic(tuple(_flows(host, interfaces, networks)), callers)
    by_network = by_key(((way.network.name, way.uplink.name), way) for way in lost)
    items = [
        _network(members, str(_prefix(members[0], interfaces)), traffic, proxies)
        for members in by_network.values()
        if not traffic.finds(members)
    ]
    return UnproxiedAddresses(tuple(items), len(ways))


class _Proxies:
    """The addresses for which the kernel answers, and the interfaces on which it does so."""

    def __init__(self, host: Host, interfaces: Interfaces, uplinks: tuple[str, ...]) -> None:
        names = {link.index: link.name for link in interfaces}
        self._entries = {
            (names.get(row.index), ip_address(row.address))
            for row in host.require(ListProxiedAddresses())
            if row.address
        }
        switches = [_SWITCH.format(name) for name in ("all", *uplinks)]
        self._settings = host.require(ReadSysctls(names=switches))

    def is_on(self, uplink: str) -> bool:
        return any(
            self._settings.get(_SWITCH.format(name)) not in (None, "0") for name in ("all", uplink)
        )

    def answer_for(self, way: OutboundPath) -> bool:
        uplink = way.uplink.name
        return self.is_on(uplink) and (uplink, ip_address(way.address)) in self._entries


class _Traffic(msgspec.Struct, frozen=True):
    """The packets of containers over IPv6, as far as this host keeps account of them."""

    flows: tuple[UdpFlow, ...]
    """Tracked connections with other machines."""
    callers: frozenset[str]
    """The ids of containers that wait for an answer over IPv6."""

    def finds(self, ways: list[OutboundPath]) -> bool:
        """Whether a packet from beyond the host has come to one of these containers."""
        addresses = {way.address for way in ways}
        return any(
            flow.dst in addresses or (flow.src in addresses and "seen_reply" in flow.status)
            for flow in self.flows
        )

    def waits(self, way: OutboundPath) -> bool:
        """Whether a container has sent something, and nothing has come back."""
        has_sent = any(flow.src == way.address for flow in self.flows)
        return has_sent or way.container.id in self.callers


def _network(
    ways: list[OutboundPath], prefix: str, traffic: _Traffic, proxies: _Proxies
) -> UnproxiedNetwork:
    """The network of these containers, which nobody announces."""
    first = ways[0]
    return UnproxiedNetwork(
        first.network,
        first.uplink.name,
        prefix,
        members=tuple(way.container for way in ways),
        addresses=tuple(way.address for way in ways),
        waiting=tuple(way.container for way in ways if traffic.waits(way)),
        is_proxy_on=proxies.is_on(first.uplink.name),
    )


def _has_answerer(processes: Processes | None) -> bool:
    """Whether a program runs that may answer neighbour discovery for others."""
    return any(part in process.comm for process in processes or () for part in _ANSWERERS)


def _prefix(way: OutboundPath, interfaces: Interfaces) -> IPv6Network | None:
    """The prefix on the link of the uplink that holds a container's address; None without one.

    Its packets leave with that address, and the uplink has neighbours that ask for it.
    """
    link = interfaces.by_name.get(way.uplink.name)
    if link is None or not link.mac or not way.is_untranslated:
        return None
    address = ip_address(way.address)
    for row in interfaces.addresses:
        if row.index == link.index and row.address and ":" in row.address:
            net = IPv6Network(f"{row.address}/{row.prefix}", strict=False)
            if address in net and not net.is_link_local:
                return net
    return None


def _flows(host: Host, interfaces: Interfaces, networks: Networks) -> list[UdpFlow]:
    """The tracked IPv6 connections with another machine; none where the kernel tracks none."""
    table = host.ask(ListConnections(family="inet6", limit=_MOST_FLOWS))
    if isinstance(table, Failed):
        return []

    def is_far(text: str) -> bool:
        address = ip_address(text)
        is_of_link = address.is_link_local or address.is_multicast
        return not is_of_link and not interfaces.holds(text) and networks.bridge_of(address) is None

    return [flow for flow in table.entries if is_far(flow.src) or is_far(flow.dst)]
