"""Logins at MongoDB that look for the user in another database than the user's own. Pure.

The client's error is "Authentication failed", as for a wrong password, and the server's own log
says more.
"""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.programs.failures import Recognised

_NO_USER = LazyPattern(
    r"Could not find user \\?\"(?P<user>[^\"\\]{1,200})\\?\" for db \\?\"(?P<base>[^\"\\]{1,200})\\?\""
)
"""MongoDB does not find a user: "shop", for db "admin"."""
_ADMIN = "admin"
"""The database in which the image of MongoDB creates the user of MONGO_INITDB_ROOT_USERNAME."""
_URL = LazyPattern(r"mongodb(?:\+srv)?://[^\s/]{1,300}/\w")
"""A URL with a database, which is also the user's database unless `authSource` names another."""


class StrayLogin(msgspec.Struct, frozen=True):
    """A login whose user the server does not find in the named database."""

    text: str
    """The line in the server's log."""
    user: str
    base: str
    """The database in which it looks."""


def stray_login(
    failure: Recognised, server: Container, recent_logs: RecentLogs | None
) -> StrayLogin | None:
    """The last such login that a server's log shows; None where none is, or the user is unknown."""
    if failure.name != "mongo-auth" or recent_logs is None:
        return None
    for line in reversed(recent_logs.of_this_run(server)):
        match = _NO_USER.search(line.text)
        if match is not None:
            is_elsewhere = match["base"] != _ADMIN
            return StrayLogin(match[0], match["user"], match["base"]) if is_elsewhere else None
    return None


def url_without_source(container: Container) -> str:
    """The one variable with a URL of MongoDB that names a database, and not where its user is."""
    names = {
        name
        for name, value in container.config.environment
        if _URL.match(value) and "authsource=" not in value.lower()
    }
    return only(names) or ""
