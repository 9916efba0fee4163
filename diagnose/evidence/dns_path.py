"""Where the host's packet filter stops queries of containers, for those servers that do not answer them."""

from __future__ import annotations

import ipaddress

import msgspec

from diagnose.evidence.firewall import Firewall
from diagnose.evidence.links import Links
from diagnose.evidence.lookups import Lookups
from diagnose.evidence.networks import Networks
from diagnose.evidence.routes import MAIN_TABLE, Routes
from diagnose.firewall.reach import reach_out
from diagnose.registry import evidence


class DnsPath(msgspec.Struct, frozen=True):
    """blocked: (network, server) -> the rule that surely stops a query, or its reply."""

    blocked: dict[tuple[str, str], str]


@evidence
def dns_path(firewall: Firewall, lookups: Lookups, networks: Networks, routes: Routes, links: Links) -> DnsPath:
    """The walk of one UDP packet to port 53 for each way that fails."""
    blocked: dict[tuple[str, str], str] = {}
    for way in lookups.ways:
        uplink = _device(way.server, routes, links) if way.fails else None
        for container, _ in way.asked if uplink else ():
            for name in way.networks:
                network = networks.by_name.get(name)
                endpoint = container.endpoints.get(name)
                if network is None or not network.is_bridge or endpoint is None or not endpoint.ip_address:
                    continue
                reach = reach_out(
                    firewall.ruleset,
                    bridge=network.bridge,
                    src=endpoint.ip_address,
                    dst=way.server,
                    uplink=uplink or "",
                    proto="udp",
                    dport=53,
                )
                if reach.is_blocked:
                    blocked.setdefault((name, way.server), str(reach.by))
    return DnsPath(blocked)


def _device(server: str, routes: Routes, links: Links) -> str | None:
    """The interface that leads to an IPv4 server, by the longest match in the main table; None for the host's own addresses."""
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return None
    if address.version != 4 or links.holds(server):
        return None
    fitting = [
        each
        for each in routes
        if each.table == MAIN_TABLE and each.family == "inet" and each.leads_somewhere and address in each.net
    ]
    best = max(fitting, key=lambda each: (each.prefix, -each.metric), default=None)
    link = links.by_index.get(best.oif or 0) if best else None
    return link.name if link else None
