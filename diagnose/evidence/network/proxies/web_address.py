"""The address at which the host calls a container's web server."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import Namespaces

_WEB_PORTS = (80, 8080, 3000, 8000, 5000, 9000)
"""The usual ones, most usual first."""


def web_address(container: Container, namespaces: Namespaces | None) -> str:
    """The URL of its root by plain HTTP; "" where it has no address, or no port was seen."""
    address = next((end.ip_address for end in container.endpoints.values() if end.ip_address), "")
    port = _port(container, namespaces)
    return f"http://{address}:{port}" if address and port else ""


def _port(container: Container, namespaces: Namespaces | None) -> int:
    """A TCP port at which it listens for others; 0 where none was seen."""
    netns = namespaces.of(container) if namespaces is not None else None
    if netns is None:
        return 0
    ports = {socket.port for socket in netns.listeners if socket.protocol == "tcp"}
    served = sorted(port for port in ports if netns.serves_others("tcp", port))
    return next((port for port in _WEB_PORTS if port in served), served[0] if served else 0)
