"""Folders that a worker has to itself, and that the program of its image keeps in a volume.

The worker makes thumbnails or reports below /app/media, and the web server that shows them has a
volume there. Both write and read, and each sees its own files alone.
"""

import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.settings.worker_settings import pairs_of_one_image
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import NOT_ASKED, ListFolder, StatPaths
from diagnose.registry import evidence

MOST = 20
"""Workers whose folders are listed."""
_MOST_FOLDERS = 12
_DEEPEST = 3
_FOR_ITSELF = LazyPattern(
    r"(?i)(?:^|/)(?:\.[^/]+|__pycache__|.{0,40}cache.{0,40}|celerybeat-schedule.{0,20}|logs?|node_modules"
    r"|.{0,20}metrics|.{0,20}multiproc.{0,20}|run|sessions?|te?mp|venv)(?:/|$)"
    r"|\.(?:lock|log|pid|pyc|sock|tmp)$"
)
"""Folders and files that each program has for itself."""


class WorkerFolder(msgspec.Struct, frozen=True):
    """A folder of a worker with files that the program of its image does not see."""

    worker: Container
    program: Container
    mount: Mount
    """The volume or the folder of the host that the program has there."""
    file: str
    """One of the worker's files, as the worker calls it."""
    is_anonymous: bool
    """Whether the worker has a volume of its own there, which the engine has named."""


class WorkerFolders(Items[WorkerFolder], frozen=True):
    """At most one for each worker."""


@evidence
def worker_folders(host: Host, containers: Containers) -> WorkerFolders:
    """Folders are listed only of a worker that lacks a mount which its program has."""
    wanted: dict[str, tuple[Container, list[tuple[Container, Mount]]]] = {}
    for worker, programs in pairs_of_one_image(host, containers):
        lacking = [(other, mount) for other in programs for mount in _lacking(worker, other)]
        has_twin = any(not list(_lacking(worker, other)) for other in programs)
        if lacking and not has_twin:
            wanted[worker.id] = (worker, lacking)
    found = []
    for worker, lacking in host.first(list(wanted.values()), MOST, "workers without a mount"):
        folder = next(_folders_of_its_own(host, worker, lacking), None)
        if folder is not None:
            found.append(folder)
    return WorkerFolders(tuple(found))


def _lacking(worker: Container, program: Container) -> Iterator[Mount]:
    """The mounts for data that a program has, and its worker has not."""
    homes = [container.config.working_dir.rstrip("/") for container in (worker, program)]
    for mount in program.mounts:
        holds_code = any(home and is_within(home, mount.destination) for home in homes)
        if _is_for_data(mount) and not holds_code and not _has_part_of(worker, mount):
            yield mount


def _is_for_data(mount: Mount) -> bool:
    is_chosen = mount.rw and mount.has_host_path and not mount.is_anonymous
    return is_chosen and not _FOR_ITSELF.search(mount.destination)


def _has_part_of(worker: Container, mount: Mount) -> bool:
    """Whether a worker has something mounted there, around it or in it, by its own choice."""
    own = innermost_mount(worker.mounts, mount.destination)
    is_chosen = own is not None and not own.is_anonymous
    return is_chosen or any(mount.holds(other.destination) for other in worker.mounts)


def _folders_of_its_own(
    host: Host, worker: Container, lacking: list[tuple[Container, Mount]]
) -> Iterator[WorkerFolder]:
    """The folders in which a worker has written a file since it was made."""
    for program, mount in lacking:
        file = _written_file(host, worker, mount.destination)
        if file:
            is_anonymous = innermost_mount(worker.mounts, mount.destination) is not None
            yield WorkerFolder(worker, program, mount, file, is_anonymous)


def _written_file(host: Host, worker: Container, top: str) -> str:
    """A file below a folder that is younger than the container; "" for none."""
    root = f"/proc/{worker.state.pid}/root"
    made = worker.created_at
    waiting = [(top.rstrip("/"), 0)]
    for folder, depth in waiting:
        listing = host.ask(ListFolder(folder, limit=200, root=root))
        if isinstance(listing, Failed) or made is None:
            continue
        entries = [entry for entry in listing.entries if not _FOR_ITSELF.search(f"/{entry.name}")]
        files = [posixpath.join(folder, entry.name) for entry in entries if entry.type == "file"]
        paths = {f"{root}{file}": file for file in files}
        statuses = host.answer_or(StatPaths([*paths], follow=False), {}) if paths else {}
        for path, file in paths.items():
            status = statuses.get(path, NOT_ASKED)
            if status.size and (status.mtime or 0.0) > made:
                return file
        if depth < _DEEPEST:
            below = [
                posixpath.join(folder, entry.name) for entry in entries if entry.type == "folder"
            ]
            waiting += [(path, depth + 1) for path in below][: _MOST_FOLDERS - len(waiting)]
    return ""
