"""First steps where a running program does not accept the certificate of a server."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.mappings import first_of
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_OF_SERVERS = frozenset(
    {
        "certificate-expired",
        "certificate-name",
        "certificate-self-signed",
        "certificate-time",
        "certificate-untrusted",
    }
)
_HTTPS = 443


def certificate_steps(
    container: Container, failure: Recognised | None, containers: Containers | None
) -> PageVariables:
    """The page variable with the server whose certificate is refused.

    It is in the form in which the host reaches it: a neighbouring container by its address.
    """
    if failure is None or failure.name not in _OF_SERVERS:
        return {}
    host, port = place_in(failure.line)
    if not host:
        return {}
    addresses = _addresses(container, host, containers) if containers is not None else []
    return {"tls_server": with_port(first_of(addresses, host), port or _HTTPS)}


def _addresses(container: Container, host: str, containers: Containers) -> list[str]:
    """The addresses of neighbours with this name, on a network of the container."""
    return [
        neighbour.endpoints[network].ip_address
        for network in container.endpoints
        for neighbour in containers.called(network, host)
        if neighbour.is_running and neighbour.endpoints[network].ip_address
    ]
