"""Interfaces whose clients rp_filter drops: the way back to them leads by another interface."""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.network import CountReversePathDrops, ReversePathDrops
from diagnose.registry import evidence


class StrictUplink(msgspec.Struct, frozen=True):
    """An interface with an address that others can call."""

    name: str
    address: str
    mode: int
    """The effective rp_filter of the interface."""
    back: str
    """The interface by which the host answers a client beyond."""
    ports: tuple[int, ...]
    """Published ports that such a client would call."""


class StrictUplinks(Items[StrictUplink], frozen=True):
    """The interfaces whose clients the kernel takes for forged; none on a host with one way out."""

    drops: ReversePathDrops | None = None
    """None where nothing was counted."""


@evidence
def strict_uplinks(
    host: Host, host_stack: HostStack, uplinks: Uplinks, containers: Containers, networks: Networks
) -> StrictUplinks | Unavailable:
    """The interfaces whose clients rp_filter drops.

    Drops are counted only where an interface would drop clients of other nets.
    """
    stack = host_stack.stack
    bridges = {network.bridge for network in networks.bridges}
    main = uplinks.preferred.name if uplinks.preferred is not None else ""
    drops = []
    for device in stack.devices:
        address = stack.address_on(device.name, "ip")
        if device.name in (main, "lo") or device.name in bridges or device.kind == "bridge":
            continue
        if address is None or ip_address(address).is_loopback:
            continue
        ports = tuple(sorted(_ports(containers, address)))
        strict = _strict_uplink(stack, device.name, address, ports)
        if strict is not None:
            drops.append(strict)
    if not drops:
        return StrictUplinks()
    answer = host.require(CountReversePathDrops())
    return StrictUplinks(tuple(drops), answer)


def _ports(containers: Containers, address: str) -> set[int]:
    return {
        published.host_port
        for container in containers.running
        for published in container.published_by("tcp")
        if published.host_ip in (*EVERYWHERE, address)
    }


def _strict_uplink(
    stack: NetworkStack, device: str, address: str, ports: tuple[int, ...]
) -> StrictUplink | None:
    """The interface, where the kernel certainly takes an ordinary client beyond it for forged."""
    if not ports:
        return None
    traced = trace(stack, Flow(Origin(device, SOMEWHERE), address, "tcp", ports[0]))
    obstacle = traced.obstacle
    if not traced.is_blocked or obstacle is None or obstacle.reason != "reverse path":
        return None
    back = stack.routing.look_up(SOMEWHERE).oif
    return StrictUplink(device, address, stack.settings.reverse_path.get(device) or 1, back, ports)
