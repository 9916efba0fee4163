"""network.clients-hidden: a program refuses clients who all seem to be its network's gateway."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from checks.network.helpers import with_ipv6
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import EVERYWHERE6
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Count, Finding, Severity, Skipped
from diagnose.phrases import shortened
from diagnose.registry import check

_REFUSES = LazyPattern(
    r"forbidden|denied|reject|refus|not allowed|not whitelisted|blocked|banned|too many"
    r"|brute-?force|throttl|limiting (?:requests|connections)|rate.?limit|\bban\b|blacklist"
    r'|" 429 ',
    re.IGNORECASE,
)
_WEB = (80, 443)
"""Ports of the host at which clients of web servers come."""
_ENGINES = ("docker-proxy", "rootlesskit", "rootlessport")
"""Programs that take calls to published ports on behalf of an engine."""
_PORT_DRIVER = "--port-driver"
_HIDES, _KEEPS = "builtin", "slirp4netns"
"""RootlessKit's port drivers: the usual one calls the container itself, the other one passes on the
client's own packets."""


@check("network.clients-hidden", severity=Severity.warning)
def clients_hidden(
    containers: Containers,
    recent_logs: RecentLogs,
    networks: Networks,
    interfaces: Interfaces | None,
    listeners: Listeners | None,
    info: Info | None,
    ping: Ping | None,
    processes: Processes | None,
    clock: Clock,
    *,
    least: Count = Count(3),
) -> CheckResult:
    """A program refuses its clients, who all seem to be its network's gateway.

    On a network without IPv6, docker-proxy accepts IPv6 clients and calls the container itself: the
    program sees the gateway in place of each of them. Lists of allowed addresses, limits of
    requests and bans hit all of them at once. IPv4 clients keep their address, unless they call
    from the host itself. The program's own log shows the refusals. A host that has only link-local
    IPv6 addresses is left alone, and so is what a web server of the host itself may pass on: its
    calls come from the gateway too. RootlessKit's port driver `builtin` hides all clients of a
    rootless engine, over IPv4 as well.
    """
    is_rootless = info is not None and info.is_rootless
    if is_rootless and _port_drivers(processes) == {_HIDES}:
        yield from _rootless_findings(containers, recent_logs, networks, clock, least)
        yield from recent_logs.left_out(containers.running)
        return None
    if is_rootless or (ping is not None and ping.is_podman):
        return Skipped("no docker-proxy stands between clients and containers")
    if interfaces is not None and not interfaces.has_ipv6_for_others:
        return None
    for container in containers.running:
        if _is_behind_the_host(container, listeners):
            continue
        for network, gateway in _without_ipv6(container, networks):
            lines = recent_logs.repeated(container, _refusal_of(gateway), clock, least)
            if lines:
                finding = _ipv6_finding(container, network, gateway, lines)
                yield finding.with_variables(with_ipv6(network, ping))
                break
    yield from recent_logs.left_out(containers.running)
    return None


def _ipv6_finding(
    container: Container, network: Network, gateway: str, lines: Sequence[RecentLine]
) -> Finding:
    return Finding.about(
        container,
        f"{container} refuses clients with the address {gateway} of its gateway: all IPv6 "
        f"clients get it, because {network} has no IPv6",
        {
            "log": shortened(lines[-1].text),
            "refusals in its last lines": len(lines),
            "EnableIPv6": network.enable_ipv6,
            "published for IPv6": ", ".join(_ports_of_ipv6(container)),
        },
        touches=(network.subject,),
    )


def _port_drivers(processes: Processes | None) -> set[str]:
    """The port drivers of the rootless engines that run; `none` is one that publishes nothing."""
    kits = (process.cmdline or [] for process in processes or () if process.comm == "rootlesskit")
    return {driver for words in kits for driver in _drivers_in(words)} - {"none"}


def _drivers_in(words: list[str]) -> Iterator[str]:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == _PORT_DRIVER:
            yield value or following


def _rootless_findings(
    containers: Containers,
    recent_logs: RecentLogs,
    networks: Networks,
    clock: Clock,
    least: int,
) -> Iterator[Finding]:
    """What refuses a gateway by which all clients of the published ports of a network seem to come.

    The program may stand behind a proxy, which passes on the address that it saw.
    """
    for container in containers.running:
        for network, endpoint in networks.places_of(container):
            servers = [container, *containers.beside(container)]
            if not endpoint.gateway or not _publishes_on(network, servers):
                continue
            lines = recent_logs.repeated(container, _refusal_of(endpoint.gateway), clock, least)
            if lines:
                yield Finding.about(
                    container,
                    f"{container} refuses clients with the address {endpoint.gateway} of its "
                    "gateway: all clients get it, because the port driver of this rootless engine "
                    f"is {_HIDES}",
                    {
                        "log": shortened(lines[-1].text),
                        "refusals in its last lines": len(lines),
                        "rootlesskit": f"{_PORT_DRIVER}={_HIDES}",
                    },
                    touches=(network.subject,),
                    driver=_KEEPS,
                )
                break


def _publishes_on(network: Network, servers: Iterable[Container]) -> bool:
    """Whether one of these containers publishes a TCP port and is on that network."""
    return any(
        server.is_running and server.published_by("tcp") and network.name in server.endpoints
        for server in servers
    )


def _is_behind_the_host(container: Container, listeners: Listeners | None) -> bool:
    """Whether a program that uses the host's network serves a web port, and the container none."""
    if listeners is None or any(port.host_port in _WEB for port in container.published_ports):
        return False
    serving = [item for item in listeners if item.port in _WEB and item.proto.startswith("tcp")]
    return any(item.comm and item.comm not in _ENGINES for item in serving)


def _ports_of_ipv6(container: Container) -> list[str]:
    """The TCP ports that it publishes for IPv6 too; a routed network takes none of the host."""
    return [
        published.port
        for published in container.published_by("tcp")
        if published.host_ip in EVERYWHERE6 or published.is_ipv6
    ]


def _without_ipv6(container: Container, networks: Networks) -> Iterator[tuple[Network, str]]:
    """The networks of a container by whose gateway its clients may seem to come."""
    if container.has_ipv6 or not _ports_of_ipv6(container):
        return
    for network, endpoint in networks.places_of(container):
        if network.is_bridge and endpoint.gateway:
            yield network, endpoint.gateway


def _refusal_of(address: str) -> Callable[[str], bool]:
    """Whether a line says that this very address is refused."""
    whole = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.]*\d)")
    return lambda text: bool(_REFUSES.search(text) and whole.search(text))
