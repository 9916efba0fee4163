"""Other bridges of the host, of LXC, libvirt or CNI.

Whether what is behind them still gets through the host.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Literal

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.walks import SOMEWHERE6
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import EPHEMERAL, Flow, Origin, Trace
from diagnose.firewall.network_stack import Device, NetworkStack
from diagnose.firewall.packet import Family, Packet
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.firewall.walk import walk
from diagnose.registry import evidence

_GUEST_KINDS = ("tun", "veth")
"""Kinds of the ports behind which machines and containers are."""
_ENGINES_OWN = ("docker", "br-", "podman")
"""Prefixes of the bridges that an engine created, where its networks could not be listed."""


class BridgePath(msgspec.Struct, frozen=True):
    """The way from one bridge out through the uplink."""

    bridge: str
    kind: Literal["routed", "bridged", "behind"]
    """routed: the host routes its packets, and hides its addresses behind its own (IPv4) or has a
    global prefix for it (IPv6). bridged: the uplink itself is one of its ports, so that only
    br_netfilter can stop a frame. behind: no bridge, but an interface with a net of its own that
    the host is set up to translate, as a router or a VPN server does."""
    family: Family
    subnet: str
    uplink: str
    guests: tuple[str, ...]
    """The other ports of the bridge."""
    trace: Trace


class BridgePaths(Items[BridgePath], frozen=True):
    """The ways of interfaces that do not belong to an engine and have something behind them."""


@evidence
def bridge_paths(
    host_stack: HostStack, interfaces: Interfaces, uplinks: Uplinks, networks: Networks | None
) -> BridgePaths:
    """The paths of foreign bridges to the outside, by one trace for each bridge and family."""
    stack = host_stack.stack
    own_bridges = (
        {network.bridge for network in networks.bridges} if networks is not None else set()
    )
    paths: list[BridgePath] = []
    for link in interfaces:
        device = stack.by_name.get(link.name)
        if not link.up or device is None:
            continue
        if link.kind != "bridge":
            paths += _path_of_translated_net(stack, device, uplinks) if link.master is None else ()
        elif link.name not in own_bridges and not _is_an_engines(link.name):
            paths += _paths_of_bridge(stack, device, interfaces.ports(link), uplinks)
    return BridgePaths(tuple(paths))


def _is_an_engines(name: str) -> bool:
    """Whether an engine names its bridges so; `br-lan` is a router's."""
    return name.startswith(_ENGINES_OWN) and name != "br-lan"


def _paths_of_bridge(
    stack: NetworkStack, device: Device, ports: Sequence[Interface], uplinks: Uplinks
) -> Iterator[BridgePath]:
    """The ways of the guests on a bridge; none where there are no guests."""
    guests = tuple(port.name for port in ports if port.kind in _GUEST_KINDS)
    outer = [port for port in ports if port.kind not in _GUEST_KINDS]
    if guests and outer:
        yield from _bridged_paths(stack, device, outer[0], guests)
    elif guests:
        yield from _routed_paths(stack, device, guests, uplinks)


def _with_prefix(device: Device, address: str | None) -> IPv4Interface | IPv6Interface | None:
    """An address of an interface with its prefix; None where the interface does not have it."""
    with_prefix = (text for text in device.addresses if text.partition("/")[0] == address)
    return next((ip_interface(text) for text in with_prefix), None)


def _routed_paths(
    stack: NetworkStack, device: Device, guests: tuple[str, ...], uplinks: Uplinks
) -> Iterator[BridgePath]:
    """The way out of a bridge with an address of the host.

    Nothing where the host is not set up to let its packets out.
    """
    families: tuple[tuple[Family, str], ...] = (("ip", SOMEWHERE), ("ip6", SOMEWHERE6))
    for family, peer in families:
        address = stack.address_on(device.name, family)
        net = _with_prefix(device, address)
        if net is None or net.network.num_addresses < 4 or net.ip.is_link_local:
            continue
        source = str(
            net.network.network_address
            + (2 if str(net.network.network_address + 2) != address else 3)
        )
        decision = stack.routing.look_up(peer, source, device.name)
        if decision.kind != "unicast" or not len(uplinks):
            continue
        if not _is_meant_to_leave(stack, device.name, source, decision.oif, family):
            continue
        traced = trace(
            stack, Flow(Origin(device.name, source), peer, "tcp", 443, family, assumed=decision.oif)
        )
        yield BridgePath(
            device.name,
            kind="routed",
            family=family,
            subnet=str(net.network),
            uplink=decision.oif,
            guests=guests,
            trace=traced,
        )


def _path_of_translated_net(
    stack: NetworkStack, device: Device, uplinks: Uplinks
) -> Iterator[BridgePath]:
    """The way out of an interface whose net, and no other, is translated by a rule.

    Rules for all that leaves tell nothing about it.
    """
    address = stack.address_on(device.name, "ip")
    if address is None or not len(uplinks) or device.name in (uplink.name for uplink in uplinks):
        return
    own_address = _with_prefix(device, address)
    if own_address is None:
        return
    net = own_address.network
    source = str(net.network_address + (2 if str(net.network_address + 2) != address else 3))
    decision = stack.routing.look_up(SOMEWHERE, source, device.name)
    if net.num_addresses < 4 or decision.kind != "unicast" or decision.oif == device.name:
        return
    is_translated = _is_meant_to_leave(stack, device.name, source, decision.oif, "ip")
    if not is_translated or _is_meant_to_leave(stack, device.name, _STRANGER, decision.oif, "ip"):
        return
    traced = trace(
        stack, Flow(Origin(device.name, source), SOMEWHERE, "tcp", 443, assumed=decision.oif)
    )
    yield BridgePath(
        device.name,
        kind="behind",
        family="ip",
        subnet=str(net),
        uplink=decision.oif,
        guests=(),
        trace=traced,
    )


_STRANGER = "198.18.251.7"
"""An address of a net for measurements, which no rule is about."""


def _is_meant_to_leave(
    stack: NetworkStack, bridge: str, source: str, uplink: str, family: Family
) -> bool:
    """Whether the host is set up for this bridge's packets.

    Its addresses are translated, or are routed global ones.
    """
    forwards = (
        stack.settings.forwarding6 if family == "ip6" else stack.settings.forwarding.get(bridge)
    )
    if forwards is False:
        return False
    if family == "ip6" and ip_interface(source).ip.is_global:
        return True
    sent = Packet(
        bridge,
        oif=uplink,
        src=source,
        dst=SOMEWHERE if family == "ip" else SOMEWHERE6,
        proto="tcp",
        sport=EPHEMERAL,
        dport=443,
        family=family,
    )
    return walk(stack.ruleset, "postrouting", sent).nat is not None


def _bridged_paths(
    stack: NetworkStack, device: Device, outer: Interface, guests: tuple[str, ...]
) -> Iterator[BridgePath]:
    """The way from a guest's port to the port of the uplink."""
    if not stack.settings.bridge_filter:
        return
    origin = Origin(device.name, None, guests[0])
    traced = trace_bridged(stack, Flow(origin, None, "tcp", 443, assumed=device.name), outer.name)
    yield BridgePath(
        device.name,
        kind="bridged",
        family="ip",
        subnet="",
        uplink=outer.name,
        guests=guests,
        trace=traced,
    )
