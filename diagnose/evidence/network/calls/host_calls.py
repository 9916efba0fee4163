"""Calls of containers that use the host's network, which get no answer now."""

from collections.abc import Iterable

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.sockets.losses import NamespaceLoss
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.sockets import HostCall, WaitingCall, WatchHostCalls
from diagnose.registry import evidence


class HostNetworkCalls(Items[NamespaceLoss], frozen=True):
    """The peers that do not answer a container on the host's network, by container."""

    watched: int = 0
    """Running containers that use the host's network."""


@evidence
def host_network_calls(host: Host, containers: Containers) -> HostNetworkCalls | Unavailable:
    """The host's table of sockets, where a container uses it.

    Whose a socket is, the process that holds it says. Sockets of the host's own programs are left
    out.
    """
    by_id = {
        container.id: container for container in containers.running if container.shares_host_network
    }
    if not by_id:
        return HostNetworkCalls(())
    answer = host.require(WatchHostCalls())
    calls = by_key((call.container or "", call) for call in answer if call.container in by_id)
    losses = [
        NamespaceLoss(by_id[id], _each_place_once(calls_of_container))
        for id, calls_of_container in calls.items()
    ]
    return HostNetworkCalls(tuple(losses), len(by_id))


def _each_place_once(calls: Iterable[HostCall]) -> tuple[WaitingCall, ...]:
    """The calls of one container, each place once, although several processes may call it."""
    places = {
        (call.address, call.port): WaitingCall(call.address, call.port, call.repeats)
        for call in calls
    }
    return tuple(places.values())
