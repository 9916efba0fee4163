"""Log files that programs of running containers have written to lately."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.own_files.log_folder import RECENT_S
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import HOST, NOT_IN_BUNDLE, Failed, Unexamined
from diagnose.phrases import count
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.log_files import FindLogFiles, LogFileList, WrittenLog
from diagnose.registry import evidence

BYTES = 32 * 1024
"""The end of each file."""
MOST_PIDS = 24
"""Processes of one container that are looked at: workers have the same files open."""
_OF_HOST = LazyPattern(
    r"^/(?:[^/]*$|(?:bin|boot|dev|etc|lib|proc|run|sbin|sys|usr|var/log)(?:/|$))"
)
"""Folders in which programs of the host write too, or none does."""

_WHAT = "log files that programs inside containers write themselves"


class OwnLogFile(msgspec.Struct, frozen=True):
    """A file that a program of a running container has written to lately."""

    container: Container
    path: str
    """The path in the container."""
    root: str
    """The folder that no link may leave: the container's root in /proc, or a folder of the host."""
    below: str
    """The path below the root."""
    written: float
    """Unix time of the last writing."""

    @property
    def end(self) -> ReadFile:
        """The question for its last lines."""
        return ReadFile(self.below, max_bytes=BYTES, tail=True, follow=False, root=self.root)


class OwnLogFiles(Items[OwnLogFile], frozen=True):
    """The log files of programs; those that were written to last come first."""

    unexamined: tuple[Unexamined, ...] = ()
    """The reasons why there may be more files."""


class LogPlace(msgspec.Struct, frozen=True):
    """A folder of the host that is a mount of a container, or its writable layer."""

    path: str
    folder_inside: str
    """The folder in the container, "" for its root."""
    container: Container

    def file(self, log: WrittenLog) -> OwnLogFile:
        """A log file in it, as the container's own."""
        return OwnLogFile(
            self.container, f"{self.folder_inside}{log.below}", self.path, log.below, log.mtime
        )


@evidence
def own_log_files(host: Host, containers: Containers, processes: Processes | None) -> OwnLogFiles:
    """The log files that the programs of running containers write themselves.

    One question for all containers finds files that their processes have open, in their writable
    layers and in the mounts that they may write. An older recording does not hold the answer:
    nothing is said then.
    """
    running = containers.running
    if not running:
        return OwnLogFiles()
    pids = {} if processes is None else _processes_to_read(running, processes)
    folders = by_key(
        (folder.path, folder) for container in running for folder in folders_of(container)
    )
    answer = host.ask(FindLogFiles(sorted(pids), sorted(folders), RECENT_S))
    if isinstance(answer, Failed):
        is_older = answer.reason in NOT_IN_BUNDLE
        return OwnLogFiles((), () if is_older else (Unexamined(HOST, f"{_WHAT}: {answer}"),))
    by_place: dict[str, OwnLogFile] = {}
    for file in (*_written_files(answer, folders, processes), *_open_files(answer, pids)):
        by_place[_path_on_host(file.container, file.path)] = file
    files = sorted(by_place.values(), key=lambda file: (-file.written, file.path))
    return OwnLogFiles(tuple(files), tuple(_unexamined_containers(answer, pids, processes)))


def _processes_to_read(
    containers: Iterable[Container], processes: Processes
) -> dict[int, Container]:
    """The processes whose open files are read, with their containers."""
    return {
        process.pid: container
        for container in containers
        for process in processes.inside(container.id)[:MOST_PIDS]
    }


def folders_of(container: Container) -> Iterator[LogPlace]:
    """The folders in which a container's programs may write log files, running or not."""
    pid = container.state.pid
    layer = container.layer_folder or (f"/proc/{pid}/root" if pid else "")
    if layer:
        yield LogPlace(layer, "", container)
    for mount in container.mounts:
        if mount.rw and mount.has_host_path and not _OF_HOST.search(mount.source):
            yield LogPlace(mount.source.rstrip("/"), mount.destination.rstrip("/"), container)


def _open_files(answer: LogFileList, pids: Mapping[int, Container]) -> Iterator[OwnLogFile]:
    for open_file in answer.open:
        if open_file.pid in pids:
            yield OwnLogFile(
                pids[open_file.pid],
                path=open_file.path,
                root=f"/proc/{open_file.pid}/root",
                below=open_file.path,
                written=open_file.mtime,
            )


def _written_files(
    answer: LogFileList, folders: Mapping[str, list[LogPlace]], processes: Processes | None
) -> Iterator[OwnLogFile]:
    for written in answer.written:
        if written.folder in folders:
            yield _writer(folders[written.folder], written.uid, processes).file(written)


def _writer(sharing: list[LogPlace], uid: int, processes: Processes | None) -> LogPlace:
    """Of the containers that have a folder, the one with a process of the file's owner."""
    if processes is None:
        return sharing[0]
    for folder in sharing:
        if uid in {process.uid for process in processes.inside(folder.container.id)}:
            return folder
    return sharing[0]


def _path_on_host(container: Container, path: str) -> str:
    """A path that is the same for all containers that share the file."""
    mount = innermost_mount(container.mounts, path)
    if mount is not None and mount.has_host_path:
        return mount.on_host(path)
    return f"{container.id}{path}"


def _unexamined_containers(
    answer: LogFileList, pids: Mapping[int, Container], processes: Processes | None
) -> Iterator[Unexamined]:
    """Containers and folders that were not searched for log files, and the reason."""
    unseen = {pids[pid].id for pid in answer.unseen if pid in pids}
    if processes is None:
        yield Unexamined(HOST, f"{_WHAT}: the processes are not known")
    elif unseen or answer.unread:
        whose = count(len(unseen), "container") if unseen else count(len(answer.unread), "folder")
        why = "only root may see them" if unseen else "no right or no time"
        yield Unexamined(HOST, f"{_WHAT}, of {whose}: {why}")
