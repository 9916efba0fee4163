"""Calls of containers that use the host's network, which get no answer now."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.sockets.losses import NamespaceLoss
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.sockets import WaitingCall, WatchHostCalls
from diagnose.registry import evidence


class HostNetworkCalls(Items[NamespaceLoss], frozen=True):
    """By container: the peers that do not answer it."""

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
    calls: dict[str, dict[tuple[str, int], WaitingCall]] = {}
    for call in answer:
        if call.container in by_id:
            # several processes of one container may call one place
            waiting = WaitingCall(call.address, call.port, call.repeats)
            calls.setdefault(call.container or "", {})[call.address, call.port] = waiting
    losses = tuple(
        NamespaceLoss(by_id[id], tuple(waiting.values())) for id, waiting in calls.items()
    )
    return HostNetworkCalls(losses, len(by_id))
