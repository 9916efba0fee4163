"""A line of a log with its time."""

import msgspec


class RecentLine(msgspec.Struct, frozen=True):
    """A line of a log, and its Unix time."""

    at: float
    text: str
    path: str = ""
    """The file of the container with the line; "" for the container's own log."""
