"""Gateways of macvlan and ipvlan networks that answer no container, by the containers' ARP."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.neighbours import parse_arp
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 20
"""Containers whose table is read."""
DIRECT = ("macvlan", "ipvlan")
"""Drivers whose containers ask the parent's wire for a gateway of their own."""


class SilentGateway(msgspec.Struct, frozen=True):
    """A gateway that a container asked for without an answer."""

    container: Container
    network: Network
    gateway: str
    interface: str
    """The container's own."""


class SilentGateways(Items[SilentGateway], frozen=True):
    """The gateways that did not answer."""

    looked_at: int = 0
    """Containers whose table was read."""


@evidence
def silent_gateways(host: Host, namespaces: Namespaces, networks: Networks) -> SilentGateways:
    """One file of each container that is directly on a wire; most hosts have none."""
    homes = {
        netns.container.id: network
        for netns in namespaces
        if (network := _home(netns, networks)) is not None
    }
    direct = [netns for netns in namespaces if netns.container.id in homes][:MOST]
    silent: list[SilentGateway] = []
    looked_at = 0
    for netns, table in host.ask_about(
        direct, lambda netns: ReadFile(f"/proc/{netns.container.state.pid}/net/arp")
    ):
        if isinstance(table, Failed):
            continue
        looked_at += 1
        gateways = {route.gateway for route in netns.routes if not route.prefix and route.gateway}
        silent += [
            SilentGateway(
                netns.container, homes[netns.container.id], entry.address, entry.interface
            )
            for entry in parse_arp(table.text)
            if entry.is_unanswered and entry.address in gateways
        ]
    return SilentGateways(tuple(silent), looked_at)


def _home(netns: ContainerNetns, networks: Networks) -> Network | None:
    """The only network of a container, where that is a macvlan or an ipvlan."""
    container = netns.container
    direct = [network for network in networks.of(container) if network.driver in DIRECT]
    return direct[0] if direct and len(container.endpoints) == 1 else None
