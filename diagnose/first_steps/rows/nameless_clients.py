"""Clients of a PostgreSQL server that do not say which user or which database they mean.

libpq takes the name of the system's user for the one, and the name of the user for the other. The
server's own health check is often the one who asks.
"""

import re
import shlex

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised

_CLIENT = LazyPattern(r"\b(?:pg_isready|psql)\b")
_NAMES_DATABASE = LazyPattern(r"(?:^|\s)(?:-d|--dbname)\b|\bpostgres(?:ql)?://|\bPGDATABASE=")
_NAMES_USER = LazyPattern(r"(?:^|\s)(?:-U|--username)\b|\bpostgres(?:ql)?://|\bPGUSER=")
_SIMPLE = LazyPattern(r"[\w.-]{1,63}")
"""A name that needs no quotes in a command."""


class NamelessClient(msgspec.Struct, frozen=True):
    """A client whose database or user nobody has chosen, by the server's own log and
    environment."""

    clause: str = ""
    cure: str = ""
    probe: str = ""
    """The server's health check with what it lacks; "" where another client asks."""


NOBODY = NamelessClient()


def nameless_client(container: Container, failure: Recognised | None) -> NamelessClient:
    """The client that this server's log refuses for a name that the client has not chosen."""
    of = container.config.value_of
    user = of("POSTGRES_USER") or "postgres"
    database = of("POSTGRES_DB") or user
    if failure is None or not (of("POSTGRES_USER") or of("POSTGRES_DB")):
        return NOBODY
    if failure.name == "postgres-database":
        return _without_database(container, failure.values.get("database", ""), user, database)
    if failure.name == "postgres-role":
        return _without_user(container, failure.values.get("role", ""), user)
    return NOBODY


def _without_database(
    container: Container, asked_name: str, user: str, database: str
) -> NamelessClient:
    """The client that names no database, where it asks for one of its user's name."""
    if asked_name != user or database == user:
        return NOBODY
    probe = _probe_with(container, _NAMES_DATABASE, f"-d {database}")
    client = "its own health check names no database" if probe else "a client names no database"
    return NamelessClient(
        f'{client}, and so asks for "{asked_name}", the name of its user: the server was made with '
        f'"{database}" (POSTGRES_DB)',
        f"let the health check or the client name it: -d {database}, PGDATABASE={database}, or /{database} at the end "
        "of its address",
        probe,
    )


def _without_user(container: Container, asked_name: str, user: str) -> NamelessClient:
    if asked_name != "root" or user == "root":
        return NOBODY
    probe = _probe_with(container, _NAMES_USER, f"-U {user}")
    client = "its own health check names no user" if probe else "a client names no user"
    return NamelessClient(
        f'{client}, and so asks as "root", as it runs in its container: the server was made with '
        f'"{user}" (POSTGRES_USER)',
        f"let the health check or the client name it: -U {user}, or PGUSER={user}",
        probe,
    )


def _probe_with(container: Container, has_option: LazyPattern, option: str) -> str:
    """The health check with an option, if it is a client without that option; "" for any other."""
    healthcheck = container.config.healthcheck
    form, *words = (healthcheck.test if healthcheck is not None else None) or ["NONE"]
    command = words[0] if form == "CMD-SHELL" and words else shlex.join(words)
    is_client = (
        form.startswith("CMD") and _CLIENT.search(command) and not has_option.search(command)
    )
    if not is_client or not _SIMPLE.fullmatch(option.split()[-1]) or "redacted" in command:
        return ""
    return re.sub(_CLIENT.pattern, lambda match: f"{match[0]} {option}", command, count=1)
