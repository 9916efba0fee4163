"""Pages below a path of a site whose files are requested outside the path, by access logs.

A program that is served at /kopia/ and believes to be served at / writes such addresses into its
pages: its scripts are missing, and the page stays blank.
"""

import posixpath
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import by_key, distinct, paired
from diagnose.registry import evidence

LEAST = 4
FRESH_S = 120.0
_FILES = frozenset({".css", ".js", ".mjs"})
"""Without these a page is blank; a missing picture is a gap in it."""
_NOT_FOUND = 404


class StrayedPage(msgspec.Struct, frozen=True):
    """A path of a site whose pages lack their scripts and styles."""

    container: Container
    """The container of the log: the proxy."""
    below: str
    """The first part of the pages' path: /kopia/."""
    files: tuple[str, ...]
    """The requested files, in their order."""
    times: int
    line: str
    at: float
    """Unix time of the last request."""


class StrayedPages(Items[StrayedPage], frozen=True):
    """The strayed pages, at most one for each container and path."""


@evidence
def strayed_pages(containers: Containers, recent_logs: RecentLogs, clock: Clock) -> StrayedPages:
    """The last lines of the access logs of running containers, where they name the page before."""
    pages = (
        page
        for container in containers.running
        for page in _pages(container, recent_logs.requests_of(container))
    )
    return StrayedPages(tuple(page for page in pages if clock.is_within(page.at, FRESH_S)))


def _pages(container: Container, requests: Sequence[AccessLine]) -> Iterator[StrayedPage]:
    """The paths of one container's site whose pages lack all of their files."""
    of_files = (line for line in requests if _is_file(line.path))
    pages = paired(of_files, lambda line: _first_part(_path_of(line.referer)))
    requests_by_page = by_key((below, line) for line, below in pages)
    for below, lines in requests_by_page.items():
        is_missed = all(
            line.status == _NOT_FOUND and not line.path.startswith(below) for line in lines
        )
        files = distinct(line.path.partition("?")[0] for line in lines)
        if is_missed and len(lines) >= LEAST and len(files) > 1:
            last = lines[-1]
            yield StrayedPage(
                container, below, files=files, times=len(lines), line=last.line, at=last.at
            )


def _is_file(path: str) -> bool:
    return posixpath.splitext(path.partition("?")[0])[1] in _FILES


def _path_of(url: str) -> str:
    """The path of a URL; "" for other text: a visitor writes what it likes."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _first_part(path: str) -> str:
    """/kopia/ of /kopia/settings; "" for the root and for its own files."""
    first, slash, _ = path.removeprefix("/").partition("/")
    return f"/{first}/" if slash and first else ""
