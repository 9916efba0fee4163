"""Networks whose translation is switched off, and whose answers the engine's own rule drops."""

from collections.abc import Iterator, Sequence

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.mappings import by_key
from diagnose.model import Finding, Severity
from diagnose.phrases import named, sentence


def switched_off(ways: Sequence[OutboundPath], namespaces: Namespaces | None) -> Iterator[Finding]:
    """A finding for each network whose containers get no answer from beyond the host.

    A container whose default route leads through another of its networks does not go out this way.
    """
    groups = by_key((way.network.name, way) for way in ways if _leaves_by(way, namespaces))
    for members in groups.values():
        yield _finding(members)


def _leaves_by(way: OutboundPath, namespaces: Namespaces | None) -> bool:
    """Whether a container's packets to the outside certainly take this network."""
    if len(way.container.endpoints) == 1:
        return True
    netns = namespaces.of(way.container) if namespaces is not None else None
    gateway = way.container.endpoints[way.network.name].gateway
    routes = netns.routes if netns is not None else ()
    return any(not route.prefix and route.gateway == gateway for route in routes)


def _finding(members: Sequence[OutboundPath]) -> Finding:
    first = members[0]
    network = first.network
    names = sorted(way.container.name for way in members)
    others = sorted(set(first.container.endpoints) - {network.name})
    rest = f"it is on {named('network', others)} too" if others else ""
    subnet = network.subnet4
    variables = {"network": network.name, "bridge": network.bridge, "subnet": subnet}
    if others:
        variables = {"network": network.name, "container": first.container.name}
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"{network} does not translate addresses "
            f"(enable_ip_masquerade is false): {named('container', names)} "
            "cannot reach the outside through it, and the engine drops the answers",
            f"{first.container} has its default route there, and {rest}" if rest else "",
        ),
        evidence={
            "Options.com.docker.network.bridge.enable_ip_masquerade": "false",
            "answers dropped by": str(first.sample.by),
            "containers": names,
        },
        variables=variables,
        discriminator="off",
        severity=None if others else Severity.warning,
        touches=with_bridges([network]) + tuple(way.container.subject for way in members),
        signs=NO_WAY_OUT,
    )
