"""Mounted files of settings that were edited since the server in the container read them.

Only servers that are known to read their files at a start or a reload alone, and only where
neither their processes nor the engine's events nor their log show a reload since.
"""

import itertools
import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.events import RELOADS, Events
from diagnose.evidence.containers.inspect import Mount, host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.stale_mounts import StaleMounts
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.programs.start_settings import START_SETTINGS, StartSettings
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import FolderEntry, ListFolder, PathStatus
from diagnose.registry import evidence

MOST = 80
"""Files that are looked at of one container."""
_MOST_FOLDERS = 8
_LINES = 400
_SLACK_S = 5.0
_SEVERAL = 3
_AT_ONCE_S = 2.0
"""A checkout or a copy writes all files of a folder within so many seconds."""
_SET_UP_S = 10.0
"""Start scripts fill in templates within so many seconds of a container's start."""
_FOLDER = LazyPattern(r"^/(?:etc/\w|usr/local/etc(?:/|$)|usr/local/apache2/conf|mosquitto(?:/|$))")
"""The folders in which these servers have their files."""
_PATH = LazyPattern(
    r"(?:-{0,2}[\w.-]{1,60}=)?(?P<path>/[\w./-]{1,250}(?:\.(?:conf|cfg|cnf|ini|ya?ml|toml)|/Caddyfile))"
)
"""A word of a command that names a file of settings."""
_LOOKS_AGAIN = LazyPattern(r"(?i)watch|re-?load")
"""An option that has a program read its file again automatically."""
_RELOADED = LazyPattern(
    r"(?i)\bre-?load|\breconfigur|\bSIGHUP\b|\bre-?read|resuming normal operations"
    r"|\bload(?:ed|ing)(?: of)?(?: the| new)? conf|\bconfig\w*(?: file)? (?:was |has been )?(?:changed|loaded)"
    r"|\bload complete\b"
)
"""Lines of these programs when they read their files again."""
_RELOADS = LazyPattern(r"(?i)re-?load|graceful|reconfigure|\bHUP\b|USR2")
"""A command in the container that has it done."""


class EditedSettings(msgspec.Struct, frozen=True):
    """A file that is newer than the version that the server has read."""

    container: Container
    server: str
    """The name of the server's process: nginx."""
    path_inside: str
    """The path in the container."""
    path: str
    """On the host."""
    changed_at: float
    """Unix time."""
    loaded_at: float
    """When the server read its files the last time, as Unix time."""
    others: int = 0
    """How many more files of it were edited."""
    takes_signals: bool = False
    """Whether a signal to the container reaches the server."""
    is_rewritten: bool = False
    """Whether all files of it were written at once, as a checkout or a copy of a folder does."""


class AllEditedSettings(Items[EditedSettings], frozen=True):
    """The file of each container that was edited last."""


@evidence
def all_edited_settings(
    host: Host,
    containers: Containers,
    processes: Processes,
    clock: Clock,
    stale_mounts: StaleMounts | None,
    events: Events | None,
) -> AllEditedSettings:
    """The settings files that were edited since their server read them.

    Files are listed of containers with a known server; a log is read where one was edited.
    """
    stale = {(mount.container.id, mount.mount.destination) for mount in stale_mounts or ()}
    edits = []
    for container in containers.running:
        server = _server(container, processes, clock)
        if server is None or any(map(_LOOKS_AGAIN.search, container.config.words)):
            continue
        files = _edited_files(host, server)
        edited = [
            file for file in files.edited if (container.id, file.mount.destination) not in stale
        ]
        if not edited:
            continue
        newest = max(edited, key=lambda file: file.changed_at)
        if server.is_reloaded_visibly or not _was_reloaded(host, server, newest, events):
            settings = _settings(server, newest, len(edited) - 1)
            edits.append(msgspec.structs.replace(settings, is_rewritten=files.are_rewritten))
    return AllEditedSettings(tuple(edits))


class _Server(msgspec.Struct, frozen=True):
    """A server in a container that reads its files at a start or a reload alone."""

    container: Container
    settings: StartSettings
    processes: Sequence[Process]
    loaded_at: float

    @property
    def is_reloaded_visibly(self) -> bool:
        return self.settings.has_new_workers

    @property
    def name(self) -> str:
        return self.processes[0].comm


class _File(msgspec.Struct, frozen=True):
    """A file of settings in a container, that a mount shows."""

    path_inside: str
    mount: Mount
    changed_at: float = 0.0

    @property
    def path(self) -> str:
        return self.mount.on_host(self.path_inside)


def _server(container: Container, processes: Processes, clock: Clock) -> _Server | None:
    """The first such server of a container.

    One whose reload starts new processes has read its files when the youngest of them began.
    """
    for name, settings in START_SETTINGS.items():
        processes_of_server = [
            process for process in processes.inside(container.id) if process.comm == name
        ]
        if processes_of_server:
            starts = [process.start for process in processes_of_server]
            loaded = max(starts) if settings.has_new_workers else min(starts)
            return _Server(container, settings, processes_of_server, clock.booted + loaded)
    return None


class _EditedFiles(msgspec.Struct, frozen=True):
    """The mounted files of a server that were written since it has read them."""

    edited: Sequence[_File] = ()
    of: int = 0
    """How many files it has."""

    @property
    def are_rewritten(self) -> bool:
        """Whether all of several files were written at once."""
        times = [file.changed_at for file in self.edited]
        is_all = len(times) == self.of >= _SEVERAL
        return is_all and max(times) - min(times) <= _AT_ONCE_S


def _edited_files(host: Host, server: _Server) -> _EditedFiles:
    """The files that a server reads, as far as they lie in mounts."""
    files = {file.path: file for file in itertools.islice(_files(host, server), MOST)}
    if not files:
        return _EditedFiles()
    statuses = path_statuses(host, sorted(files), follow=True)
    started = server.container.started_at or 0.0
    read_until = max(server.loaded_at + _SLACK_S, started + _SET_UP_S)
    edited = []
    for path, file in files.items():
        status = statuses.get(path)
        if status is None or status.type != "file" or status.mtime is None:
            continue
        if status.mtime > read_until and not _is_written_inside(server, file.mount, status):
            edited.append(msgspec.structs.replace(file, changed_at=status.mtime))
    existing = [path for path in files if path in statuses and statuses[path].type == "file"]
    return _EditedFiles(edited, len(existing))


def _is_written_inside(server: _Server, mount: Mount, status: PathStatus) -> bool:
    """Whether the server may have written the file itself: Redis and Grafana can."""
    return (
        mount.rw
        and bool(status.uid)
        and status.uid in {process.uid for process in server.processes}
    )


def _files(host: Host, server: _Server) -> Iterator[_File]:
    """The files that its command names, and those that lie where it looks for them."""
    container = server.container
    place = server.settings.place
    for word in container.config.words:
        match = _PATH.fullmatch(word)
        mount = host_mount(container.mounts, match["path"]) if match is not None else None
        if match is not None and mount is not None:
            yield _File(posixpath.normpath(match["path"]), mount)
    for mount in container.mounts:
        if not mount.has_host_path:
            continue
        if place.search(mount.destination):
            yield _File(mount.destination, mount)
        elif _FOLDER.search(mount.destination):
            yield from (
                _File(inside, mount) for inside in _entries_in(host, mount) if place.search(inside)
            )


def _entries_in(host: Host, mount: Mount) -> Iterator[str]:
    """The entries of a mounted folder and of its folders, as the container calls them."""
    folder = mount.destination.rstrip("/")
    entries = _entries(host, mount, "/")
    yield from (f"{folder}/{entry.name}" for entry in entries)
    inner = [entry.name for entry in entries if entry.type == "folder"]
    for name in inner[:_MOST_FOLDERS]:
        listed = _entries(host, mount, f"/{name}")
        yield from (f"{folder}/{name}/{entry.name}" for entry in listed)


def _entries(host: Host, mount: Mount, path: str) -> Sequence[FolderEntry]:
    listing = host.ask(ListFolder(path, root=mount.source))
    return () if isinstance(listing, Failed) else listing.entries


def _was_reloaded(host: Host, server: _Server, file: _File, events: Events | None) -> bool:
    """Whether an event or a line of the log since the edit shows a reload, or may be lost."""
    container = server.container
    for event in events.of(container.id) if events is not None else ():
        if event.at < file.changed_at:
            continue
        is_signal = event.action == "kill" and event.attributes.get("signal") in RELOADS
        if is_signal or (event.action.startswith("exec_") and _RELOADS.search(event.detail)):
            return True
    log = host.ask(ReadLogs(container.id, _LINES))
    if isinstance(log, Failed):
        return True
    lines = [line for line in log.lines if line.at is not None]
    since = [line for line in lines if (line.at or 0.0) >= file.changed_at]
    is_cut = len(since) == len(lines) >= _LINES // 2
    return is_cut or any(_RELOADED.search(line.text) for line in since)


def _settings(server: _Server, file: _File, others: int) -> EditedSettings:
    first_pid = server.container.state.pid
    return EditedSettings(
        server.container,
        server.name,
        path_inside=file.path_inside,
        path=file.path,
        changed_at=file.changed_at,
        loaded_at=server.loaded_at,
        others=others,
        takes_signals=any(process.pid == first_pid for process in server.processes),
    )
