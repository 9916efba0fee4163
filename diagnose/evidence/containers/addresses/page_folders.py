"""The folders of containers that hold the pages of a web server."""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.file_paths import is_below
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED

_OF_NEXT = ".next/static"
_BELOW_CODE = (_OF_NEXT, "dist", "build", "out", "public")
"""Folders into which tools write pages, below that of a program."""
_FIRST_PAGE = "index.html"
"""Without it, such a folder has the code of a server, which has variables."""
_OF_SERVERS = ("/usr/share/nginx/html", "/usr/share/caddy", "/srv", "/var/www/html", "/var/www")
_OF_OTHERS = ("/usr/local/apache2/htdocs", "/var/www/localhost/htdocs", "/www", "/public", "/html")
_OF_SOURCE = "package.json"
"""A tool builds its pages from the code in a folder with such a file."""
_MOST_WORDS = 40


class _Place(msgspec.Struct, frozen=True):
    """A folder of a container."""

    container: Container
    folder: str

    @property
    def path(self) -> str:
        """Its path on the host."""
        return f"/proc/{self.container.state.pid}/root{self.folder}"

    def path_of(self, file: str) -> str:
        """A file in it; the folder itself where Next.js has its scripts, without a first page."""
        is_alone = file == _FIRST_PAGE and self.folder.endswith(_OF_NEXT)
        return self.path if is_alone else f"{self.path}/{file}"


def page_folders(host: Host, container: Container) -> list[str]:
    """The folders of a container that tools build pages into, and the usual ones of servers."""
    places = [_Place(container, folder) for folder in (*_build_folders(container), *_OF_SERVERS)]
    return [place.folder for place in _with_file(host, places, _FIRST_PAGE)]


def served_folders(host: Host, containers: Sequence[Container]) -> dict[str, list[str]]:
    """The folders with a first page by container id, those of mounts and commands among them.

    A folder in which a tool builds pages is left out, and so is one below another. Two questions
    are asked about all containers.
    """
    places = [
        _Place(container, folder)
        for container in containers
        for folder in dict.fromkeys(_possible_folders(container))
    ]
    with_page = _with_file(host, places, _FIRST_PAGE)
    sources = {place.path for place in _with_file(host, with_page, _OF_SOURCE)}
    by_id: dict[str, list[str]] = {}
    for place in with_page:
        if place.path not in sources:
            by_id.setdefault(place.container.id, []).append(place.folder)
    return {id: _outer_folders(folders) for id, folders in by_id.items()}


def code_folders(container: Container) -> list[str]:
    """The folder in which the program of a container starts, and the usual one."""
    working_dir = container.config.working_dir.rstrip("/")
    return list(dict.fromkeys(folder for folder in (working_dir, "/app") if folder.startswith("/")))


def _build_folders(container: Container) -> list[str]:
    return [f"{folder}/{part}" for folder in code_folders(container) for part in _BELOW_CODE]


def _possible_folders(container: Container) -> Iterator[str]:
    """The folders that are looked at: of code, of servers, of mounts, and of the command."""
    yield from (*_build_folders(container), *_OF_SERVERS, *_OF_OTHERS)
    for mount in container.mounts:
        folder = mount.destination.rstrip("/")
        yield folder
        yield from (f"{folder}/{part}" for part in _BELOW_CODE)
    yield from _named_folders(container)


def _named_folders(container: Container) -> Iterator[str]:
    """The folders that words of the command may name: serve -s build, httpd -h /pages."""
    start = container.config.working_dir or "/"
    for word in container.config.words[:_MOST_WORDS]:
        path = word.rpartition("=")[2]
        if path and "\n" not in path and not path.startswith("-"):
            yield posixpath.normpath(posixpath.join(start, path))


def _with_file(host: Host, places: Sequence[_Place], file: str) -> list[_Place]:
    """The places that have a file."""
    paths = [place.path_of(file) for place in places]
    statuses = path_statuses(host, paths, follow=False)
    return [
        place
        for place, path in zip(places, paths, strict=True)
        if statuses.get(path, NOT_ASKED).type in ("file", "folder")
    ]


def _outer_folders(folders: list[str]) -> list[str]:
    """The folders that are below no other one."""
    return [folder for folder in folders if not _is_below_another(folder, folders)]


def _is_below_another(folder: str, folders: list[str]) -> bool:
    return any(is_below(folder, other) for other in folders)
