"""Files and folders of the host that a program refuses because of their owner or mode."""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.file_access import host_user
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.mounts.linked_files import linked_paths, steps_below
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.model import Failed, Unavailable
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, PathStatus, StatPaths
from diagnose.registry import evidence

CHECK = "container.file-mode-refused"
OWNER = "owner"
"""The requirement in a row of the table of failures where the owner is at fault and not the mode.
"""
ACME = "acme.json"
"""Traefik's file of certificates. Traefik runs on without its certificates where others may read it
(acme/local_store_unix.go)."""
_STRICTEST = 0o600
_CRON = frozenset({"cron", "crond"})
"""Processes that run jobs at set times."""
_CRONTABS = ("/etc/cron.d/", "/etc/crontabs/")
"""Folders whose files cron reads only for root; cron silently leaves out files of other owners
(load_database of Debian's cron, load_crontab of busybox)."""
_CRONTAB = frozenset({"/etc/crontab", "/var/spool/cron/crontabs/root", "/var/spool/cron/root"})


class RefusedFile(msgspec.Struct, frozen=True):
    """A file or folder that a program refuses."""

    container: Container
    path_inside: str
    """The file's path in the container."""
    path: str
    """The file's path on the host."""
    source: PathStatus = PathStatus()
    """The file's owner and mode on the host."""
    mode: int = 0
    """The widest mode that the program accepts, 0 where its owner is at fault."""
    owner: str = ""
    """The container's user by its numbers on the host, as `chown` takes them."""
    line: str = ""
    """The log line, "" where the file's name is evidence enough."""

    @property
    def is_folder_for_a_file(self) -> bool:
        """Whether a folder, which nobody may execute, is in the place of a file."""
        return self.source.type == "folder" and bool(self.mode) and not self.mode & 0o111


class RefusedFiles(Items[RefusedFile], frozen=True):
    """The refused files whose owner or mode on the host is still the refused one."""


@evidence
def refused_files(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    info: Info | None,
    numbers: UserNumbers | None,
    processes: Processes | None,
) -> RefusedFiles | Unavailable:
    """Files that logs complain about, and mounted files that are known to be checked.

    Two questions about the paths of all, and one for each mounted folder of crontabs. A file that a
    link below the mount leads to is left out: it is another one on the host.
    """
    suspects = [
        *_files_in_logs(containers, log_tails, info, numbers),
        *_files_with_known_names(containers),
    ]
    if processes is not None:
        suspects += _crontabs(host, containers, processes, info, numbers)
    if not suspects:
        return RefusedFiles(())
    behind_links = linked_paths(host, {suspect.path: _steps(suspect) for suspect in suspects})
    suspects = [suspect for suspect in suspects if suspect.path not in behind_links]
    answer = host.require(StatPaths(sorted({suspect.path for suspect in suspects})))
    refused = []
    for suspect in suspects:
        status = answer.get(suspect.path)
        if status is None or status.failed:
            continue
        if _is_refused(suspect, status):
            refused.append(msgspec.structs.replace(suspect, source=status))
    return RefusedFiles(tuple(refused))


def _files_in_logs(
    containers: Containers, log_tails: LogTails, info: Info | None, numbers: UserNumbers | None
) -> list[RefusedFile]:
    """The files that failed programs refuse by their own lines, with the demanded mode or owner."""
    suspects = []
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if failure is None or failure.confirmed_by != CHECK:
            continue
        need = failure.needs[0]
        owner = _owner(container, info, numbers)
        mode = 0 if need == OWNER else int(need, 8)
        suspects += [
            RefusedFile(
                container,
                place.path_inside,
                place.on_host,
                mode=mode,
                owner=owner,
                line=failure.line,
            )
            for place in _places(container, failure)
        ]
    return suspects


def _steps(suspect: RefusedFile) -> tuple[str, ...]:
    """The paths from below its mount down to it."""
    mount = innermost_mount(suspect.container.mounts, suspect.path_inside)
    return steps_below(mount, suspect.path_inside) if mount is not None else ()


def _owner(container: Container, info: Info | None, numbers: UserNumbers | None) -> str:
    """The container's user for chown; "" where it is not known by its number."""
    user = host_user(container, info, numbers)
    if user is not None:
        return user.owner
    is_root = container.config.starts_as_root
    return "0:0" if is_root else ""


class _Place(msgspec.Struct, frozen=True):
    """A file by both of its paths."""

    path_inside: str
    on_host: str


def _places(container: Container, failure: Recognised) -> list[_Place]:
    """The file that the line names by its path, or mounted files of that name."""
    place = named_path(container, failure.line)
    if place is not None and place.mount.has_host_path:
        return [_Place(place.path_inside, place.on_host[-1])]
    name = failure.values.get("file", "")
    mounts = _files_named(container, name) if name else []
    return [_Place(mount.destination, mount.source) for mount in mounts]


def _files_named(container: Container, name: str) -> list[Mount]:
    base = posixpath.basename(name)
    return [
        mount for mount in container.bind_mounts if posixpath.basename(mount.destination) == base
    ]


def _files_with_known_names(containers: Containers) -> list[RefusedFile]:
    """Traefik's file in running containers, whose log is not read."""
    return [
        RefusedFile(container, mount.destination, mount.source, mode=_STRICTEST)
        for container in containers.running
        for mount in _files_named(container, ACME)
    ]


def _crontabs(
    host: Host,
    containers: Containers,
    processes: Processes,
    info: Info | None,
    numbers: UserNumbers | None,
) -> list[RefusedFile]:
    """Mounted crontabs of running containers in which cron runs."""
    mounts = [
        (container, mount)
        for container in containers.running
        if processes.runs(container.id, _CRON)
        for mount in container.bind_mounts
    ]
    files = [
        RefusedFile(container, mount.destination, mount.source)
        for container, mount in mounts
        if mount.destination in _CRONTAB or mount.destination.startswith(_CRONTABS)
    ]
    folders = [
        (container, mount) for container, mount in mounts if f"{mount.destination}/" in _CRONTABS
    ]
    return [
        msgspec.structs.replace(suspect, owner=_owner(suspect.container, info, numbers))
        for suspect in (*files, *_files_in_folders(host, folders))
    ]


def _files_in_folders(
    host: Host, folders: Sequence[tuple[Container, Mount]]
) -> Iterator[RefusedFile]:
    """The files in mounted folders. All folders are asked for at once: one of them may hang."""
    for (container, mount), listing in host.ask_about(
        folders, lambda folder: ListFolder(folder[1].source)
    ):
        entries = () if isinstance(listing, Failed) else listing.entries
        for entry in entries:
            if entry.type == "file" and not entry.name.startswith("."):
                inside = f"{mount.destination}/{entry.name}"
                path = f"{mount.source}/{entry.name}"
                yield RefusedFile(container, inside, path)


def _is_refused(suspect: RefusedFile, source: PathStatus) -> bool:
    if suspect.mode:
        is_expected = bool(suspect.line) or source.type == "file"
        return is_expected and bool(source.mode & 0o777 & ~suspect.mode)
    return bool(suspect.owner) and str(source.uid) != suspect.owner.partition(":")[0]
