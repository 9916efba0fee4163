"""firewall.masquerade-missing: packets hidden behind another address than the host's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address, ip_network

import msgspec

from checks.firewall.helpers import subjects_of
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.paths.packet_paths import Egress
from diagnose.evidence.network.routes import Routes
from diagnose.mappings import by_key
from diagnose.model import Finding
from diagnose.phrases import counted


class OtherAddress(msgspec.Struct, frozen=True):
    """A way out whose packets are hidden behind `taken`, while the host itself uses `own`."""

    way: Egress
    taken: str
    own: str


def by_other_address(
    ways: Iterable[Egress],
    interfaces: Interfaces | None,
    routes: Routes | None,
    lookups: Lookups | None,
    silent: Collection[str],
) -> list[list[OtherAddress]]:
    """Such ways by network, where no DNS server answers the network and one answers the host.

    MASQUERADE takes the uplink's first address in the gateway's subnet (`inet_select_addr` of
    net/ipv4/devinet.c); the host's own packets have the source that the default route names.
    """
    route = routes.default if routes is not None else None
    if interfaces is None or route is None or not route.src or lookups is None:
        return []
    if not any(reply.answered for reply in lookups.host.values()):
        return []
    hidden = [way for way in ways if way.network.name in silent and _is_masqueraded(way)]
    items = [
        OtherAddress(way, taken, route.src)
        for way in hidden
        if way.uplink.name in interfaces.by_name
        for taken in [_taken(interfaces, way.uplink.name, route.gateway)]
        if taken and taken != route.src
    ]
    return list(by_key((item.way.network.name, item) for item in items).values())


def _is_masqueraded(way: Egress) -> bool:
    nat = way.sample.nat
    return (
        way.family == "ip"
        and way.sample.outcome == "accept"
        and nat is not None
        and (nat.kind == "masquerade")
    )


def _taken(interfaces: Interfaces, name: str, gateway: str | None) -> str:
    """The address that the kernel chooses on an interface; empty where that is not known."""
    index = interfaces.by_name[name].index
    own = [
        row
        for row in interfaces.addresses
        if row.index == index and row.family == "inet" and row.scope == "global" and row.address
    ]
    near = [
        row.address
        for row in own
        if gateway
        and ip_address(gateway) in ip_network(f"{row.address}/{row.prefix}", strict=False)
    ]
    return next(iter(near or [row.address for row in own]), "")


def hidden_behind_another(items: Sequence[OtherAddress]) -> Finding:
    """The finding about one network."""
    first = items[0]
    network, uplink = first.way.network, first.way.uplink.name
    names = [item.way.container.name for item in items]
    subnet = next((str(subnet) for subnet in network.subnets if subnet.version == 4), "")
    return Finding(
        subject=network.subject,
        summary=(
            f"{network}: packets of {counted('container', names)} leave with source {first.taken}, "
            f"the first address of {uplink}, and no answer comes back; the host itself uses "
            f"{first.own}"
        ),
        evidence={
            "source of the default route": first.own,
            f"first address of {uplink}": first.taken,
            "nat POSTROUTING": str(first.way.sample.nat),
            "container": first.way.container.name,
        },
        variables={
            "network": network.name,
            "hidden": subnet,
            "hidden_bridge": network.bridge,
            "own_address": first.own,
            "uplink": uplink,
        },
        discriminator="address",
        touches=subjects_of([network]),
        signs=NO_WAY_OUT,
    )
