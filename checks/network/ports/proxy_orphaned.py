"""Programs of the engine that hold a published port and belong to no container."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.sockets.docker_proxies import (
    DOCKER_PROXY,
    DockerProxy,
    docker_proxies,
)
from diagnose.evidence.network.sockets.refused_ports import IN_USE, bind_failures
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.registry import check


@check("network.proxy-orphaned", severity=Severity.warning, causes=["network.port-held-by-process"])
def proxy_orphaned(containers: Containers, processes: Processes, ping: Ping | None) -> CheckResult:
    """A docker-proxy process holds a host port for a container that is gone.

    An engine that was killed may leave it behind. It accepts connections and serves nobody, and no
    container can publish the port. A proxy counts if its parent is not an engine and no running
    container publishes its port.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman has no docker-proxy")
    for proxy in docker_proxies(processes):
        if not proxy.is_of_engine and not proxy.is_needed(containers):
            yield _finding(proxy, _victims(proxy, containers))


def _victims(proxy: DockerProxy, containers: Containers) -> list[Container]:
    """The containers that could not publish its port."""
    return [
        failure.container
        for failure in bind_failures(containers, IN_USE)
        if (str(failure.port), failure.proto) == (proxy.port, proxy.proto)
    ]


def _finding(proxy: DockerProxy, victims: list[Container]) -> Finding:
    pid = proxy.process.pid
    return Finding(
        subject=HOST,
        summary=(
            f"{DOCKER_PROXY} (pid {pid}) holds {proxy.proto} port {proxy.port} for {proxy.target},"
            " which no running container has"
        ),
        evidence={
            "command": " ".join(proxy.process.cmdline or ()),
            "parent": proxy.started_by,
            "containers that could not publish the port": names_of(victims),
        },
        variables=_variables(proxy, victims),
        discriminator=f"{proxy.port}/{proxy.proto}/{pid}",
        severity=Severity.critical if victims else Severity.warning,
        touches=subjects_of(victims),
        signs=frozenset({"port-taken"}),
    )


def _variables(proxy: DockerProxy, victims: list[Container]) -> PageVariables:
    variables = {"pid": str(proxy.process.pid), "port": proxy.port}
    return {**variables, "container": victims[0].name} if victims else variables
