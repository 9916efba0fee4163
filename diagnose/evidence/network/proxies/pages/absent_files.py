"""Scripts and styles that a page names and its own server does not have, by access logs.

The page itself is served, so that no server takes this for an error: its visitors see nothing.
"""

import posixpath
from collections.abc import Iterable, Iterator, Sequence, Set
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.pages.front_pages import FrontPages
from diagnose.evidence.network.proxies.pages.strayed_pages import StrayedPages
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, distinct
from diagnose.questions.web_pages import PageReply
from diagnose.registry import evidence

LEAST = 3
FRESH_S = 300.0
_FILES = frozenset({".css", ".js", ".mjs"})
"""Without these a page is blank; a missing picture is a gap in it."""
_REFERENCE = LazyPattern(r"(?i)\b(?:src|href)=[\"']?(?P<url>[^\"'\s>]{1,300})")
_OPTIONAL = LazyPattern(r"(?i)(?:^|[._-])(?:custom|env|extra|local|overrides?|user)(?:[._-]|$)")
"""Files that an administrator may add, and a page does without."""
_NOT_FOUND = 404
_SERVED = range(200, 400)


class AbsentFiles(msgspec.Struct, frozen=True):
    """Files of a server's own pages, for which it answers 404."""

    container: Container
    files: tuple[str, ...]
    """The files, in the order of the requests."""
    times: int
    line: str
    is_named: bool = False
    """Whether the first page of the server, as it is now, names one of them."""


class AllAbsentFiles(Items[AbsentFiles], frozen=True):
    """The absent files of web pages: at most one for each container, preferably of the program."""


@evidence
def all_absent_files(
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    front_pages: FrontPages | None,
    strayed_pages: StrayedPages | None,
) -> AllAbsentFiles:
    """The last lines of access logs; the first pages are those that were asked for anyway."""
    strayed = {page.container.id for page in strayed_pages or ()}
    pages = by_key((page.container.id, page.reply) for page in front_pages or ())
    absents: list[AbsentFiles] = []
    for container in containers.running:
        missed = list(_missed_requests(recent_logs.requests_of(container)))
        is_fresh = len(missed) >= LEAST and clock.is_within(missed[-1].at, FRESH_S)
        if is_fresh and container.id not in strayed:
            absents.append(_absent_files(container, missed, pages.get(container.id, ())))
    proxies = {page.container.id for page in front_pages or () if page.is_proxy}
    return AllAbsentFiles(tuple(_without_repeated(absents, proxies)))


def _without_repeated(absents: Sequence[AbsentFiles], proxies: Set[str]) -> Iterator[AbsentFiles]:
    """The absent files without those of a proxy that a program behind it reports itself."""
    first_files = {absent.files[0] for absent in absents if absent.container.id not in proxies}
    for absent in absents:
        if absent.container.id not in proxies or absent.files[0] not in first_files:
            yield absent


def _absent_files(
    container: Container, missed: Sequence[AccessLine], pages: Iterable[PageReply]
) -> AbsentFiles:
    """The files of these requests, and whether a page of the server names one."""
    files = distinct(_path(line) for line in missed)
    is_named = any(_names_one(page, files) for page in pages)
    return AbsentFiles(container, files, len(missed), line=missed[-1].line, is_named=is_named)


def _missed_requests(requests: Sequence[AccessLine]) -> Iterator[AccessLine]:
    """The requests for files that no client got, by clients that are served otherwise.

    A scanner asks for files of programs that do not exist, and no page has named them.
    """
    got = {_path(line) for line in requests if line.status in _SERVED}
    pages = {
        line.client
        for line in requests
        if line.method == "GET" and line.status in _SERVED and not _is_file(line)
    }
    for line in requests:
        is_missing = line.status == _NOT_FOUND and _is_file(line) and _path(line) not in got
        if is_missing and line.client in pages and _is_of_own_page(line):
            yield line


def _is_of_own_page(line: AccessLine) -> bool:
    """Whether a page of this very site named the file, as far as the log says that."""
    return not line.referer or line.referer.lower().startswith(("http://", "https://"))


def _names_one(page: PageReply, files: Sequence[str]) -> bool:
    """Whether a page needs one of the files; a proxy may have taken the beginning of its path."""
    needed = [file for file in files if not _OPTIONAL.search(posixpath.basename(file))]
    folder = posixpath.dirname(page.path) or "/"
    for reference in _REFERENCE.finditer(page.body):
        named_path = posixpath.normpath(posixpath.join(folder, _path_of(reference["url"])))
        if any(file.endswith(named_path) or named_path.endswith(file) for file in needed):
            return True
    return False


def _path_of(url: str) -> str:
    """The path of a reference; "" for one to another server."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return "" if parts.netloc else parts.path


def _is_file(line: AccessLine) -> bool:
    return posixpath.splitext(_path(line))[1] in _FILES


def _path(line: AccessLine) -> str:
    return line.path.partition("?")[0]
