"""Where the host's packet filter stops queries, for those servers that do not answer them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Literal

import msgspec

from diagnose.evidence.dns.lookups import Lookups, QueryPath
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict
from diagnose.evidence.network.routes import MAIN_TABLE, Routes
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.packet import Hook, Packet
from diagnose.firewall.reach import reach_in, reach_out
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.verdict import Step
from diagnose.firewall.walk import walk
from diagnose.registry import evidence


class DnsPath(msgspec.Struct, frozen=True):
    """The rules that stop queries to DNS servers, or their replies."""

    blocked: dict[tuple[str, str], Step]
    """(network, server) -> the rule that certainly stops a query, or its reply."""
    of_host: dict[str, Step] = {}
    """Server -> the rule that stops the host's own."""
    own: frozenset[str] = frozenset()
    """Servers that are addresses of the host."""
    bridges: dict[str, str] = {}
    """The bridge of each network that asked, as the host calls it: Podman's networks do not say."""


@evidence
def dns_path(
    firewall: Firewall, lookups: Lookups, networks: Networks, routes: Routes, links: Interfaces
) -> DnsPath:
    """The walk of one UDP packet to port 53 for each way that fails."""
    blocked: dict[tuple[str, str], Step] = {}
    bridges: dict[str, str] = {}
    outer = [way for way in lookups.ways if not is_loopback(way.server)]
    own = frozenset(way.server for way in outer if links.holds(way.server))
    for way in outer:
        uplink = device_to(way.server, routes, links)
        if not way.fails or not (uplink or way.server in own):
            continue
        for network, address in _askers(way, networks):
            link = links.bridge(network.bridge, network.gateways)
            bridges[network.name] = link.name if link is not None else network.bridge
            reach = _reach(firewall.ruleset, bridges[network.name], address, way.server, uplink)
            if reach.is_blocked and reach.by is not None:
                blocked.setdefault((network.name, way.server), reach.by)
    of_host = dict(_blocked_of_host(firewall.ruleset, lookups, routes, links))
    return DnsPath(blocked, of_host, own, bridges)


def _blocked_of_host(
    ruleset: Ruleset, lookups: Lookups, routes: Routes, links: Interfaces
) -> Iterator[tuple[str, Step]]:
    """The IPv4 servers that do not answer the host, each with the rule that stops its queries."""
    for server, reply in lookups.host.items():
        if reply.answered or reply.icmp == "refused" or ":" in server:
            continue
        is_here = is_loopback(server) or links.holds(server)
        device = "lo" if is_here else device_to(server, routes, links)
        rule = rule_against(ruleset, server, device) if device else None
        if rule is not None:
            yield server, rule


def _askers(way: QueryPath, networks: Networks) -> Iterator[tuple[Network, str]]:
    """The bridge networks of the containers that asked, each with the container's address there."""
    for container, _ in way.replies:
        for name in way.networks:
            network = networks.by_name.get(name)
            endpoint = container.endpoints.get(name)
            if network is None or endpoint is None:
                continue
            if network.is_bridge and endpoint.ip_address:
                yield network, endpoint.ip_address


def _reach(
    ruleset: Ruleset, bridge: str, source: str, server: str, uplink: str | None
) -> ConnectionVerdict:
    """What becomes of a query to a server beyond the uplink.

    Without an uplink: of this host itself.
    """
    if uplink:
        return reach_out(
            ruleset, bridge=bridge, src=source, dst=server, uplink=uplink, proto="udp", dport=53
        )
    return reach_in(
        ruleset,
        uplink=bridge,
        src=source,
        host_address=server,
        host_port=53,
        bridges={},
        proto="udp",
    )


def rule_against(
    ruleset: Ruleset,
    server: str | None,
    device: str,
    *,
    proto: Literal["tcp", "udp"] = "udp",
    port: int = 53,
) -> Step | None:
    """The rule that certainly stops what the host itself asks a server, or the answer to it.

    server: None for any. device: "lo" for a server on this host.
    """
    here = device == "lo"
    sent = Packet("", device, None, server, proto, 40_000, port, dst_local=here, src_local=True)
    received = Packet(device, "", None, server, proto, 40_000, port, dst_local=True, src_local=True)
    answer = Packet(
        device,
        "",
        server,
        None,
        proto,
        port,
        40_000,
        state="established",
        reply=True,
        dst_local=True,
        src_local=here,
    )
    asked: list[tuple[Packet, Hook]] = [(sent, "output"), (sent, "postrouting")]
    if here:
        asked += [(received, "prerouting"), (received, "input")]
    asked += [(answer, "prerouting"), (answer, "input")]
    verdicts = (walk(ruleset, hook, packet) for packet, hook in asked)
    return next((verdict.by for verdict in verdicts if verdict.is_blocked), None)


def device_to(server: str, routes: Routes, links: Interfaces) -> str | None:
    """The interface that leads to an IPv4 server, by the longest match in the main table.

    None for the host's own addresses.
    """
    try:
        address = ipaddress.ip_address(server)
    except ValueError:
        return None
    if address.version != 4 or links.holds(server):
        return None
    fitting = [
        route
        for route in routes
        if route.table == MAIN_TABLE
        and route.family == "inet"
        and route.leads_somewhere
        and address in route.net
    ]
    best = max(fitting, key=lambda route: (route.prefix, -route.metric), default=None)
    link = links.by_index.get(best.oif or 0) if best else None
    return link.name if link else None
