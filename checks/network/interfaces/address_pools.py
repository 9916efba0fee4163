"""Address pools and subnets that are used up."""

from collections.abc import Iterable

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Network, Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.sockets.refused_ports import not_up
from diagnose.evidence.network.subnets.described_routes import DescribedRoutes
from diagnose.evidence.network.subnets.subnet_stock import (
    SubnetStock,
    addresses_in,
    addresses_in_use,
    subnet_stock,
)
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity, Skipped, Subject
from diagnose.model.units import Count
from diagnose.phrases import agree, count, named
from diagnose.registry import check


@check(
    "network.address-pools-exhausted",
    severity=Severity.warning,
    caused_by=["network.bridge-leaked"],
)
def address_pools_exhausted(
    networks: Networks,
    routes: Routes,
    links: Interfaces,
    info: Info,
    containers: Containers | None,
    ping: Ping | None,
    tunnels: Tunnels | None,
    *,
    warn_free: Count = Count(3),
) -> CheckResult:
    """The engine has no subnets left for new networks, or hardly any.

    Subnets of networks count, and those that the host reaches on a link of its own; routes through
    a gateway do not (seen on 20.10.24, 26.1.5 and 28.5.2). With one to three left it is advice.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman chooses subnets differently")
    stock = subnet_stock(info, networks, routes, links)
    if stock.free <= warn_free:
        described = DescribedRoutes(routes, links, tunnels, networks)
        yield _few_left_finding(
            stock, networks, described, _without_container(networks, containers)
        )


def _few_left_finding(
    stock: SubnetStock, networks: Networks, routes: DescribedRoutes, empty: list[str]
) -> Finding:
    """The finding about address pools with few subnets left. empty: the networks without a
    container."""
    free = stock.free
    blocking = stock.blocking
    left_clause = "no subnet is left for new networks"
    if free:
        left_clause = f"only {free} of {stock.total} subnets {agree(range(free), 'is', 'are')} left for new networks"
    described = [routes.describe(route) for route in blocking[:10]]
    in_the_way = {
        "overlapped by routes alone": stock.routed or None,
        "routes on a link that are in the way": described,
        "networks without a container": empty[:20],
    }
    return Finding(
        subject=DAEMON,
        summary=f"{left_clause}: {', '.join(_subnet_takers(stock, networks, routes, empty))}",
        evidence={"subnets in the pools": stock.total, "free": free, **present(in_the_way)},
        variables=_ways_out(stock, routes, networks, empty),
        severity=Severity.advice if free else Severity.warning,
        touches=_leaked_bridges(blocking, routes.links),
    )


def _subnet_takers(
    stock: SubnetStock, networks: Networks, routes: DescribedRoutes, empty: list[str]
) -> list[str]:
    """The clauses about networks and routes that take the subnets; the one that takes most is
    first."""
    bridges = networks.bridges
    without = f" ({len(empty)} without a container)" if empty else ""
    of_docker = (
        f"{count(len(bridges), 'network')} of Docker{without} "
        f"{agree(bridges, 'has', 'have')} a subnet"
    )
    if not stock.routed:
        return [of_docker]
    bridge_takers = [of_docker] if bridges else []
    first, *others = stock.blocking
    verb = f"and {count(len(others), 'more route')} cover" if others else "covers"
    by_route = f"host route {routes.describe(first)} {verb} {stock.routed} of {stock.total}"
    # the route comes first where removing it helps more than removing networks does
    if stock.routed >= len(networks.bridges):
        return [by_route, *bridge_takers]
    return [*bridge_takers, by_route]


def _without_container(networks: Networks, containers: Containers | None) -> list[str]:
    if containers is None:
        return []
    inhabited = {name for container in containers for name in container.endpoints}
    return [
        network.name
        for network in networks.bridges
        if network.name not in inhabited and network.name != DEFAULT_NETWORK
    ]


def _ways_out(
    stock: SubnetStock, routes: DescribedRoutes, networks: Networks, empty: list[str]
) -> PageVariables:
    """The page variables: pruning helps where networks are unused; a pool outside the host's routes
    always does."""
    variables = {"pool": routes.free_pool}
    if empty and stock.routed < len(networks.bridges):
        variables["cleanup"] = "prune"
    return variables


def _leaked_bridges(blocking: Iterable[Route], links: Interfaces) -> tuple[Subject, ...]:
    """The bridges among the devices of these routes: one of them may be left over from a
    network."""
    devices = (links.by_index.get(route.oif or 0) for route in blocking)
    bridges = [device for device in devices if device is not None and device.kind == "bridge"]
    return tuple(sorted(set(subjects_of(bridges))))


_NO_ADDRESS = LazyPattern(
    r"no available IPv4 addresses on this network's address pools: (?P<network>\S+)"
)

_SMALL = 8
"""A subnet with fewer addresses is full on purpose: it was made for one or two containers."""


@check("network.subnet-exhausted", severity=Severity.critical)
def subnet_exhausted(containers: Containers, networks: Networks) -> CheckResult:
    """A network has no free address for another container.

    Certain where a container failed to start for lack of an address. A subnet that is merely full
    is a warning. A subnet that was cut for two containers is full on purpose.
    """
    errors = ((_NO_ADDRESS.search(down.state.error), down) for down in not_up(containers))
    refused = by_key((error["network"], down) for error, down in errors if error)
    for network in networks.bridges:
        failed = refused.get(network.name, [])
        used = addresses_in_use(network, containers)
        room = addresses_in(network)
        if failed or (room >= _SMALL and used >= room):
            yield _exhausted_finding(network, failed, used, room)


def _exhausted_finding(network: Network, failed: list[Container], used: int, room: int) -> Finding:
    victims = f", so {named('container', names_of(failed))} did not start" if failed else ""
    return Finding(
        subject=network.subject,
        summary=f"{network} has no free address ({used} of {room} in use){victims}",
        evidence={
            "IPAM.Config": [f"{pool.subnet} {pool.ip_range}".strip() for pool in network.pools],
            "addresses for containers": room,
            "in use by running containers": used,
            **{
                f"State.Error of {container.name}": container.state.error
                for container in failed[:5]
            },
        },
        variables={"network": network.name, "waiting": "\n".join(names_of(failed))},
        severity=Severity.critical if failed else Severity.warning,
        touches=subjects_of(failed),
    )
