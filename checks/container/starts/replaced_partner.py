"""Starts in the network of a container that was recreated. For container.start-refused."""

from checks.container.starts.start_errors import failed_start
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.start_refusals import refusal_of
from diagnose.evidence.network.wiring.lost_networks import successor_of
from diagnose.model import Finding


def replaced_partner_finding(
    container: Container, containers: Containers, events: Events | None
) -> Finding | None:
    """The finding about a start beside a container that was recreated: it asks for the former one
    by its id."""
    successor = successor_of(container, containers, events)
    if not successor or refusal_of(container, containers).kind != "peer":
        return None
    return failed_start(
        container,
        f'it shares the network of the previous container "{successor}", which was recreated under '
        "another id",
        evidence={"HostConfig.NetworkMode": container.host_config.network_mode},
        variables={"joiner": container.name, "successor": successor},
    )
