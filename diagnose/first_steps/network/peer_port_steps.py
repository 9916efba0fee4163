"""Page variables that lead a call to the port at which the other container listens."""

from collections.abc import Sequence

from diagnose.evidence.containers.addresses.loopback_words import with_port, with_port_of_url
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.peers.unanswered_peers import Calls
from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.network.calls.failing_calls import FailingCall
from diagnose.evidence.network.container_netns import ContainerNetns, Socket
from diagnose.mappings import only
from diagnose.model import PageVariables

_LOOPBACK = "127.0.0.1"


def steps_to_inner_port(
    call: FailingCall, peer: Container, inward: Sequence[Socket]
) -> PageVariables:
    """The page variables that lead calls of neighbours to a server on loopback, where a file of
    its image or a mounted one has the address."""
    is_ipv4 = ":" not in call.address and any(socket.address == _LOOPBACK for socket in inward)
    return {"inner": peer.name, "inner_port": str(call.port)} if is_ipv4 else {}


def steps_to_served_port(
    call: FailingCall, peer: Container, netns: ContainerNetns, inner: int | None
) -> PageVariables:
    """The page variables with the variable of the caller or of the peer that names the port, and
    the served port.

    Empty where the peer serves none, or several of which none is known to be right.
    """
    served = netns.served_ports if inner is None else [inner]
    if len(served) != 1:
        return {}
    port = served[0]
    hosts = {*peer.dns_names, call.address}
    correction = with_port((call.container, peer), call.port, port) or with_port_of_url(
        call.container, hosts, call.port, port
    )
    if correction is None:
        return {}
    if correction.container == call.container.name:
        return {"calling": correction.container, "corrected_call": correction.assignment}
    return {"mistaken": correction.container, "corrected": correction.assignment}


def steps_to_offered_port(caller: Container, calls: Calls) -> PageVariables:
    """The page variables with the setting of a program that has ended, and with the only port that
    the called container's image offers and that it serves.

    A port that is published under another number is often called by that number.
    """
    deaf = only([peer for peer in calls.callees if peer.is_running and calls.is_unserved(peer)])
    if deaf is None or not calls.port or str(calls.port) in deaf.offered_ports:
        return {}
    port = only([port for port in calls.served_ports(deaf) if str(port) in deaf.offered_ports])
    if port is None:
        return {}
    corrections = (
        with_text(caller, f"{name}:{calls.port}", f"{name}:{port}") for name in deaf.dns_names
    )
    return next(filter(None, corrections), {})
