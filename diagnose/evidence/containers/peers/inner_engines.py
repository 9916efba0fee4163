"""An engine inside a container, as build jobs have it (the image docker:dind)."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import ContainerNetns

PLAIN_PORT, TLS_PORT = 2375, 2376
"""Where the engine of the image docker:dind listens without TLS, and with it."""
CERTIFICATES = "DOCKER_TLS_CERTDIR"
"""Where that image makes its certificates: it serves TLS while this is set, and it is by itself."""


def serves_tls_instead(peer: Container, netns: ContainerNetns, port: int) -> bool:
    """Whether it is called without TLS, and serves TLS at its other port alone."""
    served = [port for port in (PLAIN_PORT, TLS_PORT) if netns.serves_others("tcp", port)]
    return port == PLAIN_PORT and peer.config.sets(CERTIFICATES) and served == [TLS_PORT]


def may_serve_plainly(peer: Container) -> bool:
    """Whether the port without TLS, at which anybody commands the engine, is unpublished."""
    return all(port.number != PLAIN_PORT for port in peer.published_by("tcp"))
