"""container.loopback-peer: a program calls localhost, where another container is meant."""

from __future__ import annotations

from checks.container.confirmed import claims, compose_variables
from checks.container.helpers import with_variables
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.containers.loopback_words import with_host
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import named
from diagnose.registry import check

ID = "container.loopback-peer"


@check(ID, severity=Severity.critical)
def loopback_peer(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A container calls localhost, where another container was meant.

    A line of its log says that localhost refused a connection to a port, and another running
    container offers that port. Inside a container, localhost is the container itself. Containers
    that share the host's network, or another container's, are left out: their localhost is shared.
    """
    for claim in claims(ID, containers, log_tails, clock):
        container = claim.container
        port = claim.value("port")
        mode = container.host_config.network_mode
        if (
            not port
            or mode == "host"
            or mode.startswith("container:")
            or port in _offered(container)
        ):
            continue
        peers = [
            other
            for other in containers.running
            if other.id != container.id and port in _offered(other)
        ]
        if not peers:
            continue
        near = [peer for peer in peers if container.endpoints.keys() & peer.endpoints.keys()]
        peer = (near or peers)[0]
        where = "" if near else ", which is on none of its networks"
        finding = Finding.about(
            container,
            f'container "{container.name}" calls localhost:{port}, which is itself: port {port} '
            f"belongs to {named('container', [other.name for other in near or peers])}{where}",
            {
                **claim.evidence,
                f"{peer.name} offers": f"port {port}",
                "networks in common": sorted(container.endpoints.keys() & peer.endpoints.keys())
                or "none",
            },
            touches=(peer.subject,),
            signs=claim.tail.signs,
            onset=container.failed_first,
            peer=f"{peer.name}:{port}",
        )
        yield with_variables(
            finding,
            {
                **_network(peer, is_near=bool(near)),
                **_by_name(container, peer, int(port)),
                **compose_variables(container),
            },
        )
    return None


def _offered(container: Container) -> set[str]:
    """The TCP ports that its image exposes or that are published."""
    ports = {*(container.config.exposed_ports or {}), *(port for port, _ in container.wanted_ports)}
    return {port.partition("/")[0] for port in ports if not port.endswith("/udp")}


def _by_name(container: Container, peer: Container, port: int) -> dict[str, str]:
    """How the page has the program call the other container by its name.

    The engine resolves names on networks that a user made, not on the default one.
    """
    common = container.endpoints.keys() & peer.endpoints.keys()
    return with_host(container, port, peer.name) if common - {"bridge"} else {}


def _network(peer: Container, *, is_near: bool) -> dict[str, str]:
    """The peer's own network, to which the caller has to be connected first."""
    network = next((name for name in peer.endpoints if name not in ("bridge", "host", "none")), "")
    return {} if is_near or not network else {"network": network}
