"""Ways out that the kernel hides behind another address than the host's own. Pure."""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.routes import Route, Routes
from diagnose.mappings import by_key


class OtherAddress(msgspec.Struct, frozen=True):
    """A way out whose packets are hidden behind `taken`, while the host itself uses `own`."""

    way: OutboundPath
    taken: str
    own: str


def by_other_address(
    ways: Iterable[OutboundPath],
    interfaces: Interfaces | None,
    routes: Routes | None,
    lookups: Lookups | None,
    silent: Collection[str],
) -> list[list[OtherAddress]]:
    """By network, the ways whose source is another address of the host than its own packets have.

    A network counts where no DNS server answers it, and one answers the host.

    MASQUERADE takes the uplink's first address in the gateway's subnet (`inet_select_addr` of
    net/ipv4/devinet.c); the host's own packets have the source that the default route names. Ways
    by another interface, such as a tunnel, have a source of their own and are left out.

    silent: the networks that no DNS server answers.
    """
    route = routes.default if routes is not None else None
    if interfaces is None or route is None:
        return []
    if not route.src or not _host_gets_answers(lookups):
        return []
    uplink = interfaces.by_index.get(route.oif or 0)
    address = _chosen_address(interfaces, route)
    if uplink is None or address in ("", route.src):
        return []
    hidden = by_key(
        (way.network.name, OtherAddress(way, address, route.src))
        for way in ways
        if way.network.name in silent and _is_hidden(way, uplink)
    )
    return list(hidden.values())


def _is_hidden(way: OutboundPath, uplink: Interface) -> bool:
    """Whether a network's packets leave by this interface, behind an address of the host."""
    return way.uplink.name == uplink.name and way.family == "ip" and way.is_masqueraded


def _host_gets_answers(lookups: Lookups | None) -> bool:
    """Whether a DNS server answers the host itself."""
    return lookups is not None and any(reply.answered for reply in lookups.host.values())


def _chosen_address(interfaces: Interfaces, route: Route) -> str:
    """The address that the kernel chooses where a route leaves; "" where it has none."""
    own_addresses = [row for row in interfaces.addresses if row.index == route.oif and row.address]
    global_addresses = [
        row for row in own_addresses if row.family == "inet" and row.scope == "global"
    ]
    if route.gateway:
        gateway = ip_address(route.gateway)
        same_subnet = [row for row in global_addresses if gateway in _subnet(row)]
        global_addresses = same_subnet or global_addresses
    return global_addresses[0].address if global_addresses else ""


def _subnet(row: Address) -> IPv4Network | IPv6Network:
    return ip_network(f"{row.address}/{row.prefix}", strict=False)
