"""Ports of compose services whose only container was started by `docker compose run`.

That publishes none of them without `--service-ports`.
"""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.model import Failed
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.questions.compose import ReadComposeService
from diagnose.registry import evidence

MOST = 10
"""Containers whose service is looked up."""


class OneOffPorts(msgspec.Struct, frozen=True):
    """A container that serves ports of its service, and those as the file has them."""

    container: Container
    ports: tuple[str, ...]


class OneOffs(Items[OneOffPorts], frozen=True):
    """The ports of one-off containers, only where no other container of the service runs."""


@evidence
def one_offs(host: Host, containers: Containers, namespaces: Namespaces | None) -> OneOffs:
    """The ports that containers of `docker compose run` serve and do not publish.

    Each such container takes one question. A job with another command serves none of the ports.
    """
    if namespaces is None:
        return OneOffs()
    replaced = {container.service for container in containers.running if not container.is_one_off}
    alone = [
        container
        for container in containers.running
        if container.is_one_off and container.service not in replaced
    ]
    silent = [container for container in alone if _publishes_nothing(container)]
    one_offs = []
    for container in host.first(silent, MOST, "containers of docker compose run"):
        netns = namespaces.of(container)
        if netns is None:
            continue
        ports = _ports_of_service(host, container)
        served = tuple(port for port in ports if _container_port(port) in netns.served_ports)
        if served:
            one_offs.append(OneOffPorts(container, served))
    return OneOffs(tuple(one_offs))


def _publishes_nothing(container: Container) -> bool:
    return not container.wanted_ports and not container.shares_host_network


def _ports_of_service(host: Host, container: Container) -> Sequence[str]:
    """The ports that the compose files publish for the container's service."""
    paths = container.compose_files
    if not paths or not all(path.startswith("/") for path in paths):
        return ()
    service = host.ask(ReadComposeService(paths, container.compose_service))
    return () if isinstance(service, Failed) else service.ports


def _container_port(port: str) -> int:
    """The port of the container in an entry of `ports`: 80 of "127.0.0.1:8080:80/tcp"."""
    number = port.partition("/")[0].rpartition(":")[2]
    return int(number) if is_number(number) else 0
