"""Programs of the engine that hold a published port and belong to no container."""

from __future__ import annotations

import itertools

import msgspec

from checks.network.ports import IN_USE, bind_failures
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped
from diagnose.registry import check

_PROXY = "docker-proxy"
_ENGINES = ("dockerd", "rootlesskit", "exe")
"""Parents that a proxy may have; rootlesskit starts its own kind of proxy, and very old engines ran
as "exe"."""


class _Proxy(msgspec.Struct, frozen=True):
    """A docker-proxy process and what it serves, by its arguments."""

    process: Process
    proto: str
    port: str
    target: str


@check("network.proxy-orphaned", severity=Severity.warning, causes=["network.port-held-by-process"])
def proxy_orphaned(containers: Containers, processes: Processes, ping: Ping | None) -> CheckResult:
    """A docker-proxy process holds a host port for a container that is gone.

    An engine that was killed may leave it behind. It accepts connections and serves nobody, and no
    container can publish the port. Only a proxy whose parent is no engine, and whose port no
    running container publishes.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman has no docker-proxy")
    for proxy in _proxies(processes):
        parent = processes.by_pid.get(proxy.process.ppid)
        is_adopted = parent is not None and parent.comm in _ENGINES
        if is_adopted or _is_published(proxy, containers):
            continue
        victims = [
            failure.container
            for failure in bind_failures(containers, IN_USE)
            if (str(failure.port), failure.proto) == (proxy.port, proxy.proto)
        ]
        yield Finding(
            subject=HOST,
            summary=f"{_PROXY} (pid {proxy.process.pid}) holds {proxy.proto} port {proxy.port} for {proxy.target},"
            " which no running container has",
            evidence={
                "command": " ".join(proxy.process.cmdline or ()),
                "parent": f"{parent.comm} (pid {parent.pid})"
                if parent
                else f"pid {proxy.process.ppid}",
                "containers that could not publish the port": names_of(victims),
            },
            variables=_variables(proxy, victims),
            discriminator=f"{proxy.port}/{proxy.proto}/{proxy.process.pid}",
            severity=Severity.critical if victims else Severity.warning,
            touches=subjects_of(victims),
            signs=frozenset({"port-taken"}),
        )
    return None


def _variables(proxy: _Proxy, victims: list[Container]) -> dict[str, str]:
    variables = {"pid": str(proxy.process.pid), "port": proxy.port}
    return {**variables, "container": victims[0].name} if victims else variables


def _proxies(processes: Processes) -> list[_Proxy]:
    proxies = []
    for process in processes:
        words = process.cmdline or []
        if process.comm == _PROXY and not process.container:
            options = dict(itertools.pairwise(words))
            target = f"{options.get('-container-ip', '?')}:{options.get('-container-port', '?')}"
            proxies.append(
                _Proxy(
                    process, options.get("-proto", "tcp"), options.get("-host-port", "0"), target
                )
            )
    return proxies


def _is_published(proxy: _Proxy, containers: Containers) -> bool:
    return any(
        published.partition("/")[2] == proxy.proto and binding.host_port == proxy.port
        for container in containers.running
        for published, binding in container.published_ports
    )
