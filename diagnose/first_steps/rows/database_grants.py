"""The statement that lets a program do in its database what it was refused.

The user is the one that the program's own settings name, and so is the database: a line of a log
alone gives nobody a right.
"""

from collections.abc import Iterable

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

RIGHTS = frozenset({"account-closed", "database-closed-to-user", "database-right-missing"})
"""The known failures that a statement of the database's administrator ends."""
_OF = r"(?i:(?:^|_)(?:PG|DB|DATABASE|DATASOURCE|MARIADB|MYSQL|POSTGRES|POSTGRESQL)_*)"
_USER = LazyPattern(_OF + r"(?i:USER|USERNAME|USER_NAME)$")
_BASE = LazyPattern(_OF + r"(?i:NAME|DB|DBNAME|DATABASE|DATABASE_NAME)$")
_ADDRESS = LazyPattern(
    r"(?:postgres|mysql|mariadb)[\w+]{0,20}://(?:(?P<user>[\w-]{1,63})(?::[^@/\s]{0,300})?@)?[^/@\s]{1,300}"
    r"/(?P<base>[A-Za-z_][\w-]{0,62})"
)
"""postgresql://user:secret@db:5432/shop"""
_PLAIN = LazyPattern(r"[A-Za-z_][\w-]{0,62}")
"""Names that a shell and a statement take literally, in quotes."""
_OBJECT = LazyPattern(r"(?P<kind>materialized view|[a-z]{4,9}) \"?(?P<name>[A-Za-z_]\w{0,62})\"?")
_READ = frozenset({"relation", "sequence", "table", "view"})
_OWNED = {"schema": "SCHEMA"} | dict.fromkeys((*_READ, "materialized view"), "TABLE")
"""PostgreSQL's name of a kind of thing in its error -> the name in a statement, which takes a view
as a table."""
_MYSQL_IMAGE = LazyPattern(r"mysql|mariadb|percona")
_POSTGRES_IMAGE = LazyPattern(r"postgres|postgis|timescale")


def grant_steps(failure: Recognised, caller: Container, server: Container) -> PageVariables:
    """The page variables of a grant; empty where the user or the database is not certain."""
    if failure.name not in RIGHTS:
        return {}
    image = server.config.image.lower()
    if _MYSQL_IMAGE.search(image):
        return _mysql_steps(failure, caller, server)
    return _postgres_steps(failure, caller, server) if _POSTGRES_IMAGE.search(image) else {}


def _postgres_steps(failure: Recognised, caller: Container, server: Container) -> PageVariables:
    superuser = server.config.value_of("POSTGRES_USER") or "postgres"
    user = only(_users(caller)) or ""
    base = _database_name(caller, server.config.value_of("POSTGRES_DB") or superuser)
    is_known = _are_plain(user, base, superuser) and user != superuser
    statement = _postgres_statement(failure, user, base) if is_known else ""
    if not statement:
        return {}
    return {"granting": server.name, "superuser": superuser, "base": base, "grant": statement}


def _postgres_statement(failure: Recognised, user: str, base: str) -> str:
    """The statement for PostgreSQL; "" where the line does not name the refused object."""
    if failure.name == "account-closed":
        return f'ALTER ROLE "{user}" LOGIN'
    if failure.name == "database-closed-to-user":
        return f'GRANT ALL ON DATABASE "{base}" TO "{user}"'
    object_match = _OBJECT.fullmatch(failure.values.get("object", ""))
    if object_match is None:
        return ""
    kind = object_match["kind"]
    name = object_match["name"]
    if "must be owner" in failure.line:
        return f'ALTER {_OWNED[kind]} "{name}" OWNER TO "{user}"' if kind in _OWNED else ""
    if kind == "schema":
        return f'GRANT ALL ON SCHEMA "{name}" TO "{user}"'
    if kind not in _READ:
        return ""
    return (
        f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{user}"; '
        f'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{user}"'
    )


def _mysql_steps(failure: Recognised, caller: Container, server: Container) -> PageVariables:
    """The page variables for MySQL. The account is that of all hosts, as the images make it, unless
    the line names another."""
    user = failure.values.get("user", "")
    own_database = server.config.value_of("MARIADB_DATABASE") or server.config.value_of(
        "MYSQL_DATABASE"
    )
    base = _database_name(caller, own_database)
    host = failure.values.get("account", "%")
    is_known = _are_plain(user, base) and user in _users(caller) and host.replace("%", "") == ""
    if not is_known:
        return {}
    account = f'"{user}"@"%"'
    is_closed = failure.name == "account-closed"
    statement = f"GRANT ALL ON `{base}`.* TO {account}"
    if is_closed:
        statement = f"ALTER USER {account} ACCOUNT UNLOCK"
    return {"mysql_granting": server.name, "grant": statement}


def _users(caller: Container) -> set[str]:
    return {value for value in _values_of_variables(caller, _USER, "user") if value}


def _database_name(caller: Container, default: str) -> str:
    """The name of the database in the caller's settings, or the server's first one; "" where the
    settings disagree."""
    bases = {value for value in _values_of_variables(caller, _BASE, "base") if value}
    return (only(bases) or "") if bases else default


def _values_of_variables(caller: Container, variable: LazyPattern, part: str) -> Iterable[str]:
    """The values of the variables with this kind of name, and that part of each database's address.

    An address counts in any variable.
    """
    for name, value in caller.config.environment:
        address = _ADDRESS.search(value)
        if address is not None:
            yield address[part] or ""
        elif variable.search(name):
            yield value


def _are_plain(*names: str) -> bool:
    return all(_PLAIN.fullmatch(name) for name in names)
