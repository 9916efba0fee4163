"""Why a database refuses a login, as far as its own log and both environments say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.lazy_pattern import LazyPattern
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
_ESCAPED = ":url-password-escaped:"
"""In the token of a password with percent escapes, which stands for the password without them."""


class OtherPassword(msgspec.Struct, frozen=True):
    """Variables of the caller with another password than the database's own environment has."""

    names: tuple[str, ...]
    servers: str
    """The database's variable."""

    def cause(self, user: str, server: Container) -> str:
        """The end of a sentence about the caller."""
        held = f"the password of user {user} in its {joined(self.names)}"
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
    return OtherPassword(tuple(given), own[0])


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
