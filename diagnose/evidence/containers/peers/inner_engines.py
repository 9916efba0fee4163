"""An engine inside a container, as build jobs have it (the image docker:dind)."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

PLAIN_PORT = 2375
TLS_PORT = 2376
"""The ports of the engine in the image docker:dind without TLS, and with it."""
CERTIFICATES = "DOCKER_TLS_CERTDIR"
"""The variable for the folder of that image's certificates: it serves TLS while this is set, which
is its default."""

_IMAGE = LazyPattern(r"(?:^|[/:-])dind(?:$|[:-])")
"""docker:dind, docker:27-dind, registry.internal/dind:1."""
_USUAL_NAME = "docker"
"""The alias that runners give to the engine of a job; the clients' own images call it so."""


class EngineBeside(msgspec.Struct, frozen=True):
    """An engine that runs in a container, and the address at which its neighbours call it."""

    container: Container
    address: str


def engine_beside(container: Container, containers: Containers) -> EngineBeside | None:
    """The only engine on the container's networks; None for none or several.

    On the default network it has no name.
    """
    engines = [
        other
        for other in containers.running
        if other is not container and _IMAGE.search(other.config.image)
    ]
    engines = [
        other for other in engines if other.has_engine_names and container.shared_networks(other)
    ]
    engine = only(engines)
    if engine is None:
        return None
    name = _USUAL_NAME if _USUAL_NAME in engine.dns_names else engine.name
    port = TLS_PORT if engine.config.sets(CERTIFICATES) else PLAIN_PORT
    return EngineBeside(engine, f"tcp://{name}:{port}")


def serves_tls_instead(peer: Container, netns: ContainerNetns, port: int) -> bool:
    """Whether an engine is called without TLS, and serves TLS at its other port alone."""
    served = [port for port in (PLAIN_PORT, TLS_PORT) if netns.serves_others("tcp", port)]
    return port == PLAIN_PORT and peer.config.sets(CERTIFICATES) and served == [TLS_PORT]


def may_serve_plainly(peer: Container) -> bool:
    """Whether the port without TLS, at which anybody commands the engine, is unpublished."""
    return all(port.number != PLAIN_PORT for port in peer.published_by("tcp"))
