"""Why a database refuses a login, as far as its own log and both environments say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
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
"""What the names of variables have that are for a database of the other kind."""
_OWN_USER = ("MARIADB_USER", "MYSQL_USER")
_SET_UP = ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD", *_OWN_USER)
"""Variables of which the images of MySQL and MariaDB need one."""
_USER = LazyPattern(r"USER(?:NAME)?(?:_|$)")
_PLAIN = LazyPattern(r"[\w$-]+")
"""Names that mean themselves in a statement of SQL."""
_ESCAPED = ":url-password-escaped:"
"""In the token of a password with percent escapes, which stands for the password without them."""


class OtherPassword(msgspec.Struct, frozen=True):
    """Variables of the caller with another password than the database's own environment has."""

    user: str
    names: tuple[str, ...]
    servers: str
    """The database's variable."""

    def cause(self, server: Container) -> str:
        """The end of a sentence about the caller."""
        held = f"the password of user {self.user} in its {joined(self.names)}"
        return f"{held} is not the {self.servers} of {server}"

    def cure(self, server: Container) -> str:
        """What fixes it, in words."""
        return (
            f"give both the same password: the database has the {self.servers} with which its data "
            f'directory was made; that of "{server.name}" is the same unless it was changed since'
        )

    def variables(self, server: Container) -> PageVariables:
        """What the page's paragraph needs."""
        return {
            "own_variable": joined(self.names),
            "kept_variable": self.servers,
            "keeper": server.name,
        }


class ForeignUser(msgspec.Struct, frozen=True):
    """A user for whom the environment of MySQL or MariaDB has made nothing."""

    name: str
    variable: str
    """The caller's variable that names it, "" where none does."""
    password: str
    """The caller's only variable with a password for the database, "" where that is not known."""
    servers: str
    """The server's variable and its value, "" where it has none and root is all."""

    def cause(self, server: Container) -> str:
        """The end of a sentence about the caller."""
        given = f", from its {self.variable}," if self.variable else ""
        only = f"sets up ({self.servers})" if self.servers else "sets up, which is root alone"
        return (
            f"user {self.name}{given} is not the one that the environment of {server} {only}: "
            "it exists there only if somebody has made it"
        )

    def cure(self, server: Container) -> str:
        """What fixes it, in words."""
        return f'give both the same user and password, or make the user in "{server.name}"'

    def variables(self, server: Container) -> PageVariables:
        """What the page's commands need."""
        steps = {"mysql_server": server.name}
        is_plain = _PLAIN.fullmatch(self.name) is not None
        if not (is_plain and self.password):
            return steps
        return {**steps, "new_user": self.name, "word_variable": self.password}


def foreign_user(failure: Recognised, caller: Container, server: Container) -> ForeignUser | None:
    """The refused user of MySQL or MariaDB, where the server's environment is for another one.

    Neither tells a client whether the user or the password is wrong.
    """
    user, of = failure.values.get("user", ""), server.config.value_of
    is_of_image = any(of(name) for name in _SET_UP)
    if failure.name != "mysql-access" or user in ("", "root") or not is_of_image:
        return None
    own = {name: value for name in _OWN_USER if (value := of(name))}
    if user in own.values():
        return None
    named = [
        name for name, value in caller.config.environment if value == user and _USER.search(name)
    ]
    return ForeignUser(
        user,
        variable=next(iter(named), ""),
        password=only([name for name, _ in _given_passwords(failure, caller, user)]) or "",
        servers=next((f"{name} {value}" for name, value in own.items()), ""),
    )


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


def other_password(
    failure: Recognised, caller: Container, server: Container
) -> OtherPassword | None:
    """What the caller was given, where the refused user is the database's own.

    None where the passwords are equal, or one is not known. The values are tokens, equal for equal
    secrets; nobody can compare one that is escaped in an address.
    """
    user = failure.values.get("user", "")
    own = next(_own_passwords(failure, user, server), None)
    if own is None:
        return None
    given = dict(_given_passwords(failure, caller, user))
    is_equal = own[1] in given.values()
    if not given or is_equal or any(_ESCAPED in value for value in given.values()):
        return None
    return OtherPassword(user, tuple(given), own[0])


def _own_passwords(failure: Recognised, user: str, server: Container) -> Iterator[tuple[str, str]]:
    """Variable and value of the password that the database's environment has for this user."""
    of = server.config.value_of
    if failure.name == "postgres-login":
        if user == (of("POSTGRES_USER") or "postgres"):
            yield from _set(server, ("POSTGRES_PASSWORD",))
    elif failure.name == "mysql-access" and user:
        if user == "root":
            yield from _set(server, ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"))
        elif user in (of("MARIADB_USER"), of("MYSQL_USER")):
            yield from _set(server, ("MARIADB_PASSWORD", "MYSQL_PASSWORD"))


def _set(container: Container, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if value := container.config.value_of(name):
            yield name, value


def _given_passwords(
    failure: Recognised, caller: Container, user: str
) -> Iterator[tuple[str, str]]:
    """The variables of the caller that hold a password for the database, with it."""
    of_others = _OF_OTHERS[failure.name]
    for name, value in caller.config.environment:
        in_address = re.search(rf"://{re.escape(user)}:([^@/\s]+)@", value)
        if in_address:
            yield name, in_address[1]
        elif value and _PASSWORD.fullmatch(name) and not of_others.search(name):
            yield name, value
