"""The smallest repair of routes, and of what the engine's configuration says about networks."""

from collections.abc import Sequence

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.wiring.docker_interfaces import DockerInterfaces
from diagnose.model import Finding
from diagnose.questions import Host
from diagnose.registry import repairs
from diagnose.repair.differences import Difference, RouteGone, daemon_keys, setting

POOL_SIZE = 24


@repairs("network.subnet-overlaps-route")
def free_subnet(
    finding: Finding, host: Host, routes: Routes, config: DaemonConfig | None
) -> Sequence[Difference]:
    """Removes a route that leads nowhere, or gives the default network another subnet.

    Another network is recreated by its page.
    """
    nowhere = finding.variables.get("nowhere")
    stopper = finding.variables.get("stopper")
    if stopper:
        return [
            RouteGone(route)
            for route in routes
            if route.type == nowhere and str(route.net) == stopper
        ]
    for variable, key in (("bip", "bip"), ("prefix", "fixed-cidr-v6")):
        if variable in finding.variables and config is not None:
            return daemon_keys(config, {key: finding.variables[variable]}, host)
    return ()


@repairs("network.interface-taken")
def default_routes_of_the_uplink_alone(
    finding: Finding, docker_interfaces: DockerInterfaces, interfaces: Interfaces
) -> Sequence[Difference]:
    """Removes the default routes by one of Docker's interfaces."""
    taken_here = [
        interface for interface in docker_interfaces if interface.subject == finding.subject
    ]
    names = {interface.index: interface.name for interface in interfaces}
    return [
        RouteGone(route, names.get(route.oif or 0, ""))
        for interface in taken_here
        for route in interface.defaults
    ]


@repairs("network.address-pools-exhausted")
def another_pool(finding: Finding, host: Host, config: DaemonConfig) -> Sequence[Difference]:
    """Gives the engine a range of its own from which it takes subnets."""
    pool = finding.variables.get("pool")
    if not pool:
        return ()
    return daemon_keys(config, {"default-address-pools": [{"base": pool, "size": POOL_SIZE}]}, host)


@repairs("network.mtu-mismatch")
def size_of_the_uplink(finding: Finding, host: Host, config: DaemonConfig) -> Sequence[Difference]:
    """Gives the default network the uplink's packet size."""
    mtu = finding.variables.get("daemon_mtu")
    return daemon_keys(config, {"mtu": int(mtu)}, host) if mtu else ()


@repairs("network.ipv6-default-route-lost")
def advertisements_count(finding: Finding, host: Host) -> Sequence[Difference]:
    """Makes the uplink take router advertisements although the host forwards."""
    return setting(finding.variables["assignment"], "1", None, host)
