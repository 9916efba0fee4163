"""What proxies write of their upstreams into files of their own, instead of the container's log.

Nginx Proxy Manager keeps an error log for each site below /data/logs, SWAG one in
/config/log/nginx: `docker logs` shows nothing of the 502s that their clients get.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.log_folder import RECENT_S, LogFolder
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import FileText, FolderListing, ReadFile, StatPaths
from diagnose.registry import evidence

NGINX = frozenset({"nginx", "openresty"})
"""The programs whose files are looked for, by their processes' names."""
_FOLDERS = ("", "/logs", "/log", "/log/nginx", "/nginx/logs")
"""Where below a mount such files lie."""
_IN_LOGS = LazyPattern(r"/logs?(?:/|$)")
_ERROR_LOG = LazyPattern(r"error\.log$")
_LINE = LazyPattern(
    r"^(?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?:error|crit|alert|emerg)\] .*\bupstream\b"
)
"""A line about a server behind the proxy; what scanners ask for is in the same file."""
_STAMPED = LazyPattern(r"(?P<stamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[")
MOST_FILES = 6
"""Files of one container that are read, those that were written to last."""


class RecentLine(msgspec.Struct, frozen=True):
    """One line of a log, and its Unix time."""

    at: float
    text: str


class OwnLogs(msgspec.Struct, frozen=True):
    """Lines about upstreams by container id, oldest first."""

    by_id: dict[str, tuple[RecentLine, ...]] = {}


@evidence
def own_logs(host: Host, containers: Containers, processes: Processes, clock: Clock) -> OwnLogs:
    """Nothing is asked where no container runs such a server, or none has a folder of the host."""
    folders = {
        container.id: list(_log_folders(container))
        for container in containers.running
        if any(process.comm in NGINX for process in processes.inside(container.id))
    }
    every = sorted(set(chain.from_iterable(folders.values())))
    if not every:
        return OwnLogs()
    listings = host.answers_about(every, lambda folder: folder.listing)
    files = {id: list(_error_logs(own, listings)) for id, own in folders.items()}
    written = _written(host, {file.path for file in chain.from_iterable(files.values())}, clock)
    by_id = {id: tuple(_of_files(host, own, written)) for id, own in files.items()}
    return OwnLogs({id: lines for id, lines in by_id.items() if lines})


class _File(msgspec.Struct, frozen=True):
    """An error log."""

    folder: LogFolder
    name: str

    @property
    def path(self) -> str:
        return f"{self.folder.path}/{self.name}"

    @property
    def question(self) -> ReadFile:
        return self.folder.end_of(self.name)


def _log_folders(container: Container) -> Iterator[LogFolder]:
    for mount in container.mounts:
        if mount.rw and mount.has_host_path:
            is_for_logs = _IN_LOGS.search(mount.destination) is not None
            places = _FOLDERS[:1] if is_for_logs else _FOLDERS[1:]
            yield from (LogFolder(mount.source.rstrip("/"), place) for place in places)


def _error_logs(
    folders: Iterable[LogFolder], listings: Mapping[LogFolder, FolderListing]
) -> Iterator[_File]:
    """The error logs in those of the folders that could be listed."""
    for folder in folders:
        listing = listings.get(folder)
        for name in listing.names if listing is not None else ():
            if _ERROR_LOG.search(name):
                yield _File(folder, name)


def _written(host: Host, paths: Collection[str], clock: Clock) -> dict[str, float]:
    """The files that were written to recently, and when."""
    if not paths:
        return {}
    answer = host.ask(StatPaths(sorted(paths), follow=False))
    if isinstance(answer, Failed):
        return {}
    return {
        path: status.mtime
        for path, status in answer.items()
        if status.type == "file"
        and status.mtime is not None
        and clock.is_within(status.mtime, RECENT_S)
    }


def _of_files(host: Host, files: Iterable[_File], written: Mapping[str, float]) -> list[RecentLine]:
    """The lines of the files that were written to last, in the order of their times."""
    recent = {file for file in files if file.path in written}
    latest = sorted(recent, key=lambda file: (-written[file.path], file.path))[:MOST_FILES]
    texts = host.answers_about(latest, lambda file: file.question)
    lines = [
        line for file in latest if file in texts for line in _lines(texts[file], written[file.path])
    ]
    return sorted(lines, key=lambda line: (line.at, line.text))


def _lines(file: FileText, written: float) -> Iterator[RecentLine]:
    """The lines about upstreams. The stamps are of the container's zone: the last of all is now."""
    stamps = [match["stamp"] for line in file.text.splitlines() if (match := _STAMPED.match(line))]
    last = _seconds(stamps[-1]) if stamps else 0.0
    for line in file.text.splitlines():
        match = _LINE.search(line)
        if match is not None:
            yield RecentLine(written - (last - _seconds(match["stamp"])), line)


def _seconds(stamp: str) -> float:
    return unix(stamp.replace("/", "-")) or 0.0
