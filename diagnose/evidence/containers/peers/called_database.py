"""The database that a failed container calls, by its log and by images. Pure."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.mappings import only
from diagnose.programs.failures import Recognised

_PORTS = {
    "postgres": "5432/tcp",
    "mysql": "3306/tcp",
    "mongo": "27017/tcp",
    "clickhouse": "9000/tcp",
}
"""The port at which each kind of database listens."""
_IMAGES = {
    "postgres": ("postgres", "postgis", "timescale"),
    "mysql": ("mysql", "mariadb", "percona"),
    "mongo": ("mongo",),
    "clickhouse": ("clickhouse",),
}
"""Parts of the names of images, by the kind of database in them."""


def called_database(
    caller: Container, failure: Recognised, containers: Containers
) -> Container | None:
    """The one database that runs and that the container's log or configuration names."""
    kind = next((kind for kind in _PORTS if failure.name.startswith(kind)), "")
    peers = named_peers((failure.line,), caller, containers)
    servers = [peer for peer in peers if peer.is_running and _is_database(peer, kind)]
    if not servers and len(peers) == 1 and peers[0].is_running:
        servers = list(peers)
    return only(servers)


def is_database(container: Container) -> bool:
    """Whether a container's image is that of a database, whose log names refused clients."""
    image = container.config.image.lower()
    return any(word in image for words in _IMAGES.values() for word in words)


def _is_database(peer: Container, kind: str) -> bool:
    kinds: Sequence[str] = (kind,) if kind else tuple(_PORTS)
    exposed = peer.config.exposed_ports or {}
    image = peer.config.image.lower()
    words = [word for name in kinds for word in _IMAGES[name]]
    return any(_PORTS[name] in exposed for name in kinds) or any(word in image for word in words)
