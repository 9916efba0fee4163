"""Machines around containers of macvlan and ipvlan networks, by their ARP tables."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.neighbours import Neighbour, parse_arp
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 20
"""Containers whose table is read."""
_SCAN = 16
"""Number of unanswered addresses from which on a program searches the network."""


class ArpTable(msgspec.Struct, frozen=True):
    """The ARP table of a container that is directly on a wire of the host."""

    container: Container
    network: Network
    gateways: frozenset[str]
    """Those of its default routes."""
    entries: tuple[Neighbour, ...]

    @property
    def unanswered(self) -> tuple[Neighbour, ...]:
        """The machines that did not answer; none where it searches the whole network."""
        silent = tuple(entry for entry in self.entries if entry.is_unanswered)
        return silent if len(silent) < _SCAN else ()

    @property
    def has_no_answer(self) -> bool:
        """Whether no machine on the wire has answered it, unless it searches the network."""
        return len(self.unanswered) == len(self.entries)


class ArpTables(Items[ArpTable], frozen=True):
    """The ARP tables that were read."""

    def of(self, container: Container) -> ArpTable | None:
        return next((table for table in self if table.container.id == container.id), None)


@evidence
def arp_tables(host: Host, namespaces: Namespaces, networks: Networks) -> ArpTables:
    """The ARP table of each container that is directly on a wire; most hosts have none."""
    by_container: dict[str, _DirectNetwork] = {}
    for netns in namespaces:
        direct_network = _direct_network_of(netns, networks)
        if direct_network is not None:
            by_container[netns.container.id] = direct_network
    examined = host.first(
        [netns for netns in namespaces if netns.container.id in by_container],
        MOST,
        "containers directly on a wire",
    )
    tables: dict[str, ArpTable] = {}
    for netns, file in host.ask_about(
        examined, lambda netns: ReadFile(f"/proc/{netns.container.state.pid}/net/arp")
    ):
        if isinstance(file, Failed):
            continue
        id = netns.container.id
        direct_network = by_container[id]
        tables[id] = ArpTable(
            netns.container,
            direct_network.network,
            frozenset(
                route.gateway for route in netns.routes if not route.prefix and route.gateway
            ),
            tuple(
                entry
                for entry in parse_arp(file.text)
                if direct_network.interface in ("", entry.interface)
            ),
        )
    return ArpTables(
        tuple(tables[netns.container.id] for netns in examined if netns.container.id in tables)
    )


class SilentMachine(msgspec.Struct, frozen=True):
    """A machine on its wire that a container asked for without an answer."""

    container: Container
    network: Network
    address: str
    interface: str
    """The container's own."""


class SilentGateways(Items[SilentMachine], frozen=True):
    """The gateways that did not answer."""

    neighbours: tuple[SilentMachine, ...] = ()
    """Other machines that did not answer a container without any answer."""
    looked_at: int = 0
    """Containers whose table was read."""


@evidence
def silent_gateways(arp_tables: ArpTables) -> SilentGateways:
    """The default routes of containers beside their own ARP tables."""
    silent = [
        (entry.address in table.gateways, table, entry)
        for table in arp_tables
        for entry in table.entries
        if entry.is_unanswered
    ]
    return SilentGateways(
        tuple(_machine(table, entry) for is_gateway, table, entry in silent if is_gateway),
        tuple(
            _machine(table, entry)
            for is_gateway, table, entry in silent
            if not is_gateway and table.has_no_answer
        ),
        len(arp_tables),
    )


def _machine(table: ArpTable, entry: Neighbour) -> SilentMachine:
    return SilentMachine(table.container, table.network, entry.address, entry.interface)


class _DirectNetwork(msgspec.Struct, frozen=True):
    """The macvlan or ipvlan network by which a container leaves."""

    network: Network
    interface: str
    """The container's on it; "" where it has no other network."""


def _direct_network_of(netns: ContainerNetns, networks: Networks) -> _DirectNetwork | None:
    container = netns.container
    direct = [network for network in networks.of(container) if network.is_direct]
    if direct and len(container.endpoints) == 1:
        return _DirectNetwork(direct[0], "")
    names = {link.index: link.name for link in netns.links}
    for network in direct:
        for route in netns.routes:
            leads_there = route.gateway in network.gateways and not route.prefix
            if leads_there and route.oif in names:
                return _DirectNetwork(network, names[route.oif])
    return None
