"""What the checks of networks share."""

import json

from diagnose.error_signatures import NO_WAY_OUT, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.addresses import private_prefix6
from diagnose.evidence.network.calls.failing_calls import FailingCall, where_named
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import Network
from diagnose.model import PageVariables


def running_members(network: Network, containers: Containers | None) -> tuple[Container, ...]:
    """The running containers on a network; none where they are not known."""
    return () if containers is None else containers.running_on(network.name)


def calls_fail(
    container: Container, logs: RecentLogs | None, calls: UnansweredCalls | None
) -> bool:
    """Whether a container waits for an answer, or its log says that a call got none."""
    if any(call.container.id == container.id for call in calls or ()):
        return True
    lines = logs.of_this_run(container) if logs is not None else ()
    return any(signs(line.text) & NO_WAY_OUT for line in lines)


def rejoin(container: Container, network: str) -> PageVariables:
    """How a page connects a container to a network: a service of compose gets its alias back."""
    service = container.compose_service
    if service and network not in ("bridge", "podman"):
        return {"home": network, "alias": service}
    return {"rejoin": network}


_IP6TABLES_BY_DEFAULT = (27,)
"""The first engine that writes IPv6 rules without being configured to."""


def with_ipv6(network: Network, ping: Ping | None) -> PageVariables:
    """The default network gets IPv6 by the engine's configuration, others are recreated."""
    prefix = private_prefix6(network.name)
    writes_rules = ping is not None and ping.version >= _IP6TABLES_BY_DEFAULT
    config: dict[str, object] = {"ipv6": True, "fixed-cidr-v6": prefix}
    if not writes_rules:
        config |= {"ip6tables": True, "experimental": True}
    if network.name == "bridge":
        return {"ipv6_json": json.dumps(config)}
    if not network.subnet4 or not writes_rules:
        return {"network": network.name}
    return {"network": network.name, "ipv6_subnet": prefix}


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
    """Whether a refused call means another container than the one that has its address now.

    The owner certainly does not serve the port, and another one does. The call may be older than
    what both have now: its address is configured, or both were started after the caller.
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
