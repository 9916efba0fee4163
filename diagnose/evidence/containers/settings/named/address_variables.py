"""The variable that holds the address (URL) to which a failed program's log line objects. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_ABOUT_ADDRESSES = LazyPattern(
    r"sqlalchemy\.dialects:|unknown driver|\bscheme\b|\bprotocol\b|jdbcurl|async driver|suitable driver"
    r"|invalid port|\bport could not be cast|for connection option .port|userinfo|url escape"
    r"|bad uri|invalid.url|uri malformed|rfc 3986|unescaped characters|illegal character in"
    r"|could not parse .{0,12}url|public key retrieval"
)
"""Errors of programs about an address that they cannot read, in small letters."""
_ADDRESS = LazyPattern(r"^(?:jdbc:)?(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<user>[^\s/]*@)?")
_WORD = LazyPattern(r"[a-z][a-z0-9+]*")


def variable_of_address(container: Container, text: str) -> str:
    """The one variable that holds an address, for a line that does not take its scheme or form.

    If several do, the one whose scheme the line names, then the one that has a user in it. "" where
    the line is about something else, or where that leaves more than one.
    """
    lowered = text.lower()
    if not _ABOUT_ADDRESSES.search(lowered):
        return ""
    addresses = [
        (name, match["scheme"].lower(), bool(match["user"]))
        for name, value in container.config.environment
        if (match := _ADDRESS.match(value)) is not None
    ]
    words = set(_WORD.findall(lowered))
    by_scheme = [name for name, scheme, _ in addresses if scheme in words]
    by_user = [name for name, _, has_user in addresses if has_user]
    every = [name for name, _, _ in addresses]
    return next((names[0] for names in (by_scheme, by_user, every) if len(names) == 1), "")
