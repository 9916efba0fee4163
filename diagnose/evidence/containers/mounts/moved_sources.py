"""Sources of mounts that were moved aside under another name."""

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.bind_mounts import BindSources
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed, PageVariables
from diagnose.programs.mount_errors import UNMADE_SOURCE
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_status, path_statuses
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 20
"""Sources that are looked for: each costs two questions about folders."""
_LINK = LazyPattern(UNMADE_SOURCE + "file exists")
"""The engine's words for a dangling link on the way."""
_ASIDE = (
    r"(?:~|[._-](?:away|backup|bak|broken|copy|disabled|off|old|orig|prev|previous|save|saved|tmp"
    r"|\d[\d._T:-]*)(?:[._-]?\d+)?)$"
)
"""Endings that people add to the name of what they move out of the way."""


class MovedSource(msgspec.Struct, frozen=True):
    """A file or folder beside the place where it is missing."""

    place: str
    """The missing path: the source of a mount, or the folder that holds it."""
    moved: str
    """The path beside that place, with the same name and another ending."""


class MovedSources(msgspec.Struct, frozen=True):
    """The new places of moved folders, by the source of a mount."""

    by_source: dict[str, MovedSource]

    def variables_of(self, source: str) -> PageVariables:
        """The page variables that move a source back; empty where nothing was moved."""
        moved = self.by_source.get(source)
        return {} if moved is None else {"place": moved.place, "displaced": moved.moved}


@evidence
def moved_sources(
    host: Host, containers: Containers, bind_sources: BindSources | None
) -> MovedSources:
    """The folders above the sources that failed containers lack are listed.

    What a container mounts was not moved aside: `shop-2` is another shop. A folder that holds
    something is left in its place.
    """
    lacking = dict.fromkeys(
        path for container in containers for path in _paths_behind_link(container)
    )
    if bind_sources is not None:
        by_path = bind_sources.by_path
        missing = [path for path, status in by_path.items() if status.failed == "missing"]
        folders = [path for path, status in by_path.items() if status.type == "folder"]
        lacking |= dict.fromkeys([*missing, *folders])
    used = containers.mount_sources
    first = host.first(list(lacking), MOST, "sources of mounts that may have moved")
    moved_by_source = {source: _moved_source(host, source, used) for source in first}
    return MovedSources(
        {source: moved for source, moved in moved_by_source.items() if moved is not None}
    )


def _paths_behind_link(container: Container) -> Iterator[str]:
    link = _LINK.search(container.state.error) if container.start_failed else None
    if link is not None:
        yield link["path"]


def _moved_source(host: Host, source: str, used: Collection[str]) -> MovedSource | None:
    """The only renamed sibling that can have been the source; None for none, or for several.

    used: the sources of all mounts.
    """
    parent, name = posixpath.split(source.rstrip("/"))
    for place, rest in ((f"{parent}/{name}", ""), (parent, name)):
        name_beside = only(_names_beside(host, place, rest))
        if name_beside is None or any(is_within(path, name_beside) for path in used):
            continue
        if _is_free(host, place):
            return MovedSource(place, name_beside)
    return None


def _is_free(host: Host, place: str) -> bool:
    """Whether the place is free: missing, an empty folder, or a dangling link."""
    status = path_status(host, place, follow=True)
    if status.type != "folder":
        return status.failed == "missing"
    listing = host.ask(ListFolder(place))
    return not isinstance(listing, Failed) and not listing.entries


def _names_beside(host: Host, place: str, rest: str) -> Sequence[str]:
    """The paths beside a place with its name and such an ending, which hold the rest too."""
    folder, name = posixpath.split(place)
    if not name or not folder:
        return ()
    listing = folder_listing(host, folder)
    aside = re.compile(re.escape(name) + _ASIDE)
    paths = [f"{folder.rstrip('/')}/{other}" for other in listing.names if aside.match(other)]
    if not rest or not paths:
        return paths
    statuses = path_statuses(host, [f"{path}/{rest}" for path in paths], follow=True)
    existing = {path for path, status in statuses.items() if not status.failed}
    return [path for path in paths if f"{path}/{rest}" in existing]
