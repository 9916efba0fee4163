"""Web servers that show the welcome page of their image, while the container has another site."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.addresses.page_folders import served_folders
from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing
from diagnose.questions.file_texts import FindTexts
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

_MOST_FILES = 60
_OK = 200


class _Server(msgspec.Struct, frozen=True):
    """A web server, and what its image has."""

    program: str
    """As people call it."""
    processes: frozenset[str]
    title: LazyPattern
    """Of its welcome page."""
    root: str
    """The folder with that page."""
    settings: tuple[str, ...]
    """Files of its configuration, and folders of such."""


_SERVERS = (
    _Server(
        "nginx",
        frozenset({"nginx"}),
        LazyPattern(r"<title>Welcome to nginx!?</title>"),
        "/usr/share/nginx/html",
        ("/etc/nginx/",),
    ),
    _Server(
        "Apache",
        frozenset({"httpd"}),
        LazyPattern(r"<h1>It works!</h1>"),
        "/usr/local/apache2/htdocs",
        ("/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2/conf/extra/"),
    ),
    _Server(
        "Caddy",
        frozenset({"caddy"}),
        LazyPattern(r"<title>Caddy works!?</title>"),
        "/usr/share/caddy",
        ("/etc/caddy/Caddyfile", "/etc/caddy/"),
    ),
)
_STARTERS = vocabulary("ash bash dash docker-init dumb-init sh sleep tini")
"""Processes beside a server that serve nothing."""


class UnshownSite(msgspec.Struct, frozen=True):
    """A folder with a first page that the web server of its container does not show."""

    container: Container
    program: str
    folder: str
    root: str
    """The folder that the server shows."""
    mount: Mount | None = None
    """The mount that has the folder; None in the image."""


class UnshownSites(Items[UnshownSite], frozen=True):
    """At most one for each container."""


@evidence
def unshown_sites(host: Host, front_pages: FrontPages, processes: Processes) -> UnshownSites:
    """The first pages were asked for anyway; folders are looked for where one is a welcome page.

    A folder that the configuration of the server names belongs to another name or path. A container
    with other programs may serve it by these.
    """
    sites: dict[str, UnshownSite] = {}
    for page in front_pages:
        server = _server_of(page)
        names = set(processes.names_inside(page.container.id))
        if server is not None and names <= server.processes | _STARTERS:
            site = next(_unshown_folders(host, page.container, server), None)
            if site is not None:
                sites.setdefault(page.container.id, site)
    return UnshownSites(tuple(sites.values()))


def _server_of(page: FrontPage) -> _Server | None:
    """The server whose welcome page it is."""
    if page.status != _OK:
        return None
    return next((server for server in _SERVERS if server.title.search(page.reply.body)), None)


def _unshown_folders(host: Host, container: Container, server: _Server) -> Iterator[UnshownSite]:
    """The folders with a first page outside of the shown one, which no setting names; those of
    mounts come first."""
    folders = [
        folder
        for folder in served_folders(host, [container]).get(container.id, [])
        if not is_within(folder, server.root) and not is_within(server.root, folder)
    ]
    for folder in sorted(folders, key=lambda folder: _mount_of(container, folder) is None):
        if not _is_named(host, container, server, folder):
            mount = _mount_of(container, folder)
            yield UnshownSite(container, server.program, folder, server.root, mount)


def _mount_of(container: Container, folder: str) -> Mount | None:
    """The mount with the first page of a folder."""
    return innermost_mount(container.mounts, f"{folder}/index.html")


def _is_named(host: Host, container: Container, server: _Server, folder: str) -> bool:
    """Whether a file of the configuration has the path of a folder."""
    root = f"/proc/{container.state.pid}/root"
    files: list[str] = []
    for place in server.settings:
        files += _files_below(host, root, place) if place.endswith("/") else [place]
    texts = [folder]
    return any(
        host.answer_or(FindTexts(file, texts, root=root), []) for file in files[:_MOST_FILES]
    )


def _files_below(host: Host, root: str, folder: str) -> list[str]:
    """The files of a folder with settings and of the folders in it, which an `include` may name."""
    files: list[str] = []
    for entry in folder_listing(host, folder, root=root).entries:
        if entry.type != "folder":
            files.append(folder + entry.name)
            continue
        within = folder_listing(host, f"{folder}{entry.name}", root=root)
        files += [f"{folder}{entry.name}/{name}" for name in within.names]
    return files
