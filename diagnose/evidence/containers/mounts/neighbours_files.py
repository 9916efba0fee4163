"""Files that a program looks for, and that only another container beside it has there.

nginx serves /var/www/html/storage, and the uploads lie in the container of PHP. A worker opens
/app/media/1.pdf, which the web server has saved in its own volume.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.missing_files import MADE_AT_RUN
from diagnose.evidence.items import Items
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import known
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, PathStatus
from diagnose.registry import evidence

MOST = 20
"""Containers whose paths are looked up."""
_MOST_PATHS = 12
_ABSENT = LazyPattern(
    r"(?i)no such file|\bENOENT\b|file ?not ?found|does(?:n't| not) exist|can(?:not|'t) open"
)
_REQUEST = LazyPattern(r"\b(?:GET|HEAD|POST|PUT|DELETE)\b")
_OF_NGINX = "failed (2:"
"""The end of nginx's line about a file, which has the request too."""
_PATH = LazyPattern(r"(?<![\w./:@-])/[\w.@%+-]{1,100}(?:/[\w.@%+-]{1,100}){1,12}(?![\w/])")
_OF_IMAGES = LazyPattern(
    r"^/(?:bin|boot|dev|etc|lib\w{0,4}|proc|root|run|sbin|sys|tmp|usr/(?!share/nginx/html|src/)|var/(?:cache|lib|log|run|tmp))(?:/|$)"
    r"|/(?:node_modules|site-packages|vendor)/|\.(?:php|py|pyc|rb|so)$"
)
"""Files of an image's own programs, which another image has at the same path by chance."""

_OPTIONAL = LazyPattern(
    r"/(?:favicon[\w.-]{0,20}|robots\.txt|apple-touch-icon[\w.-]{0,30}|sitemap[\w.-]{0,20}|ads\.txt)$|/\.well-known/"
)
"""Files of a site that clients ask for anyway, and that one site has and another one not."""
_OF_PROJECTS = LazyPattern(
    r"(?i)/\.[\w-]|/(?:artisan|dockerfile|license|makefile|readme)[^/]{0,20}$"
    r"|\.(?:bak|env|ini|lock|log|map|md|old|sh|sql|toml|ts|twig|ya?ml)$"
    r"|/(?:composer|package|tsconfig)[\w.-]{0,20}\.json$|\.(?:config|mix)\.js$"
)
"""Files that scanners ask each web server for, and that no browser should get."""


class NeighboursFile(msgspec.Struct, frozen=True):
    """A file that a container misses, and the neighbour that has it."""

    container: Container
    neighbour: Container
    path: str
    line: str
    mount: Mount | None
    """The neighbour's mount with the file; None where it is in that container alone."""
    times: int
    """The number of files for which the same is true."""


class NeighboursFiles(Items[NeighboursFile], frozen=True):
    """At most one of each container."""

    def explain(self, container: Container, line: str) -> bool:
        """Whether a line of a container is about the file that a neighbour has."""
        return any(file.container.id == container.id and file.path in line for file in self.items)


@evidence
def neighbours_files(
    host: Host, containers: Containers, recent_logs: RecentLogs
) -> NeighboursFiles:
    """The files that recent lines of running containers miss, and that a neighbour has.

    Paths are looked up only of containers with a neighbour: another one of their project, or, for
    containers without compose, another such one on a network that users made. Two questions for
    each.
    """
    candidates: list[tuple[Container, dict[str, str]]] = []
    for container in containers.running:
        lines = dict(_missed_paths(container, recent_logs))
        if lines and _neighbours(container, containers):
            candidates.append((container, lines))
    files = (
        _neighbours_file(host, container, lines, _neighbours(container, containers))
        for container, lines in host.first(candidates, MOST, "containers that miss files")
    )
    return NeighboursFiles(known(files))


def _neighbours(container: Container, containers: Containers) -> list[Container]:
    """The running containers that may work with a container on the same files."""
    if container.compose_project:
        return containers.in_project_of(container)
    return [
        other
        for other in containers.beside(container)
        if other.is_running
        and not other.compose_project
        and container.shared_networks(other) - {DEFAULT_NETWORK}
    ]


def _missed_paths(container: Container, recent_logs: RecentLogs) -> Iterator[tuple[str, str]]:
    """Each path in a line about a missing file, with that line; the youngest come first."""
    remaining = _MOST_PATHS
    for text in reversed(recent_logs.texts_of(container)):
        is_request = _REQUEST.search(text) is not None and _OF_NGINX not in text
        if is_request or not _ABSENT.search(text):
            continue
        for match in _PATH.finditer(text):
            path = match[0].rstrip(".")
            if remaining and not _is_of_programs(path) and not _has_own_mount(container, path):
                remaining -= 1
                yield path, text


def _is_of_programs(path: str) -> bool:
    """Whether a path is not data of a project: of an image, of one run, of any site, or secret."""
    patterns = (_OF_IMAGES, MADE_AT_RUN, _OPTIONAL, _OF_PROJECTS)
    return any(pattern.search(path) for pattern in patterns)


def _has_own_mount(container: Container, path: str) -> bool:
    """Whether somebody has mounted something there for this container: a site of its own."""
    mount = innermost_mount(container.mounts, path)
    return mount is not None and not mount.is_anonymous


def _neighbours_file(
    host: Host, container: Container, lines: dict[str, str], neighbours: Sequence[Container]
) -> NeighboursFile | None:
    """The first of some paths that is missing in a container, and that one neighbour has."""
    statuses = _statuses(host, container, lines)
    missing = [path for path in lines if statuses[path].failed == "missing"]
    for neighbour in neighbours if missing else ():
        theirs = _statuses(host, neighbour, lines)
        with_data = [path for path in missing if _is_data(neighbour, path, theirs[path])]
        if with_data:
            path = with_data[0]
            mount = innermost_mount(neighbour.mounts, path)
            return NeighboursFile(
                container, neighbour, path, lines[path], mount=mount, times=len(with_data)
            )
    return None


def _is_data(neighbour: Container, path: str, status: PathStatus) -> bool:
    """Whether a file is none of the neighbour's image: in a mount, or younger than the container.

    Two images of web servers have a site each at the same path.
    """
    is_there = status.type in ("file", "folder")
    is_young = (status.mtime or 0.0) > (neighbour.created_at or float("inf"))
    return is_there and (_has_own_mount(neighbour, path) or is_young)


def _statuses(host: Host, container: Container, paths: Iterable[str]) -> dict[str, PathStatus]:
    """The status of what lies at each path in a container."""
    root = f"/proc/{container.state.pid}/root"
    statuses = path_statuses(host, [f"{root}{path}" for path in paths], follow=False)
    return {path: statuses.get(f"{root}{path}", NOT_ASKED) for path in paths}
