"""The containers around an address that is called."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.calls.failing_calls import FailingCall, where_named
from diagnose.evidence.network.container_netns import Namespaces


def members_around(call: FailingCall, containers: Containers) -> list[Container]:
    """The other running containers on the network of an address that is called."""
    return [
        container
        for container in containers.running
        if call.network.name in container.endpoints and container.id != call.container.id
    ]


def servers_of(
    call: FailingCall, members: list[Container], namespaces: Namespaces | None
) -> list[Container]:
    """The containers on that network that listen on the port that is called."""
    servers = []
    for member in members:
        netns = namespaces.of(member) if namespaces is not None else None
        if netns is not None and netns.sockets("tcp", call.port):
            servers.append(member)
    return servers


def is_taken_over(
    call: FailingCall, holder: Container, servers: list[Container], namespaces: Namespaces | None
) -> bool:
    """Whether a refused call is intended for another container than the one with its address now.

    The owner certainly does not serve the port, and another one does. The call may be older than
    the present addresses of both: its address is configured, or both were started after the caller.
    """
    is_seen = namespaces is not None and namespaces.of(holder) is not None
    serves_nothing = is_seen and holder not in servers
    if not serves_nothing or not call.refused or call.by_name:
        return False
    if where_named(call.address, call.container):
        return bool(servers)
    return _is_younger(holder, call.container) and any(
        _is_younger(server, call.container) for server in servers
    )


def _is_younger(container: Container, caller: Container) -> bool:
    return (container.started_at or 0) >= (caller.started_at or 0)
