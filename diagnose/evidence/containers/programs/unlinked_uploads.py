"""Uploads of programs of Laravel that their public folder has no link to.

A file that users upload lies in storage/app/public. Browsers get it below public/storage, which is
a link that `php artisan storage:link` makes. It is lost with a container or a volume, and a link
that was made on the host leads to nothing inside.
"""

import posixpath

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.absent_workers import serves_php
from diagnose.evidence.containers.programs.code_folders import code_folders
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.questions import Host
from diagnose.questions.file_answers import path_status, path_statuses
from diagnose.questions.files import NOT_ASKED, FolderListing, ListFolder, PathStatus
from diagnose.registry import evidence

MOST = 8
"""Programs whose code is looked into."""
_PROGRAM = "artisan"
_PAGES = "public/index.php"
_LINK = "public/storage"
_UPLOADS = "storage/app/public"


class UnlinkedUploads(msgspec.Struct, frozen=True):
    """A program with uploads that no browser gets."""

    container: Container
    folder: str
    """The folder of its code in the container."""
    example: str
    """An entry of the folder with uploads."""
    is_dangling: bool
    """Whether the link is there, and leads to nothing."""

    @property
    def link(self) -> str:
        return posixpath.join(self.folder, _LINK)

    @property
    def uploads(self) -> str:
        return posixpath.join(self.folder, _UPLOADS)


class AllUnlinkedUploads(Items[UnlinkedUploads], frozen=True):
    """At most one for each container."""


@evidence
def all_unlinked_uploads(
    host: Host, containers: Containers, processes: Processes
) -> AllUnlinkedUploads:
    """The folders of programs of PHP are looked into, as the container sees them."""
    with_php = [container for container in containers.running if serves_php(container, processes)]
    unlinked = []
    for container in host.first(with_php, MOST, "programs of PHP"):
        uploads = _unlinked_uploads(host, container)
        neighbours = containers.in_project_of(container)
        if uploads is not None and not _is_shown_by_another(host, uploads, neighbours):
            unlinked.append(uploads)
    return AllUnlinkedUploads(tuple(unlinked))


def _unlinked_uploads(host: Host, container: Container) -> UnlinkedUploads | None:
    """The uploads of a program of Laravel, if it has some and the link leads to nothing."""
    folder = _folder_of_laravel(host, container)
    link = posixpath.join(folder, _LINK)
    if not folder or container.mount_at(link) is not None:
        return None
    itself = _status(host, container, link)
    is_dangling = itself.type == "link" and _leads_to_nothing(host, container, link, itself)
    if not is_dangling and itself.failed != "missing":
        return None
    uploads = _uploads(host, container, folder)
    return UnlinkedUploads(container, folder, uploads[0], is_dangling) if uploads else None


def _is_shown_by_another(host: Host, uploads: UnlinkedUploads, neighbours: list[Container]) -> bool:
    """Whether a web server of the project has the link, or has the uploads mounted: in the place of
    the link, or at a path of its own, which an `alias` of its settings may show."""
    shared = innermost_mount(uploads.container.mounts, uploads.uploads)
    for mount in (mount for other in neighbours for mount in other.mounts):
        is_same = shared is not None and mount.source == shared.source
        is_elsewhere = shared is not None and mount.destination != shared.destination
        if mount.destination.endswith(_LINK) or (is_same and is_elsewhere):
            return True
    paths = [
        f"/proc/{other.state.pid}/root{uploads.link}" for other in neighbours if other.state.pid
    ]
    statuses = path_statuses(host, paths, follow=False)
    return any(status.type for status in statuses.values())


def _folder_of_laravel(host: Host, container: Container) -> str:
    """The folder with the code of a program of Laravel and with its first page; "" for none."""
    root = f"/proc/{container.state.pid}/root"
    folders = code_folders(container)
    paths = [f"{root}{folder}/{file}" for folder in folders for file in (_PROGRAM, _PAGES)]
    statuses = path_statuses(host, paths, follow=False)
    files = {path for path in paths if statuses.get(path, NOT_ASKED).type == "file"}
    upload_folders = (
        folder
        for folder in folders
        if {f"{root}{folder}/{_PROGRAM}", f"{root}{folder}/{_PAGES}"} <= files
    )
    return next(upload_folders, "")


def _status(host: Host, container: Container, path: str) -> PathStatus:
    """The stat of a path of a container; links are not followed."""
    whole = f"/proc/{container.state.pid}/root{path}"
    return path_status(host, whole, follow=False)


def _leads_to_nothing(host: Host, container: Container, link: str, itself: PathStatus) -> bool:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(link), itself.link or ""))
    return bool(itself.link) and _status(host, container, target).failed == "missing"


def _uploads(host: Host, container: Container, folder: str) -> list[str]:
    """The entries of the folder with uploads; hidden ones are those of the sources."""
    root = f"/proc/{container.state.pid}/root"
    question = ListFolder(posixpath.join(folder, _UPLOADS), limit=50, root=root)
    names = host.answer_or(question, FolderListing()).names
    return [name for name in names if not name.startswith(".")]
