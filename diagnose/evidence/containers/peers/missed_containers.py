"""Containers that others miss, and that were to run on."""

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.images.listing import name_of
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.networks import DEFAULT_NETWORK


def was_stopped(container: Container, stops: Stops, containers: Containers) -> bool:
    """Whether the container's end was asked for.

    A running engine would have restarted one that is always restarted and has ended well. Where the
    engine is down, the container may have ended with the engine.
    """
    if container.state.status != "exited" or container.start_failed or container.swarm_service:
        return False  # the swarm stops the tasks that it replaces, and keeps some of them
    restarts = container.host_config.restart_policy.name in ("always", "unless-stopped")
    has_engine = containers.source == "api"
    ended_well = has_engine and container.state.exit_code == 0 and restarts
    return ended_well or stops.was_requested(container)


def missed_by(
    caller: Container,
    containers: Containers,
    log_tails: LogTails | None,
    logged_failures: LoggedFailures | None,
) -> set[str]:
    """The ids of the containers that the caller's log says its calls do not reach."""
    missed = {
        peer.id
        for failure in logged_failures or ()
        if failure.container.id == caller.id
        for peer in failure.called
    }
    if log_tails is not None and caller.state.status in ("running", "restarting"):
        lines = log_tails.of(caller).lines
        missed |= {peer.id for peer in called_peers(lines, caller, containers, configured=())}
    return missed


def needs(caller: Container, container: Container, containers: Containers) -> bool:
    """Whether the caller finds the container by name, and no running replica by the same.

    On the default network no name leads to it, whether it runs or not.
    """
    if caller.id == container.id or not (
        set(container.shared_networks(caller)) - {DEFAULT_NETWORK}
    ):
        return False
    return not any(
        container.dns_names & other.dns_names
        for other in containers.running
        if other.id != caller.id and other.shared_networks(caller)
    )


def is_lacking(container: Container, containers: Containers) -> bool:
    """Whether the container is a service of a project that runs otherwise, and was to run on."""
    policy = container.host_config.restart_policy.name
    if not container.compose_project or policy in ("", "no"):
        return False
    return any(map(container.shares_project, containers.running))


def is_plain_server(container: Container, containers: Containers) -> bool:
    """Whether the container is of no project, was to serve ports on, and none serves in its place.

    A deployment by hand leaves the former container behind, with another name.
    """
    policy = container.host_config.restart_policy.name
    if container.compose_project or policy not in ("always", "unless-stopped"):
        return False
    has_ports = any(binding.host_port for binding in container.wanted_ports)
    return has_ports and not any(_is_in_place(other, container) for other in containers.running)


def _is_in_place(other: Container, container: Container) -> bool:
    """Whether another container has the image of this one, or one of its ports."""
    images = [name_of(shown.config.image) for shown in (other, container)]
    ports = [binding.host_port for binding in container.wanted_ports if binding.host_port]
    return images[0] == images[1] or any(map(other.wants_port, ports))
