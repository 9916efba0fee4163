"""Listening sockets in containers whose queue is full, now and a moment later."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.netns import VisitNetns
from diagnose.registry import evidence

MOST = 10
"""Maximum number of containers that are looked at a second time."""


class FullQueue(msgspec.Struct, frozen=True):
    """A socket whose program accepted nothing between two looks, or too little."""

    container: Container
    socket: Socket
    """The socket at the second look."""


class FullQueues(Items[FullQueue], frozen=True):
    """The queues that were full at both looks: a burst of clients fills one for a moment."""


def _has_full_queue(netns: ContainerNetns) -> bool:
    return any(socket.protocol == "tcp" and socket.is_full for socket in netns.listeners)


@evidence
def full_queues(host: Host, namespaces: Namespaces) -> FullQueues:
    """The full queues of sockets, at a second visit to their namespaces; most hosts have none."""
    suspects = [netns for netns in namespaces if _has_full_queue(netns)]
    queues = []
    for netns, later in host.ask_about(
        host.first(suspects, MOST, "containers with a full queue of connections"),
        lambda suspect: VisitNetns(suspect.container.state.pid, round="later"),
    ):
        if isinstance(later, Failed):
            continue
        before = {(socket.address, socket.port) for socket in netns.listeners if socket.is_full}
        still = {
            socket.port: socket
            for socket in later.listeners
            if socket.is_full and (socket.address, socket.port) in before
        }
        queues += [FullQueue(netns.container, socket) for socket in still.values()]
    return FullQueues(tuple(queues))
