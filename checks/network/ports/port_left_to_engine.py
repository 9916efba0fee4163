"""network.port-left-to-engine: a well-known port is published at a port that the engine chose."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check

_FIXED_BY_CALLERS = {
    "tcp": frozenset({25, 53, 465, 587, 993, 995, 1883, 5060, 5061, 8883}),
    "udp": frozenset({53, 67, 69, 123, 161, 162, 500, 514, 1194, 1812, 3478, 4500, 5060, 51820}),
}
"""Ports by protocol whose number clients do not ask for: mail, names, telephony, tunnels."""


@check("network.port-left-to-engine", severity=Severity.warning)
def port_left_to_engine(containers: Containers, listeners: Listeners | None) -> CheckResult:
    """A well-known port is published at a port that the engine chose.

    `"25"` in a compose file, and `-p 25`, mean that the engine chooses a port of the host from
    32768 on, another one at each start. Other mail servers call port 25 and no other. Reported
    where another port of the same container has a fixed place on the host, and nobody holds the
    well-known one there. Containers whose ports are all chosen by the engine are left out: those
    who call them ask the engine. Ports with a second, fixed place on the host are left out too. It
    is advice where a neighbour may be the only client, as of a mail server for tests: a network is
    shared, and no other well-known port is fixed.
    """
    if not any(container.wanted_ports for container in containers.running):
        return Skipped("no running container publishes a port")
    for container in containers.running:
        has_fixed = any(published.host_port for published in container.wanted_ports)
        if not has_fixed or container.shares_network:
            continue
        for published in container.wanted_ports:
            is_left = _is_left(published) and not _has_second_place(container, published)
            chosen = _chosen_port(container, published) if is_left else 0
            if chosen and not _is_used(published, containers, listeners):
                has_clients_near = not _serves_outside(container) and any(
                    other.id != container.id and set(other.shared_networks(container)) - {"bridge"}
                    for other in containers.running
                )
                severity = Severity.advice if has_clients_near else None
                yield _finding(container, published, chosen, severity)


def _serves_outside(container: Container) -> bool:
    """Whether another well-known port has a fixed place on the host."""
    return any(
        published.host_port and published.number in _FIXED_BY_CALLERS.get(published.protocol, ())
        for published in container.wanted_ports
    )


def _is_left(published: PortBinding) -> bool:
    """Whether the engine chooses the port of the host for a well-known port."""
    return not published.host_port and published.number in _FIXED_BY_CALLERS.get(
        published.protocol, ()
    )


def _has_second_place(container: Container, published: PortBinding) -> bool:
    """Whether a fixed port of the host leads to the same port of the container."""
    return any(other.host_port and other.port == published.port for other in container.wanted_ports)


def _chosen_port(container: Container, binding: PortBinding) -> int:
    """The port of the host that leads there now; 0 for none."""
    ways = (published for published in container.published_ports if published.port == binding.port)
    return next((published.host_port for published in ways), 0)


def _is_used(binding: PortBinding, containers: Containers, listeners: Listeners | None) -> bool:
    """Whether a container or a program of the host uses the well-known port."""
    published = containers.ports_published_by(binding.protocol)
    is_taken = listeners is not None and bool(listeners.on(binding.protocol, ANY, binding.number))
    return binding.number in published or is_taken


def _fixed_ports(container: Container) -> Iterator[str]:
    return (str(published) for published in container.wanted_ports if published.host_port)


def _finding(
    container: Container, published: PortBinding, chosen: int, severity: Severity | None
) -> Finding:
    number = published.number
    return Finding.about(
        container,
        f"{container} publishes port {number} at port {chosen} of this host, which the engine "
        f"chose: clients of other machines call port {number}, where nothing listens, and the "
        "next start may choose another port",
        {
            "HostConfig.PortBindings": f"{published.port} without a port of the host",
            "NetworkSettings.Ports": container.published_names,
            "fixed ports of the container": sorted(_fixed_ports(container))[:5],
        },
        discriminator=published.port,
        severity=severity,
        recheck=(container.run,),
        variables={
            "port": str(number),
            "narrow": published.leading_to(published.port),
            "publish": published.leading_to(published.port, number),
        },
    )
