"""Folders that a worker has to itself, and that the program of its image keeps in a volume.

The worker makes thumbnails or reports below /app/media, and the web server that shows them has a
volume there. Both write and read, and each sees its own files alone.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.folder_visits import VisitLimits, visited_folders
from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.programs_of_workers import ProgramsOfWorkers
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import known
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, PathStatus
from diagnose.registry import evidence

MOST = 20
"""Workers whose folders are listed."""

_VISITS = VisitLimits(entries=200, folders=12, depth=3)
_FOR_ITSELF = LazyPattern(
    r"(?i)(?:^|/)(?:\.[^/]+|__pycache__|.{0,40}cache.{0,40}|celerybeat-schedule.{0,20}|logs?|node_modules"
    r"|.{0,20}(?:alive|health|heartbeat|liveness|ready).{0,20}"
    r"|.{0,20}metrics|.{0,20}multiproc.{0,20}|run|sessions?|te?mp|venv)(?:/|$)"
    r"|\.(?:jsonl|lock|log|pid|pyc|sock|tmp)$|\.log[.-][^/]{1,20}$"
)
"""Folders and files that each program has for itself."""
_FOR_PEOPLE = LazyPattern(
    r"(?i)\.(?:avif|csv|docx?|epub|gif|jpe?g|m4a|mkv|mov|mp[34]|odt|ogg|pdf|png|pptx?|svg|wav|webm|webp|xlsx?|zip)$"
)
"""Pictures, reports and the like, which somebody wants to see."""
_DATABASE = LazyPattern(r"(?i)\.(?:db|sqlite3?)$")
"""Two files of one name that are two databases."""


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

    @property
    def is_guess(self) -> bool:
        """Whether the file may be one that the worker alone needs."""
        return not (_FOR_PEOPLE.search(self.file) or _DATABASE.search(self.file))


class WorkerFolders(Items[WorkerFolder], frozen=True):
    """At most one for each worker."""


@evidence
def worker_folders(host: Host, programs_of_workers: ProgramsOfWorkers) -> WorkerFolders:
    """Folders are listed only of a worker that lacks a mount which its program has."""
    mounts_by_question: dict[str, tuple[Container, list[tuple[Container, Mount]]]] = {}
    for pair in programs_of_workers:
        worker = pair.worker
        programs = pair.programs
        lacking = [(other, mount) for other in programs for mount in _lacking_mounts(worker, other)]
        has_twin = any(not list(_lacking_mounts(worker, other)) for other in programs)
        if lacking and not has_twin:
            mounts_by_question[worker.id] = (worker, lacking)
    candidates = list(mounts_by_question.values())
    folders = (
        next(_folders_of_its_own(host, worker, lacking), None)
        for worker, lacking in host.first(candidates, MOST, "workers without a mount")
    )
    return WorkerFolders(known(folders))


def _lacking_mounts(worker: Container, program: Container) -> Iterator[Mount]:
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
    mount_of_worker = innermost_mount(worker.mounts, mount.destination)
    is_chosen = mount_of_worker is not None and not mount_of_worker.is_anonymous
    in_memory = worker.host_config.tmpfs or ()
    return (
        is_chosen
        or any(mount.holds(other.destination) for other in worker.mounts)
        or any(mount.holds(path) or is_within(mount.destination, path) for path in in_memory)
    )


def _folders_of_its_own(
    host: Host, worker: Container, lacking: list[tuple[Container, Mount]]
) -> Iterator[WorkerFolder]:
    """The folders in which a worker has written a file since it was made."""
    for program, mount in lacking:
        file = _file_of_its_own(host, worker, program, mount.destination)
        if file:
            is_anonymous = innermost_mount(worker.mounts, mount.destination) is not None
            yield WorkerFolder(worker, program, mount, file, is_anonymous)


def _file_of_its_own(host: Host, worker: Container, program: Container, top: str) -> str:
    """The first file of a worker that its program does not have; "" for none.

    A start script of the image makes the same files in both: pages that are collected, defaults of
    settings, models that are fetched.
    """
    for files in _written_files(host, worker, top):
        statuses = _statuses(host, program, files)
        for file in files:
            is_in_both = statuses.get(file, NOT_ASKED).type == "file"
            if not is_in_both or _DATABASE.search(file):
                return file
    return ""


def _statuses(host: Host, container: Container, files: list[str]) -> dict[str, PathStatus]:
    """The status of each file of a container."""
    root = f"/proc/{container.state.pid}/root"
    statuses = path_statuses(host, [f"{root}{file}" for file in files], follow=False)
    return {path.removeprefix(root): status for path, status in statuses.items()}


def _written_files(host: Host, worker: Container, top: str) -> Iterator[list[str]]:
    """The files below a folder that are younger than the container, folder by folder."""
    created_at = worker.created_at
    if created_at is None:
        return
    root = f"/proc/{worker.state.pid}/root"
    for folder in visited_folders(host, root, [top.rstrip("/")], _VISITS, _is_shared):
        names = [entry.name for entry in folder.entries if entry.type == "file"]
        files = [f"{folder.path}/{name}" for name in names if _is_shared(name)]
        statuses = _statuses(host, worker, files) if files else {}
        written = [file for file, status in statuses.items() if _is_younger(status, created_at)]
        if written:
            yield written


def _is_shared(name: str) -> bool:
    """Whether an entry of a folder is for others too, and not for the program that made it."""
    return not _FOR_ITSELF.search(f"/{name}")


def _is_younger(status: PathStatus, since: float) -> bool:
    """Whether a file has some content, and was written after this time."""
    return bool(status.size) and (status.mtime or 0.0) > since
