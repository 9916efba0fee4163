"""Calls of a container on the host's network to localhost, which is the host there."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import names_of
from diagnose.model import Finding, PageVariables
from diagnose.phrases import named


def host_network_finding(
    caller: Container, port: str, line: str, peers: Sequence[Container], listeners: Listeners | None
) -> Finding | None:
    """The finding, where nothing of the host listens at the port, and another container does.

    Names of containers lead nowhere from the host's network: the other container has to publish its
    port. line: the refused call in the log. peers: the containers that serve the port, each on a
    network of its own.
    """
    if listeners is None or listeners.on("tcp", "127.0.0.1", int(port)):
        return None
    others = [peer for peer in peers if not peer.shares_network]
    if not others:
        return None
    peer = others[0]
    clause = _published_as(others[0], port)
    publishing = f"publishes it as port {clause} of the host" if clause else "does not publish it"
    steps: PageVariables = {"unpublished": peer.name, "publish": f"127.0.0.1:{port}:{port}"}
    return Finding.about(
        caller,
        f"{caller} is on the host's network and calls localhost:{port}, where nothing on the host "
        f"listens: port {port} belongs to {named('container', names_of(others))}, which "
        f"{publishing}",
        {
            LINE: line,
            "HostConfig.NetworkMode": "host",
            f"ports that {peer.name} publishes": peer.published_names or "none",
            f"listener on port {port} of the host": "none",
        },
        touches=(peer.subject,),
        signs=frozenset({"refused"}),
        onset=caller.failed_first,
        recheck=(peer.run,),
        variables={"host_port": clause} if clause else steps,
    )


def _published_as(peer: Container, port: str) -> str:
    """The port of the host that leads to a port of the container; "" for none."""
    published = (
        binding.binding.host_port
        for binding in peer.published_by("tcp")
        if str(binding.number) == port
    )
    return next(published, "")
