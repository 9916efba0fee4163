"""Files in the data of failed containers that confirm what their logs say.

The version of a database, a pid file left behind.
"""

import itertools

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.linked_files import linked_paths, steps_below
from diagnose.evidence.machine.clock import Clock
from diagnose.file_paths import is_within
from diagnose.mappings import distinct
from diagnose.model import Failed
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.files import FileText, ReadFile
from diagnose.registry import evidence

VERSION_CHECK = "container.data-version-mismatch"
PID_FILE_CHECK = "container.pid-file-stale"
_FOLDERS = ("", "/data", "/pgdata", "/18/docker")
"""Places of a data directory below its mount."""

LOOPING = 3
SHORT_S = 5.0
"""A container that was restarted so often, and has run for less than so many seconds, is taken to
be in a loop."""

_OF_HOST = ("/run/", "/var/run/", "/tmp/")  # noqa: S108 - folders of the host
"""Folders of the sockets of host programs."""


class DataVersion(msgspec.Struct, frozen=True):
    """The version that a database wrote into its data directory."""

    version: str
    path: str
    """The file, on the host."""
    mount: Mount


class MountedPidFile(msgspec.Struct, frozen=True):
    """A pid file that is still there."""

    path: str
    source: str
    """Its path on the host where it is on a mount, "" in the container's writable layer."""
    is_socket: bool = False


class DataFiles(msgspec.Struct, frozen=True):
    """The files of data, by container id."""

    versions: dict[str, DataVersion]
    pid_files: dict[str, MountedPidFile]


@evidence
def data_files(host: Host, containers: Containers, log_tails: LogTails, clock: Clock) -> DataFiles:
    """The data files to which logs lead. An unreadable file confirms nothing."""
    versions: dict[str, DataVersion] = {}
    pid_files: dict[str, MountedPidFile] = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if failure is None:
            continue
        if failure.confirmed_by == VERSION_CHECK and failure.needs:
            version = _version(host, container, failure.needs[0])
            if version is not None:
                versions[container.id] = version
        elif failure.confirmed_by == PID_FILE_CHECK and _does_not_stay(container, clock):
            pid_file = _pid_file(host, container, failure)
            if pid_file is not None and not _is_shared(pid_file, container, containers):
                pid_files[container.id] = pid_file
    return DataFiles(versions, pid_files)


def _does_not_stay(container: Container, clock: Clock) -> bool:
    """Whether a container is down, or between two failures of a loop."""
    age = clock.age(container.started_at) or 0.0
    return not container.is_running or (container.restart_count >= LOOPING and age < SHORT_S)


def _version(host: Host, container: Container, name: str) -> DataVersion | None:
    for mount in container.mounts:
        inner_folders = _folders(container, mount) if mount.has_host_path else ()
        for folder in inner_folders:
            below = f"{folder}/{name}"
            # the container may have put a link to a file of the host in its place
            question = ReadFile(below, max_bytes=64, root=mount.source)
            version = host.answer_or(question, FileText("")).text.strip()
            if version:
                return DataVersion(version, f"{mount.source}{below}", mount)
    return None


def _folders(container: Container, mount: Mount) -> tuple[str, ...]:
    """Possible data directories below a mount.

    The folder in the command or PGDATA, else common places.
    """
    command = container.command
    folders = [
        following
        for word, following in itertools.pairwise(command)
        if word in ("-D", "--datadir", "--pgdata")
    ]
    if container.config.sets("PGDATA"):
        folders.append(container.config.value_of("PGDATA"))
    point = mount.destination.rstrip("/")
    inside = [path.removeprefix(point).rstrip("/") for path in folders if is_within(path, point)]
    return distinct(inside, _FOLDERS)


def _pid_file(host: Host, container: Container, failure: Recognised) -> MountedPidFile | None:
    """The file that the line names, or where the program is known to keep it."""
    path = failure.values.get("file", "")
    places = (path,) if path else failure.needs
    left_files = (_left_file(host, container, place) for place in places if place.startswith("/"))
    return next(filter(None, left_files), None)


def _is_shared(first: MountedPidFile, container: Container, containers: Containers) -> bool:
    """Whether a socket may be of a program that runs: one of the host, or of another container.

    A container that manages volumes has the folder of all volumes mounted.
    """
    mount = innermost_mount(container.mounts, first.path) if first.is_socket else None
    if mount is None:
        return False
    if mount.type == "bind" and first.source.startswith(_OF_HOST):
        return True
    other_containers = (
        other for other in containers if other.is_running and other.id != container.id
    )
    return any(
        other_mount.rw
        and other_mount.type == mount.type
        and is_within(first.source, other_mount.source)
        for other in other_containers
        for other_mount in other.mounts
    )


def _left_file(host: Host, container: Container, path: str) -> MountedPidFile | None:
    """The pid file or socket that a former run left in a mount; None behind a link.

    Behind a link another file of the host would be removed.
    """
    answer = host.ask(ReadContainerFile(container.id, path, bytes=64))
    if isinstance(answer, Failed):
        return None
    mount = innermost_mount(container.mounts, path)
    source = mount.on_host(path) if mount is not None else ""
    steps = {source: steps_below(mount, path)} if mount is not None else {}
    if linked_paths(host, steps):
        return None
    return MountedPidFile(path, source, is_socket=answer.type == "socket")
