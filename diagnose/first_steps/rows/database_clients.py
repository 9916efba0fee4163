"""The command line of a database's client in its own container, by the image."""

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.lazy_pattern import LazyPattern


class DatabaseClient(msgspec.Struct, frozen=True):
    """The client of a kind of database, as words of a shell in its container."""

    images: LazyPattern
    """Of the database, in small letters."""
    call: str
    """The client, as the server's own administrator."""
    first_database: str
    """The database that the image makes at its first start."""
    statement: str
    """The options for one statement in a database: what is behind it, and `{base}`."""
    file: str
    """The words for a file of statements, which is the first argument of the shell."""


CLIENTS = (
    DatabaseClient(
        images=LazyPattern(r"postgres|postgis|timescale"),
        call='psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}"',
        first_database='"${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"',
        statement="-d {base} -c ",
        file='-d {base} -f "$0"',
    ),
    DatabaseClient(
        images=LazyPattern(r"mysql|mariadb|percona"),
        call=(
            'MYSQL_PWD="${MYSQL_ROOT_PASSWORD:-$MARIADB_ROOT_PASSWORD}" '
            "$(command -v mariadb || echo mysql) -u root"
        ),
        first_database='"${MYSQL_DATABASE:-$MARIADB_DATABASE}"',
        statement="-D {base} -e ",
        file='{base} <"$0"',
    ),
)


def client_of(container: Container) -> DatabaseClient | None:
    """The client of a running database; None for another program."""
    image = container.config.image.lower()
    fitting = (client for client in CLIENTS if client.images.search(image))
    return next(fitting, None) if container.is_running else None


def run_statement(client: DatabaseClient, statement: str, base: str = "") -> str:
    """The shell command for one statement. base: a database other than the first one."""
    options = client.statement.replace("{base}", base or client.first_database)
    return f"{client.call} {options}'{statement}'"


def run_file(client: DatabaseClient) -> str:
    """The shell command for a file of statements, in the first database."""
    return f"{client.call} {client.file.replace('{base}', client.first_database)}"
