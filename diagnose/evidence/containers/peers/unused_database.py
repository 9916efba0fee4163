"""The database that compose starts before a program, which has a file of SQLite instead. Pure."""

from collections.abc import Iterable

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_database import is_database
from diagnose.mappings import only


def unused_database(
    lines: Iterable[str], container: Container, containers: Containers
) -> Container | None:
    """The database in `depends_on` that no setting of the container names; or None.

    None where no line is SQLite's. A program may know the name by itself, but not with such a line.
    """
    if not any("sqlite" in line.lower() for line in lines):
        return None
    databases = [
        other for other in containers.beside(container) if other.is_running and is_database(other)
    ]
    servers = [
        other
        for other in databases
        if other.shares_project(container)
        and other.compose_service in container.compose_dependencies
    ]
    server = only(servers)
    return server if server is not None and not _is_named(server, container) else None


def _is_named(server: Container, container: Container) -> bool:
    values = container.config.variable_values
    return any(
        name in text for name in server.dns_names for text in (*container.config.words, *values)
    )
