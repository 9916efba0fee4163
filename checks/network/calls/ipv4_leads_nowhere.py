"""Networks with IPv4 alone on a host that reaches the outside only over IPv6."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.first_steps.network.network_steps import with_ipv6
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import named
from diagnose.registry import check


@check(
    "network.ipv4-leads-nowhere",
    severity=Severity.warning,
    causes=["dns.upstream-unreachable", "dns.no-nameserver"],
)
def ipv4_leads_nowhere(
    containers: Containers,
    networks: Networks,
    routes: Routes,
    ping: Ping | None,
    resolvers: Resolvers | None,
) -> CheckResult:
    """A network has only IPv4, but the host reaches the outside only over IPv6.

    Its containers reach each other, and nobody beyond the host: there is no IPv4 default route in
    any table. A network with IPv6 gets out by the host's address. Names fail for this reason only
    where a DNS server has an IPv6 address: one with an IPv4 address stays out of reach.
    """
    leads_out = {route.family for route in routes if not route.prefix and route.leads_somewhere}
    if leads_out != {"inet6"}:
        return Skipped("the host can reach the outside over IPv4 too")
    signs = NO_WAY_OUT if _may_ask_over_ipv6(resolvers) else NO_WAY_OUT - {"dns"}
    for network in networks.bridges:
        members = containers.running_on(network.name)
        cut_off = [container for container in members if not container.has_ipv6]
        if cut_off and not network.internal:
            names = sorted(names_of(cut_off))
            yield Finding(
                subject=network.subject,
                summary=(
                    f"{network} has no IPv6, and this host reaches the outside only over IPv6: "
                    f"{named('container', names)} cannot reach the outside"
                ),
                evidence={
                    "EnableIPv6": network.enable_ipv6,
                    "IPv4 default route": None,
                    "IPv6 default route": str(routes.default6),
                    "containers": names,
                },
                variables=with_ipv6(network, ping),
                touches=subjects_of(cut_off),
                signs=signs,
            )


def _may_ask_over_ipv6(resolvers: Resolvers | None) -> bool:
    """Whether a DNS server of the host has an IPv6 address, or none is known."""
    servers = () if resolvers is None else resolvers.host_servers
    return not servers or any(":" in server for server in servers)
