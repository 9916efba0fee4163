"""The folders of containers that hold the pages of a web server."""

import posixpath
from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container
from diagnose.questions import Host
from diagnose.questions.files import NOT_ASKED, StatPaths

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


def page_folders(host: Host, container: Container) -> list[str]:
    """The folders of a container that tools build pages into, and the usual ones of servers."""
    below = [f"{folder}/{part}" for folder in code_folders(container) for part in _BELOW_CODE]
    return _with_first_page(host, container, [*below, *_OF_SERVERS])


def served_folders(host: Host, container: Container) -> list[str]:
    """The folders with a first page, those of its mounts and of its command among them."""
    below = [f"{folder}/{part}" for folder in code_folders(container) for part in _BELOW_CODE]
    mounted = [mount.destination.rstrip("/") for mount in container.mounts]
    mounted += [f"{folder}/{part}" for folder in mounted for part in _BELOW_CODE]
    places = (*below, *_OF_SERVERS, *_OF_OTHERS, *mounted, *_named_folders(container))
    folders = _with_first_page(host, container, list(dict.fromkeys(places)))
    served = _without_source(host, container, folders) if folders else []
    return [folder for folder in served if not _is_below_another(folder, served)]


def code_folders(container: Container) -> list[str]:
    """The folder in which the program of a container starts, and the usual one."""
    own = container.config.working_dir.rstrip("/")
    return list(dict.fromkeys(folder for folder in (own, "/app") if folder.startswith("/")))


def _named_folders(container: Container) -> Iterator[str]:
    """The folders that words of the command may name: serve -s build, httpd -h /pages."""
    start = container.config.working_dir or "/"
    for word in container.config.words[:_MOST_WORDS]:
        path = word.rpartition("=")[2]
        if path and "\n" not in path and not path.startswith("-"):
            yield posixpath.normpath(posixpath.join(start, path))


def _with_first_page(host: Host, container: Container, folders: list[str]) -> list[str]:
    """The folders that have a first page, and those of Next.js, which need none."""
    root = f"/proc/{container.state.pid}/root"
    paths = {folder: f"{root}{folder}/{_FIRST_PAGE}" for folder in folders}
    paths |= {folder: root + folder for folder in folders if folder.endswith(_OF_NEXT)}
    statuses = host.answer_or(StatPaths([*paths.values()], follow=False), {})
    return [
        folder
        for folder, path in paths.items()
        if statuses.get(path, NOT_ASKED).type in ("file", "folder")
    ]


def _without_source(host: Host, container: Container, folders: list[str]) -> list[str]:
    """The folders that are no source of pages."""
    root = f"/proc/{container.state.pid}/root"
    paths = {folder: f"{root}{folder}/{_OF_SOURCE}" for folder in folders}
    statuses = host.answer_or(StatPaths([*paths.values()], follow=False), {})
    return [
        folder for folder, path in paths.items() if statuses.get(path, NOT_ASKED).type != "file"
    ]


def _is_below_another(folder: str, folders: list[str]) -> bool:
    return any(folder.startswith(f"{other}/") for other in folders)
