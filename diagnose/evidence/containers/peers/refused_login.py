"""Reasons why a database refuses a login, by its own log and both environments."""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only, present
from diagnose.model import PageVariables
from diagnose.phrases import joined
from diagnose.programs.failures import FAILURES, Recognised

_PASSWORD = LazyPattern(
    r"(?:PG|(?:\w+_)?(?:DB|DATABASE|POSTGRES|POSTGRESQL|MYSQL|MARIADB)_?)"
    r"(?:PASSWORD|PASSWD|PASS|PWD)"
)
"""Variables in which programs are given the password of their database (PGPASSWORD is libpq's)."""
_OF_OTHERS = {
    "postgres-login": LazyPattern(r"MYSQL|MARIADB"),
    "mysql-access": LazyPattern(r"PG|POSTGRES"),
}
"""Words in the names of variables that are for a database of the other kind."""
_OWN_USER = ("MARIADB_USER", "MYSQL_USER")
_SET_UP = ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD", *_OWN_USER)
"""Variables of which the images of MySQL and MariaDB need one."""
_USER = LazyPattern(r"USER(?:NAME)?(?:_|$)")
PLAIN_NAME = LazyPattern(r"[\w$-]+")
"""Names that mean themselves in a statement of SQL."""
_ESCAPED = ":url-password-escaped:"
"""The mark in the token of a password with percent escapes, which replaces the password without
them."""
_OF_NAME = {
    "user": LazyPattern(r"USER|LOGIN|(?:^|_)UID(?:_|$)"),
    "database": LazyPattern(r"DB|DATABASE|SCHEMA|NAME"),
}
"""Words in the names of variables for the user of a login, and for the database."""
_HIDDEN = LazyPattern(r"<redacted:ur[il]")
"""Prefix of the token of a secret that may hold a user and a database."""
_KIND = {
    "mysql-access": "user",
    "mysql-database": "database",
    "postgres-database": "database",
    "postgres-login": "user",
    "postgres-role": "user",
}
"""The subject of a refusal."""
_OWN_NAMES = {
    "user": ("POSTGRES_USER", "MARIADB_USER", "MYSQL_USER"),
    "database": ("POSTGRES_DB", "MARIADB_DATABASE", "MYSQL_DATABASE"),
}


_SUPERUSER = "postgres"
"""The role that PostgreSQL's image makes where POSTGRES_USER is not set."""


class Reason(msgspec.Struct, frozen=True):
    """The reason why a database refuses its caller, by both environments."""

    cause: str
    """The end of a sentence about the caller."""
    cure: str
    """The cure, in words."""
    variables: PageVariables
    """The variables of the page's paragraph."""


def foreign_user(failure: Recognised, caller: Container, server: Container) -> Reason | None:
    """The refused user of MySQL or MariaDB, where the server's environment is for another one.

    Neither tells a client whether the user or the password is wrong.
    """
    user = failure.values.get("user", "")
    is_of_image = any(map(server.config.value_of, _SET_UP))
    if failure.name != "mysql-access" or user in ("", "root") or not is_of_image:
        return None
    users_of_image = present({name: server.config.value_of(name) for name in _OWN_USER})
    if user in users_of_image.values():
        return None
    if users_of_image:
        name, value = first_of(users_of_image.items())
        set_up = f"sets up ({name} {value})"
    else:
        set_up = "sets up, which is root alone"
    return Reason(
        f"user {user}{_origin_clause(caller, user)} is not the one that the environment of {server} "
        f"{set_up}: it exists there only if somebody has created it, and for the hosts that were "
        "named then",
        f'give both the same user and password, or make the user in "{server.name}"',
        {"mysql_server": server.name, **_steps_to_make_user(failure, caller, server)},
    )


def _origin_clause(caller: Container, user: str) -> str:
    """The part of a sentence that names the caller's variable with this user; "" without one."""
    variables = caller.config.environment
    names = [name for name, value in variables if value == user and _USER.search(name)]
    return f", from its {names[0]}," if names else ""


def _steps_to_make_user(failure: Recognised, caller: Container, server: Container) -> PageVariables:
    """The page variables that make the user, by a plain name and the one password of the caller.

    Any container on a network of the database could ask for a user of its own there: only one of
    the same project gets it.
    """
    user = failure.values.get("user", "")
    passwords = _given_passwords(failure, caller, user)
    variable = only([password.variable for password in passwords])
    is_plain = PLAIN_NAME.fullmatch(user) is not None
    if variable is None or not is_plain or not caller.shares_project(server):
        return {}
    return {"new_user": user, "word_variable": variable}


def of_a_missing_role(
    failure: Recognised, server: Container, recent_logs: RecentLogs | None
) -> Recognised:
    """The failure that PostgreSQL's own log names instead; else the same one.

    A client hears of a wrong password in both cases: the server writes to its log alone that the
    role does not exist (auth.c of PostgreSQL 9.5 to 17).
    """
    user = failure.values.get("user", "")
    if failure.name != "postgres-login" or recent_logs is None or not user:
        return failure
    words = f'Role "{user}" does not exist.'
    line = next((line.text for line in recent_logs.of(server) if words in line.text), None)
    if line is None:
        return failure
    row = next(row for row in FAILURES if row.name == "postgres-role")
    return Recognised(row, line, {"role": user})


def other_password(failure: Recognised, caller: Container, server: Container) -> Reason | None:
    """Another password than the server has, where the refused user is the database's own.

    None where the passwords are equal, or one is not known. The values are tokens, equal for equal
    secrets; a password that is escaped in an address cannot be compared.
    """
    user = failure.values.get("user", "")
    server_password = _own_password(failure, user, server)
    if server_password is None:
        return None
    passwords = {
        password.variable: password.value for password in _given_passwords(failure, caller, user)
    }
    is_equal = server_password.value in passwords.values()
    if not passwords or is_equal or any(_ESCAPED in value for value in passwords.values()):
        return None
    names = joined(tuple(passwords))
    server_variable = server_password.variable
    return Reason(
        f"the password of user {user} in its {names} is not the {server_variable} of {server}",
        "give both the same password: the database keeps the one with which its data directory was "
        f'made, which is the {server_variable} of "{server.name}" unless one of them was changed since',
        {"own_variable": names, "kept_variable": server_variable, "keeper": server.name},
    )


def unused_variable(failure: Recognised, caller: Container, server: Container) -> Reason | None:
    """A variable of the caller with the database's own user or database, which it does not use.

    The program asks for another one, as by default, and none of its variables has that. None where
    its command has it, where the server has it itself, or where a whole address is hidden.
    """
    kind = _KIND.get(failure.name, "")
    user = next(filter(None, map(failure.values.get, ("user", "role", "database"))), "")
    server_values = {server.config.value_of(name) for name in _OWN_NAMES.get(kind, ())} - {""}
    if not server_values and failure.name in ("postgres-login", "postgres-role"):
        server_values = {_SUPERUSER}
    texts = [*caller.config.words, *(value for _, value in caller.config.environment)]
    is_given = any(user in re.split(r"[^\w.-]", text) or _HIDDEN.match(text) for text in texts)
    candidates = [
        (name, value)
        for name, value in caller.config.environment
        if value in server_values and _OF_NAME[kind].search(name)
    ]
    if not user or user in server_values:
        return None
    if is_given or len(candidates) != 1:
        return None
    ((name, value),) = candidates
    return Reason(
        f'it asks for {kind} "{user}", which none of its variables has, and not for "{value}" of its '
        f"{name}, which {server} has: the program does not read that variable, a file of settings "
        "comes before it, or cron starts it, which passes on no variable of the container",
        f"give the value of {name} under the name that this version of the image reads, or in its "
        "file of settings",
        {
            "unused": name,
            "asked": user,
            "unread_image": caller.config.image,
            "prefix": f"{name.partition('_')[0]}_",
        },
    )


def unnamed_database(failure: Recognised, caller: Container, server: Container) -> Reason | None:
    """The database that the server was created with, where the caller names none.

    PostgreSQL's clients then ask for one of the user's name (libpq, lib/pq, JDBC).
    """
    database = failure.values.get("database", "")
    server_database = server.config.value_of("POSTGRES_DB")
    if failure.name != "postgres-database" or not database or server_database in ("", database):
        return None
    env = caller.config.environment
    is_user = database == server.config.value_of("POSTGRES_USER") or any(
        value == database and _USER.search(name) for name, value in env
    )
    texts = [*caller.config.words, *(value for name, value in env if not _USER.search(name))]
    is_named = any(_HIDDEN.match(text) or database in re.split(r"[^\w.-]", text) for text in texts)
    if not is_user or is_named:
        return None
    by_libpq = caller.config.sets("PGHOST") or caller.config.sets("PGUSER")
    steps = {"made_with": server_database}
    if by_libpq:
        steps = {"lib_database": f"PGDATABASE={server_database}"}
    return Reason(
        f'it names no database, and so asks for "{database}", as its user is called: {server} was made '
        f'with "{server_database}" (POSTGRES_DB)',
        f'name the database "{server_database}" in the settings of the program',
        steps,
    )


class _Password(msgspec.Struct, frozen=True):
    """A password, or the token that replaces it."""

    variable: str
    """The variable that holds it, alone or in an address."""
    value: str


def _own_password(failure: Recognised, user: str, server: Container) -> _Password | None:
    """The password that the database's environment has for this user; or None."""
    for name in _variables_of_user(failure, user, server):
        if value := server.config.value_of(name):
            return _Password(name, value)
    return None


def _variables_of_user(failure: Recognised, user: str, server: Container) -> tuple[str, ...]:
    """The variables with which an image sets the password of this user; none of any other."""
    of = server.config.value_of
    if failure.name == "postgres-login":
        return ("POSTGRES_PASSWORD",) if user == (of("POSTGRES_USER") or "postgres") else ()
    if failure.name != "mysql-access" or not user:
        return ()
    if user == "root":
        return ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD")
    is_set_up = user in (of("MARIADB_USER"), of("MYSQL_USER"))
    return ("MARIADB_PASSWORD", "MYSQL_PASSWORD") if is_set_up else ()


def _given_passwords(failure: Recognised, caller: Container, user: str) -> Iterator[_Password]:
    """The passwords for the database that the caller has."""
    of_others = _OF_OTHERS[failure.name]
    for name, value in caller.config.environment:
        in_address = re.search(rf"://{re.escape(user)}:([^@/\s]+)@", value)
        if in_address:
            yield _Password(name, in_address[1])
        elif value and _PASSWORD.fullmatch(name) and not of_others.search(name):
            yield _Password(name, value)
