"""Who is connected to databases that have no connection left."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
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
    """By the id of a database's container: the names of its callers, most connections first.

    A caller that no container is, is there by its address.
    """

    by_id: Mapping[str, Mapping[str, int]] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def of(self, server: Container) -> Mapping[str, int]:
        return self.by_id.get(server.id, {})


@evidence
def callers(
    host: Host, containers: Containers, log_tails: LogTails, namespaces: Namespaces
) -> Callers:
    """Asked only where a log says that a database has too many clients."""
    crowded = any(item.name == _CROWDED for item in log_tails.failures.values())
    servers = [
        (container, port)
        for container in containers.running
        if crowded and (netns := namespaces.of(container)) is not None
        for port in PORTS
        if netns.serves_others("tcp", port)
    ]
    by_id = {}
    for (server, _), answer in host.ask_about(
        servers[:MOST], lambda pair: ListCallers(pair[0].state.pid, pair[1])
    ):
        if not isinstance(answer, Failed) and answer:
            by_id[server.id] = _by_name(server, answer, containers)
    return Callers(by_id)


def _by_name(
    server: Container, counts: Mapping[str, int], containers: Containers
) -> dict[str, int]:
    names: dict[str, int] = {}
    for address, count in counts.items():
        places = (containers.by_place.get((network, address)) for network in server.endpoints)
        holder = next((place for place in places if place is not None), None)
        name = holder.name if holder is not None else address
        names[name] = names.get(name, 0) + count
    return dict(sorted(names.items(), key=lambda pair: -pair[1]))
