"""The network namespace of a container that is called."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.calls.failing_calls import FailingCall
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces


def serves_other_family_alone(netns: ContainerNetns, call: FailingCall) -> bool:
    """Whether a port is served over the other family of addresses than it was called by."""
    if ":" not in call.address:
        return netns.serves_ipv6_alone("tcp", call.port)
    return not any(":" in socket.address for socket in netns.sockets("tcp", call.port))


def namespace_of_peer(
    peer: Container | None, call: FailingCall, namespaces: Namespaces
) -> ContainerNetns | None:
    """The namespace of another container that is called; None where it does not tell."""
    if peer is None or peer.id == call.container.id or peer.has_own_kernel:
        return None
    return namespaces.of(peer)


def inner_port(call: FailingCall, peer: Container, netns: ContainerNetns) -> int | None:
    """The port that the peer serves inside, where its port on the host was called instead."""
    for published in peer.published_by("tcp"):
        is_called = published.host_port == call.port
        if is_called and netns.serves_others("tcp", published.number):
            return published.number
    return None
