"""Rules and routes of the host that stop queries to DNS servers without an answer."""

import ipaddress
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from diagnose.evidence.dns.lookups import Lookups, QueryPath
from diagnose.evidence.network.absent_machine import best_route
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.refusing_routes import refusal
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.mappings import by_key
from diagnose.registry import evidence

_DNS = 53
Place = TypeVar("Place", bound=Hashable)
"""The source of queries: a network and a server, or a server that the host asks."""


class DnsPath(msgspec.Struct, frozen=True):
    """The rules that stop queries to DNS servers, or their replies."""

    blocked: dict[tuple[str, str], Step]
    """(network, server) -> the rule that certainly stops a query, or its reply."""
    of_host: dict[str, Step] = {}
    """Server -> the rule that stops the host's own."""
    rejected: dict[tuple[str, str], Step] = {}
    """(network, server) -> the route or routing rule that rejects a query."""
    rejected_of_host: dict[str, Step] = {}
    """Server -> the same for the host's own."""
    own: frozenset[str] = frozenset()
    """Servers that are addresses of the host."""
    bridges: dict[str, str] = {}
    """The bridge of each network that asked, as the host calls it: Podman's networks do not say."""


@evidence
def dns_path(
    host_stack: HostStack, lookups: Lookups, networks: Networks, links: Interfaces
) -> DnsPath:
    """The way of one query over UDP, and of its answer, for each server that does not answer."""
    stack = host_stack.stack.forwarding
    outer = [way for way in lookups.ways if not is_loopback(way.server)]
    of_containers: dict[tuple[str, str], list[Trace]] = {}
    bridges: dict[str, str] = {}
    for way in outer:
        if not way.fails or ":" in way.server:
            continue
        for network, address in _askers(way, networks):
            link = links.bridge(network.bridge, network.gateways)
            bridges[network.name] = link.name if link is not None else network.bridge
            query = Flow(Origin(bridges[network.name], address), way.server, "udp", _DNS)
            place = (network.name, way.server)
            of_containers.setdefault(place, []).append(trace(stack, query))
    of_host = by_key(_traced_of_host(stack, lookups))
    return DnsPath(
        blocked=_first_of(_blocking_rule, of_containers),
        of_host=_first_of(_blocking_rule, of_host),
        rejected=_first_of(refusal, of_containers),
        rejected_of_host=_first_of(refusal, of_host),
        own=frozenset(way.server for way in outer if links.holds(way.server)),
        bridges=bridges,
    )


def _first_of(
    stops: Callable[[Trace], Step | None], traced: Mapping[Place, Sequence[Trace]]
) -> dict[Place, Step]:
    """The first known step that stops queries, for each place."""
    steps = {place: list(filter(None, map(stops, traces))) for place, traces in traced.items()}
    return {place: stopped[0] for place, stopped in steps.items() if stopped}


def _blocking_rule(traced: Trace) -> Step | None:
    """The rule that stops a connection, or the answer to it."""
    obstacle = traced.rule_in_the_way
    return obstacle.by if obstacle is not None else None


def _traced_of_host(stack: NetworkStack, lookups: Lookups) -> Iterator[tuple[str, Trace]]:
    """The IPv4 servers that do not answer the host, each with the way of its queries."""
    for server, reply in lookups.host.items():
        if not (reply.answered or reply.icmp == "refused" or ":" in server):
            yield server, trace(stack, Flow(Origin(), server, "udp", _DNS))


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


def rule_against(stack: NetworkStack, flow: Flow) -> Step | None:
    """The rule that certainly stops a connection, or the answer to it."""
    return _blocking_rule(trace(stack, flow))


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
    best = best_route(server, routes)
    link = links.by_index.get(best.oif or 0) if best else None
    return link.name if link else None
