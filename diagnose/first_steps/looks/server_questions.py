"""Queries to a database or a broker about itself, in its own container, by its image.

The commands change nothing there. They hold no password: a shell in the container has it.
"""

import re
import shlex

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.lazy_pattern import LazyPattern


class ServerKind(msgspec.Struct, frozen=True):
    """A kind of server, and the command by which its own client lists its contents."""

    name: str
    images: LazyPattern
    """In small letters."""
    callers: LazyPattern
    """Words in lines of programs that call it, in small letters."""
    listing: str
    """`{client}` is its own client, as an administrator of the server; `{base}` its database."""
    table: str = ""
    """The command that shows the last rows of a table of migrations, `{table}`."""
    refusals: str = ""
    """The command that shows what the server has refused lately, by user and command."""


class MigrationTable(msgspec.Struct, frozen=True):
    """The table in which a program of migrations notes the migrations that it has run."""

    words: LazyPattern
    """Words of a line about it, in small letters."""
    table: str
    newest: str
    """The column by which the newest rows are found."""


_KINDS = (
    ServerKind(
        "postgres",
        images=LazyPattern(r"postgres|postgis|timescale|pgvector"),
        callers=LazyPattern(
            r"postgres|psycopg|\bpq:|\bpgx|\bnpgsql|\bpg_|\bpg-|sqlstate|\brelation\b|\brole\b|:5432\b|prisma"
        ),
        listing=r'{client} -d postgres -c "\l" -c "\du"; {client} -d {base} -c "\dt"',
        table='{client} -d {base} -xc "TABLE {table} ORDER BY {newest} DESC LIMIT 3"',
    ),
    ServerKind(
        "mysql",
        images=LazyPattern(r"mysql|mariadb|percona"),
        callers=LazyPattern(r"mysql|maria|\b1\d{3}\b \(?(?:hy000|42|28)|:3306\b|unknown database"),
        listing='{client} -e "SHOW DATABASES; SELECT user, host FROM mysql.user"',
        table=r'{client} -D {base} -e "SELECT * FROM {table} ORDER BY {newest} DESC LIMIT 3\G"',
    ),
    ServerKind(
        "redis",
        images=LazyPattern(r"redis|valkey|keydb|dragonfly"),
        callers=LazyPattern(r"redis|valkey|:6379\b"),
        listing='{client} info | grep -E "^(redis_v|role|master_|loading|used_memory_h|maxm|rdb_last)"',
        refusals="{client} acl log 3",
    ),
    ServerKind(
        "mongo",
        images=LazyPattern(r"mongo(?!.?express)"),
        callers=LazyPattern(r"mongo|:27017\b"),
        listing='{client} --eval "printjson([db.version(), db.getMongo().getDBNames(), '
        'db.adminCommand({isMaster: 1}).primary, db.adminCommand({replSetGetStatus: 1}).errmsg])"',
    ),
    ServerKind(
        "rabbitmq",
        images=LazyPattern(r"rabbitmq"),
        callers=LazyPattern(r"amqp|rabbit|:5672\b"),
        listing="rabbitmqctl list_vhosts; rabbitmqctl list_users; rabbitmqctl list_permissions",
    ),
    ServerKind(
        "elasticsearch",
        images=LazyPattern(r"elasticsearch|opensearch"),
        callers=LazyPattern(r"elastic|opensearch|:9200\b|\bindex\b|kibana"),
        listing='curl -sk -u "elastic:$ELASTIC_PASSWORD" https://localhost:9200/_cat/indices?v || '
        "curl -s http://localhost:9200/_cat/indices?v",
    ),
)
_MIGRATION_TABLES = (
    MigrationTable(LazyPattern(r"prisma|\bp3\d{3}\b"), "_prisma_migrations", "started_at"),
    MigrationTable(LazyPattern(r"flyway"), "flyway_schema_history", "installed_rank"),
    MigrationTable(
        LazyPattern(r"liquibase|changeset|changelog"), "databasechangelog", "orderexecuted"
    ),
    MigrationTable(LazyPattern(r"alembic"), "alembic_version", "version_num"),
    MigrationTable(LazyPattern(r"django"), "django_migrations", "id"),
    MigrationTable(LazyPattern(r"knex"), "knex_migrations", "id"),
    MigrationTable(LazyPattern(r"typeorm"), "migrations", "id"),
    MigrationTable(LazyPattern(r"\bdirty\b|activerecord|rails"), "schema_migrations", "version"),
)
_REFUSED_RIGHT = "noperm"
"""The mark of a command or a key that Redis does not permit its user, in small letters."""
_GAP = LazyPattern(r"\{(\w+)\}")
_BESIDE = LazyPattern(r"export|backup|postgrest|commander|insight|admin|operator|proxy|pgbouncer")
"""Programs that have a server's name in theirs, in small letters."""
_OLD_MONGO = re.compile(r":(?:v)?[1-5](?:\.\d+){0,2}(?:-\w+)?$")


def kind_of_server(container: Container) -> ServerKind | None:
    """The kind of a server that runs; None for another program."""
    image = container.config.image.lower()
    if not container.is_running or _BESIDE.search(image):
        return None
    return next((kind for kind in _KINDS if kind.images.search(image)), None)


def is_spoken_of(server: Container, words: str) -> bool:
    """Whether a line, in small letters, has words of programs that call this kind of server."""
    kind = kind_of_server(server)
    return kind is not None and kind.callers.search(words) is not None


def names_a_kind(words: str) -> bool:
    """Whether a line, in small letters, has words of programs that call any kind of server."""
    return any(kind.callers.search(words) for kind in _KINDS)


def server_question(server: Container, words: str) -> str:
    """The command that lists the contents of a server: its migrations where a line is about these;
    "" for no server.

    words: the words of that line, in small letters.
    """
    kind = kind_of_server(server)
    if kind is None:
        return ""
    noted = next((table for table in _MIGRATION_TABLES if table.words.search(words)), None)
    values = {"client": _client(kind, server), "base": shlex.quote(_base(kind, server))}
    command = kind.refusals if kind.refusals and _REFUSED_RIGHT in words else kind.listing
    if kind.table and noted is not None:
        command = kind.table
        values |= {"table": noted.table, "newest": noted.newest}
    # at once: a name that the server was made with may have braces itself
    return _GAP.sub(lambda gap: values[gap[1]], command)


def _base(kind: ServerKind, server: Container) -> str:
    """The database that the server was made with."""
    of = server.config.value_of
    if kind.name == "postgres":
        return of("POSTGRES_DB") or of("POSTGRES_USER") or "postgres"
    return of("MYSQL_DATABASE") or of("MARIADB_DATABASE") or "mysql"


def _client(kind: ServerKind, server: Container) -> str:
    """The server's own client, with the user that the server was made with."""
    of = server.config.value_of
    if kind.name == "postgres":
        return f"psql -U {shlex.quote(of('POSTGRES_USER') or 'postgres')}"
    if kind.name == "mysql":
        is_maria = "mariadb" in server.config.image.lower()
        secret = "MYSQL_ROOT_PASSWORD" if of("MYSQL_ROOT_PASSWORD") else "MARIADB_ROOT_PASSWORD"
        client = "mariadb" if is_maria else "mysql"
        return f'MYSQL_PWD="${secret}" {client} -u root'
    if kind.name == "redis":
        return 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli' if of("REDIS_PASSWORD") else "redis-cli"
    if kind.name == "mongo":
        client = "mongo" if _OLD_MONGO.search(server.config.image) else "mongosh"
        names = "MONGO_INITDB_ROOT_"
        login = f' -u "${names}USERNAME" -p "${names}PASSWORD"' if of(f"{names}USERNAME") else ""
        return f"{client} --quiet{login}"
    return ""
