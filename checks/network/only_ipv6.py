"""Networks with IPv4 alone on a host that reaches the outside only over IPv6."""

from __future__ import annotations

import json
from hashlib import blake2s

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import counted
from diagnose.registry import check

_IP6TABLES_BY_DEFAULT = (27,)
"""The first engine that writes IPv6 rules without being configured to."""


@check(
    "network.ipv4-leads-nowhere",
    severity=Severity.warning,
    causes=["dns.upstream-unreachable", "dns.no-nameserver"],
)
def ipv4_leads_nowhere(
    containers: Containers, networks: Networks, routes: Routes, ping: Ping | None
) -> CheckResult:
    """A network has IPv4 alone, and the host reaches the outside only over IPv6.

    Its containers reach each other, and nobody beyond the host: there is no IPv4 default route in
    any table. A network with IPv6 gets out by the host's address.
    """
    leads_out = {route.family for route in routes if not route.prefix and route.leads_somewhere}
    if leads_out != {"inet6"}:
        return Skipped("the host does not reach the outside only over IPv6")
    for network in networks.bridges:
        members = containers.running_on(network.name)
        cut_off = [
            container
            for container in members
            if not any(end.global_ipv6_address for end in container.endpoints.values())
        ]
        if cut_off and not network.internal:
            names = sorted(container.name for container in cut_off)
            yield Finding(
                subject=network.subject,
                summary=(
                    f"{network} has no IPv6, and this host reaches the outside only over IPv6: "
                    f"{counted('container', names)} cannot reach the outside"
                ),
                evidence={
                    "EnableIPv6": network.enable_ipv6,
                    "IPv4 default route": None,
                    "IPv6 default route": str(routes.default6),
                    "containers": names,
                },
                variables=_cure(network, ping),
                touches=tuple(container.subject for container in cut_off),
                signs=NO_WAY_OUT,
            )
    return None


def _cure(network: Network, ping: Ping | None) -> dict[str, str]:
    """The default network gets IPv6 by the engine's configuration, others are created again."""
    number = blake2s(network.name.encode(), digest_size=4).hexdigest()
    prefix = f"fd00:{number[:4]}:{number[4:]}::/64"
    writes_rules = ping is not None and ping.version >= _IP6TABLES_BY_DEFAULT
    config: dict[str, object] = {"ipv6": True, "fixed-cidr-v6": prefix}
    if not writes_rules:
        config |= {"ip6tables": True, "experimental": True}
    if network.name == "bridge":
        return {"ipv6_json": json.dumps(config)}
    subnet = next((str(subnet) for subnet in network.subnets if subnet.version == 4), "")
    if not subnet or not writes_rules:
        return {"network": network.name}
    return {"network": network.name, "subnet": subnet, "ipv6_subnet": prefix}
