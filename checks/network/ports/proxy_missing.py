"""Published ports whose docker-proxy has ended: the host itself is refused there."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.containers.unsettled import is_unsettled
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.docker_proxies import DOCKER_PROXY
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.model import CheckResult, Finding, Seconds, Severity, Skipped
from diagnose.phrases import numbered
from diagnose.registry import check


@check("network.proxy-missing", severity=Severity.warning, caused_by=["daemon.not-running"])
def proxy_missing(
    containers: Containers,
    networks: Networks,
    listeners: Listeners,
    config: DaemonConfig | None,
    ping: Ping,
    info: Info,
    clock: Clock,
    *,
    settled: Seconds = Seconds(1),
) -> CheckResult:
    """Nothing on the host listens at a published port: its docker-proxy has exited.

    Other machines are served by the engine's rules. The host itself is refused at `localhost`, and
    so are other containers that call the host's address. The kernel ends a proxy when memory is
    short, and nobody starts it again before the container starts. A container that restarts has
    none between two runs.
    """
    if ping.is_podman or info.is_rootless:
        return Skipped("only a Docker engine that runs as root has a docker-proxy for each port")
    if config is not None and not config.starts_proxies:
        return Skipped("the engine is configured to start no docker-proxy")
    for container in containers.running:
        is_early = not clock.has_passed(container.started_at, settled)
        if is_early or is_unsettled(container, clock) or not _is_translated(container, networks):
            continue
        unserved = list(_unserved_bindings(container, listeners))
        if unserved:
            yield _finding(container, unserved)


def _is_translated(container: Container, networks: Networks) -> bool:
    """Whether all its networks are bridges whose ports the engine translates."""
    translating = [
        network
        for network in networks.of(container)
        if network.is_bridge
        and network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") == "nat"
    ]
    return len(translating) == len(container.endpoints) > 0


def _unserved_bindings(container: Container, listeners: Listeners) -> Iterator[PortBinding]:
    """The ports published over IPv4 at which nothing listens."""
    for published in (*container.published_by("tcp"), *container.published_by("udp")):
        if published.is_ipv6:
            continue
        sockets = listeners.on(published.protocol, published.host_ip, published.host_port)
        # docker-proxy has a socket for each family, and that of IPv6 takes no IPv4
        if all(socket.comm == DOCKER_PROXY and ":" in socket.address for socket in sockets):
            yield published


def _finding(container: Container, unserved: list[PortBinding]) -> Finding:
    ports = sorted({published.host_port for published in unserved})
    return Finding.about(
        container,
        f"the docker-proxy of {container} for {numbered('port', ports)} has exited: connections from "
        "this host are refused, while other machines may still be served",
        {
            "NetworkSettings.Ports": [
                f"{published.host_ip or '*'}:{published.host_port}/{published.protocol}"
                for published in unserved
            ],
            "listening on the host": "nothing",
        },
        signs=frozenset({"refused"}),
        recheck=(container.run,),
        variables={"port": str(ports[0])},
    )
