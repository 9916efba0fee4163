"""Proxies and address translation that hide clients' addresses from a container. Pure."""

from collections.abc import Iterable, Iterator, Set

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import BROWSED_PORTS, EVERYWHERE6
from diagnose.evidence.network.calls.client_refusals import LIMITS, IsRefusal, refusal_of
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.web_programs import FRONTS

_ENGINES = ("docker-proxy", "rootlesskit", "rootlessport")
"""Programs that take calls to published ports on behalf of an engine."""
LEAST_VISITORS = 2
"""Minimum number of addresses at the proxy that show that there are several visitors."""
_REQUESTS = 6
"""Minimum number of requests from one address that show that a program sees no other."""
_FORWARDED_FOR = LazyPattern(r'" "[\da-fA-F.:]{7,45}(?:, [\da-fA-F.:]{7,45}){0,9}"\s*$')
"""The visitor's own address, with which an access log ends a line of a request that a proxy passed
on. A line of an error log ends with the host that was asked for."""


def web_server_before(container: Container, listeners: Listeners | None) -> str:
    """The host program at a web port, where the container serves none; or ""."""
    if listeners is None or any(
        port.host_port in BROWSED_PORTS for port in container.published_ports
    ):
        return ""
    serving = [
        listener
        for listener in listeners
        if listener.port in BROWSED_PORTS and listener.proto.startswith("tcp")
    ]
    programs = (listener.comm for listener in serving if listener.comm not in _ENGINES)
    return next(filter(None, programs), "")


def fronts_of(containers: Containers, listeners: Listeners | None) -> dict[str, str]:
    """By name of a container with a published port the web server of the host that may call it."""
    fronts = {
        container.name: web_server_before(container, listeners)
        for container in containers.running
        if any(container.published_by("tcp"))
    }
    return {name: front for name, front in fronts.items() if front}


def passes_visitors_on(container: Container, processes: Processes | None) -> bool:
    """Whether a web server runs in it that visitors reach, which may be before other programs."""
    if processes is None or not any(container.published_by("tcp")):
        return False
    return processes.runs(container.id, FRONTS)


def sees_only(address: str, visitors: Set[str], logs: RecentLogs, program: Container) -> bool:
    """Whether the access log of a program has this address alone, and names no visitor."""
    lines = logs.requests_of(program)
    if len(lines) < _REQUESTS or {line.address for line in lines} != {address}:
        return False
    names = (visitor for visitor in visitors for line in lines if visitor in line.line)
    return not any(names)


def is_limit_of(proxy: str) -> IsRefusal:
    """A test for lines that report the address of a proxy as refused, and know no visitor."""
    refuses = refusal_of(proxy, LIMITS)
    return lambda text: refuses(text) and _FORWARDED_FOR.search(text) is None


def publishes_on(network: Network, servers: Iterable[Container]) -> bool:
    """Whether one of these containers publishes a TCP port and is on that network."""
    return any(
        server.is_running and any(server.published_by("tcp")) and network.name in server.endpoints
        for server in servers
    )


def ports_of_ipv6(container: Container) -> list[str]:
    """The TCP ports that it publishes for IPv6 too; a routed network takes none of the host."""
    return [
        published.port
        for published in container.published_by("tcp")
        if published.host_ip in EVERYWHERE6 or published.is_ipv6
    ]


def networks_without_ipv6(
    container: Container, networks: Networks
) -> Iterator[tuple[Network, str]]:
    """The networks of a container by whose gateway its clients may seem to come."""
    if container.has_ipv6 or not ports_of_ipv6(container):
        return
    for network, endpoint in networks.places_of(container):
        if network.is_bridge and endpoint.gateway:
            yield network, endpoint.gateway
