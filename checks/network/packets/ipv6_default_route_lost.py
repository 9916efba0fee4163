"""network.ipv6-default-route-lost: forwarding makes the kernel ignore its IPv6 router."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.gateways.router_advertisements import RouterAdvertisements
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.registry import check


@check("network.ipv6-default-route-lost", severity=Severity.critical)
def ipv6_default_route_lost(router_advertisements: RouterAdvertisements) -> CheckResult:
    """Forwarding makes the kernel ignore its IPv6 router: no default route is left.

    An engine that writes IPv6 rules turns forwarding on; with `accept_ra` at its default of 1 the
    kernel then ignores router advertisements, and the default route ends with its lifetime. A host
    that was given its route in another way has one. A link without a router offers none.
    """
    if not router_advertisements.has_ipv6:
        return Skipped("no uplink of this host has a global IPv6 address")
    for router in router_advertisements.ignored:
        yield Finding(
            subject=Subject("interface", router.interface),
            summary=f'interface "{router.interface}" has address {router.addresses[0]}, but the '
            "host has no IPv6 default route:"
            f" accept_ra=1 ignores router {router.router} while forwarding is on",
            evidence={
                f"net.ipv6.conf.{router.interface}.accept_ra": "1",
                f"net.ipv6.conf.{router.interface}.forwarding": "1",
                "addresses": list(router.addresses),
                "router on the link": router.router,
                "IPv6 default route": None,
            },
            variables={
                "assignment": f"net/ipv6/conf/{router.interface}/accept_ra=2",
                "uplink": router.interface,
            },
            signs=NO_WAY_OUT,
        )
