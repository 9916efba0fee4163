"""The users of a system or of an image, as their passwd(5) has them. Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.lazy_pattern import LazyPattern

USERS_FILE = "/etc/passwd"
_ENTRY = LazyPattern(
    r"^(?P<name>[^:\n]+):[^:\n]*:(?P<uid>[0-9]{1,10}):(?P<gid>[0-9]{1,10})(?::[^:\n]*:(?P<home>[^:\n]*))?"
)
"""name:x:uid:gid:comment:home:shell"""


class UserEntry(msgspec.Struct, frozen=True):
    """A user in /etc/passwd."""

    name: str
    uid: int
    gid: int
    """The number of the user's first group."""
    home: str
    """The home directory; "" where the line is cut."""


def user_entries(text: str) -> Iterator[UserEntry]:
    """The users of such a file; a line without numbers is passed over."""
    for line in text.splitlines():
        match = _ENTRY.match(line)
        if match is not None:
            yield UserEntry(
                match["name"], int(match["uid"]), int(match["gid"]), match["home"] or ""
            )
