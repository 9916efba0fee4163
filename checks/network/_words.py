"""What the checks of this family share."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.networks import Network


def attached(network: Network, containers: Containers | None) -> tuple[Container, ...]:
    """The running containers on a network; none where they are not known."""
    return () if containers is None else containers.running_on(network.name)


def rejoin(container: Container, network: str) -> dict[str, str]:
    """How a page connects a container to a network: a service of compose gets its alias back."""
    service = container.compose_service
    if service and network not in ("bridge", "podman"):
        return {"home": network, "alias": service}
    return {"rejoin": network}
