"""firewall.masquerade-missing: packets hidden behind another address than the host's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.paths.egress import Egress
from diagnose.evidence.network.routes import Route, Routes
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
    net/ipv4/devinet.c); the host's own packets have the source that the default route names. Ways
    by another interface, such as a tunnel, have a source of their own and are left out.
    """
    route = routes.default if routes is not None else None
    if interfaces is None or route is None or not route.src or not _host_gets_answers(lookups):
        return []
    uplink = interfaces.by_index.get(route.oif or 0)
    taken = _taken(interfaces, route)
    if uplink is None or taken in ("", route.src):
        return []
    items = [
        OtherAddress(way, taken, route.src)
        for way in ways
        if way.uplink.name == uplink.name and way.network.name in silent and _is_masqueraded(way)
    ]
    return list(by_key((item.way.network.name, item) for item in items).values())


def _host_gets_answers(lookups: Lookups | None) -> bool:
    """Whether a DNS server answers the host itself."""
    return lookups is not None and any(reply.answered for reply in lookups.host.values())


def _is_masqueraded(way: Egress) -> bool:
    sample = way.sample
    is_hidden = sample.nat is not None and sample.nat.kind == "masquerade"
    return way.family == "ip" and sample.outcome == "accept" and is_hidden


def _taken(interfaces: Interfaces, route: Route) -> str:
    """The address that the kernel chooses where a route leaves; "" where it has none."""
    own = [
        row
        for row in interfaces.addresses
        if row.index == route.oif and row.family == "inet" and row.scope == "global" and row.address
    ]
    if route.gateway:
        gateway = ip_address(route.gateway)
        near = [row for row in own if gateway in _subnet(row)]
        own = near or own
    return own[0].address if own else ""


def _subnet(row: Address) -> IPv4Network | IPv6Network:
    return ip_network(f"{row.address}/{row.prefix}", strict=False)


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
            "own_address": first.own,
            "uplink": uplink,
        },
        discriminator="address",
        touches=with_bridges([network]),
        signs=NO_WAY_OUT,
    )
