"""Folders of a running container that are listed one after another, from the top down."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FolderEntry, ListFolder


class FolderVisit(msgspec.Struct, frozen=True):
    """A folder of a container, and its entries."""

    path: str
    entries: list[FolderEntry]


class VisitLimits(msgspec.Struct, frozen=True):
    """How much of a container is listed."""

    entries: int
    """Of one folder."""
    folders: int
    depth: int
    """Folders between the top and the innermost ones."""


def visited_folders(
    host: Host, root: str, tops: Iterable[str], limits: VisitLimits, enters: Callable[[str], bool]
) -> Iterator[FolderVisit]:
    """The readable folders, level by level: these, and those in them whose names are to be entered.

    root: the folder of the host at which the container's paths begin. Each folder takes a listing.
    """
    waiting = [(top, 0) for top in tops]
    for path, depth in waiting:
        listing = host.ask(ListFolder(path, limit=limits.entries, root=root))
        if isinstance(listing, Failed):
            continue
        yield FolderVisit(path, listing.entries)
        if depth < limits.depth:
            folders = [entry.name for entry in listing.entries if entry.type == "folder"]
            below = [(f"{path}/{name}", depth + 1) for name in folders if enters(name)]
            waiting += below[: limits.folders - len(waiting)]
