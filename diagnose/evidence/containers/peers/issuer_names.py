"""The identity provider that is reached under two names: one inside, one of the host. Pure."""

from urllib.parse import urlsplit

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import WEB_PORTS
from diagnose.mappings import only
from diagnose.programs.failures import Recognised

_ROW = "issuer-differs"


def provider_of_both(
    failure: Recognised | None, caller: Container, containers: Containers
) -> Container | None:
    """The one container at both addresses of a line about the issuer of a token; else None."""
    if failure is None or failure.name != _ROW:
        return None
    addresses = [failure.values.get(name, "") for name in ("expected", "got")]
    served = [_servers_at(address, caller, containers) for address in addresses]
    return only([container for container in served[0] if container in served[1]])


def _servers_at(address: str, caller: Container, containers: Containers) -> list[Container]:
    """The running containers that an address may lead to: by their name on a network of the
    caller, or by the port that they publish."""
    try:
        url = urlsplit(address)
        port = url.port or WEB_PORTS.get(url.scheme, 0)
    except ValueError:
        return []
    return [
        container
        for container in containers.running
        if container.id != caller.id
        and (_is_named(container, url.hostname or "", caller) or container.publishes(port))
    ]


def _is_named(container: Container, host: str, caller: Container) -> bool:
    return host in container.dns_names and bool(container.shared_networks(caller))
