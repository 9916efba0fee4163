"""A statement that unlocks a program's database, as the database's own client is called."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_PSQL = 'psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d {base} -c '
_MYSQL = (
    'MYSQL_PWD="${MYSQL_ROOT_PASSWORD:-$MARIADB_ROOT_PASSWORD}" '
    "$(command -v mariadb || echo mysql) -u root "
    "-D {base} -e "
)
_DATABASES = {
    "postgres": (
        LazyPattern(r"postgres|postgis|timescale"),
        _PSQL,
        '"${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"',
    ),
    "mysql": (
        LazyPattern(r"mysql|mariadb|percona"),
        _MYSQL,
        '"${MYSQL_DATABASE:-$MARIADB_DATABASE}"',
    ),
}
"""The image of a database, how its client is called in its container, and its first database."""
_BASE = LazyPattern(r"(?:postgres|mysql|mariadb)\w{0,20}://[^/\s]{1,300}/(?P<base>[A-Za-z_][\w-]*)")
"""The database in an address: a server may have those of several programs."""


def unlocked(
    statement: str, container: Container, failure: Recognised, containers: Containers | None
) -> PageVariables:
    """The one database of the caller's networks that runs and that it calls."""
    if containers is None:
        return {}
    peers = named_peers((failure.line,), container, containers)
    databases = {
        (peer.name, client, first)
        for peer in peers
        for image, client, first in _DATABASES.values()
        if peer.is_running and image.search(peer.config.image.lower())
    }
    settings = [value for _, value in container.config.environment]
    bases = {match["base"] for value in settings for match in _BASE.finditer(value)}
    if len(databases) != 1 or len(bases) > 1:
        return {}
    ((server, client, first),) = databases
    base = next(iter(bases), first)
    return {"locked": server, "unlock": f"{client.replace('{base}', base)}'{statement}'"}
