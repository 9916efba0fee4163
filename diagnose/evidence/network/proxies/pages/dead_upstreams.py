"""The port of another container that a web server calls without a listener, by its error line."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.phrases import and_more

_REFUSED = LazyPattern(
    r"connect\(\) failed \(111\b[^\n]{0,3000}?\bupstream: \"\w{1,12}://(?P<address>[\d.]{7,15}):(?P<port>\d{1,5})\b"
)
"""The line of nginx about a server behind it that refuses the connection."""


class DeadUpstream(msgspec.Struct, frozen=True):
    """A container that runs and serves other ports than the called one."""

    peer: Container
    port: int
    served: tuple[int, ...]

    @property
    def clause(self) -> str:
        """The port of the peer without a listener, and the ports that the peer serves."""
        ports = and_more([str(port) for port in self.served], 4)
        noun = "port" if len(self.served) == 1 else "ports"
        return (
            f"it calls port {self.port} of {self.peer}, where nothing listens; that one serves "
            f"{noun} {ports}"
        )


def dead_upstream(
    lines: Iterable[str], containers: Containers, namespaces: Namespaces | None
) -> DeadUpstream | None:
    """The last one in these lines; None where its container serves nothing yet."""
    if namespaces is None:
        return None
    refused = list(filter(None, map(_REFUSED.search, lines)))
    if not refused:
        return None
    address = refused[-1]["address"]
    port = int(refused[-1]["port"])
    peers = (peer for peer in containers.running if address in peer.ipv4_addresses)
    for peer, netns in paired(peers, namespaces.of):
        if netns.served_ports and not netns.serves_others("tcp", port):
            return DeadUpstream(peer, port, tuple(netns.served_ports))
    return None
