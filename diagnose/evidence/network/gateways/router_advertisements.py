"""Whether the kernel still takes IPv6 default routes from routers.

Forwarding makes it a router itself, which ignores them.
"""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.network import ListNeighbours
from diagnose.registry import evidence

_FORWARDING = "net/ipv6/conf/{}/forwarding"
_ACCEPT = "net/ipv6/conf/{}/accept_ra"


class IgnoredRouter(msgspec.Struct, frozen=True):
    """An uplink with global IPv6 addresses whose kernel ignores the router on its link."""

    interface: str
    addresses: tuple[str, ...]
    router: str
    """Its address; a kernel that ignores its routes still knows it as a neighbour."""


class RouterAdvertisements(msgspec.Struct, frozen=True):
    """Whether the uplinks learn an IPv6 default route."""

    ignored: tuple[IgnoredRouter, ...] = ()
    """Uplinks that no longer learn a default route."""
    has_ipv6: bool = True


@evidence
def router_advertisements(
    host: Host, uplinks: Uplinks, interfaces: Interfaces, routes: Routes
) -> RouterAdvertisements | Unavailable:
    """The uplinks' settings that decide whether they learn an IPv6 default route.

    Two settings of each uplink (Documentation/networking/ip-sysctl.rst). accept_ra 1 counts only
    without forwarding, 2 always. A fixed address on a link without a router lacks no route.
    """
    global_addresses = {
        uplink.name: tuple(_global_addresses(interfaces, uplink.name))
        for uplink in uplinks
        if _global_addresses(interfaces, uplink.name)
    }
    if routes.default6 is not None or not global_addresses:
        return RouterAdvertisements(has_ipv6=bool(global_addresses))
    names = [
        pattern.format(name) for name in global_addresses for pattern in (_FORWARDING, _ACCEPT)
    ]
    answer = host.require(ReadSysctls(names=names))
    deaf = [
        name
        for name in global_addresses
        if answer.get(_FORWARDING.format(name)) == "1" and answer.get(_ACCEPT.format(name)) == "1"
    ]
    routers = _routers(host, interfaces) if deaf else {}
    return RouterAdvertisements(
        tuple(
            IgnoredRouter(name, global_addresses[name], routers[name])
            for name in deaf
            if name in routers
        )
    )


def _routers(host: Host, interfaces: Interfaces) -> dict[str, str]:
    """A neighbour that has announced itself as an IPv6 router, by interface."""
    names = {link.index: link.name for link in interfaces}
    return {
        names[row.index]: row.address
        for row in host.require(ListNeighbours())
        if row.is_router and row.address and row.index in names
    }


def _global_addresses(interfaces: Interfaces, name: str) -> list[str]:
    """The addresses of an interface that are meant for the internet.

    Neither local to the link nor to the site (fc00::/7).
    """
    link = interfaces.by_name.get(name)
    addresses = interfaces.addresses_of(link) if link is not None else ()
    return [
        address
        for address in addresses
        if ip_address(address).version == 6
        and not ip_address(address).is_link_local
        and not address.lower().startswith(("fc", "fd"))
    ]
