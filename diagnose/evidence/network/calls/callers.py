"""Clients of databases that have no connection left."""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.sockets import ListCallers
from diagnose.registry import evidence

PORTS = (5432, 3306, 27017)
"""Of PostgreSQL, of MySQL and MariaDB, of MongoDB."""
MOST = 8
"""Databases that are asked about."""
_CROWDED = "too-many-clients"


class Callers(msgspec.Struct, frozen=True):
    """The number of connections of each caller, by the id of a database's container.

    A caller has its container's name, or its address where it is not a container. The largest
    numbers come first.
    """

    by_id: Mapping[str, Mapping[str, int]] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def of(self, server: Container) -> Mapping[str, int]:
        return self.by_id.get(server.id, {})


@evidence
def callers(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    namespaces: Namespaces,
    repeated_errors: RepeatedErrors | None = None,
) -> Callers:
    """The clients of databases whose log reports too many; other databases are not asked."""
    failures = [*log_tails.failures.values(), *(error.failure for error in repeated_errors or ())]
    if not any(failure is not None and failure.name == _CROWDED for failure in failures):
        return Callers()
    servers = list(_servers(containers, namespaces))
    by_id = {}
    for server, answer in host.ask_about(
        host.first(servers, MOST, "databases that may have too many clients"),
        lambda server: ListCallers(server.container.state.pid, server.port),
    ):
        if not isinstance(answer, Failed) and answer:
            container = server.container
            by_id[container.id] = _by_name(container, answer, containers)
    return Callers(by_id)


class _Server(msgspec.Struct, frozen=True):
    container: Container
    port: int


def _servers(containers: Containers, namespaces: Namespaces) -> Iterator[_Server]:
    """The containers in which a program listens for others at the port of a database."""
    for container in containers.running:
        netns = namespaces.of(container)
        for port in PORTS:
            if netns is not None and netns.serves_others("tcp", port):
                yield _Server(container, port)


def _by_name(
    server: Container, counts: Mapping[str, int], containers: Containers
) -> dict[str, int]:
    """The number of calls by the container that has the address, else by the address itself."""
    names: dict[str, int] = {}
    for address, count in counts.items():
        places = (containers.by_place.get((network, address)) for network in server.endpoints)
        holder = next((place for place in places if place is not None), None)
        name = holder.name if holder is not None else address
        names[name] = names.get(name, 0) + count
    return dict(sorted(names.items(), key=lambda pair: -pair[1]))
