"""Log files that programs inside containers write themselves, by their names."""

# A host has thousands of descriptors and folders, and pathlib triples the cost of each.
# ruff: noqa: PTH116, PTH208

import itertools
import os
import re
import stat
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from diagnose.live import Live
from diagnose.live.disk.written_status import printable
from diagnose.live.kernel.mountinfo import MountEntry, by_point, holding, mounts, parse
from diagnose.live.kernel.open_files import is_for_writing
from diagnose.live.kernel.proc_files import hides_files, read, target_of, text_of
from diagnose.model import Json
from diagnose.questions.log_files import FindLogFiles

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
SHARE = 0.7
"""Of the question's deadline: what is not looked at by then is unread."""
MOST_FOLDERS = 48
"""Folders that are listed below one."""
MOST_ENTRIES = 1000
"""Entries of one folder that are looked at."""
DEEPEST = 6
"""`/var/www/html/storage/logs`, and one folder for each site below it."""
_IS_LOG = re.compile(
    r"(?:\.log|\.err|\.out|[_-]log|(?<![a-z])errors?(?:\.txt|\.out)?)$"
    r"|/logs?/(?:[^/]+/){0,3}(?:current|[^/]+\.txt)$"
    r"|/var/log/(?:syslog|messages|mail|maillog)$",
    re.IGNORECASE,
)
"""The path of a log by its end or its folder: app.log, nginx/error, /log/x/current,
/var/log/syslog."""
_IS_OTHER = re.compile(r"access|\.(?:gz|xz|zst|bz2)$|/\d+\.log$|/slow[^/]*$", re.IGNORECASE)
"""Requests, what was packed, and the numbered files of databases and brokers."""
_SIGNS = ("log", "err", ".out", "mail", "messages")
"""One of these is in the path of each log, in small letters: to look for them takes a tenth."""
_SKIPPED = re.compile(
    r"bin|boot|cache|dev|lib|lib64|node_modules|proc|run|sbin|sys|tmp|uploads|vendor"
)
"""Folders in which no program keeps its log."""
_LIKE_LOGS = re.compile(r"log|storage|^var$|^data$", re.IGNORECASE)
"""Folders that are looked at first."""


_ROOT = re.compile(r"/proc/\d{1,9}/root")
_UPPER = "upperdir="
_NOWHERE = "/proc/0"
"""No folder, for a root that has no writable layer of its own."""


def log_files(live: Live, question: FindLogFiles) -> Json:
    """Log files of containers that were written to lately.

    Files on a file system that may hang are left out, open ones and those below folders, and are
    not named as unread: no run looks at them, and what they hold is a hint beside other evidence.
    """
    until = time.monotonic() + SHARE * live.deadline(question)
    since = time.time() - question.within_s
    logs: dict[str, list[Json]] = {"open": [], "written": [], "unseen": [], "unread": []}
    for pid in question.pids:
        try:
            logs["open"] += _open_by(pid, since)
        except OSError as error:
            if hides_files(pid, error):
                logs["unseen"].append(pid)
    points = by_point(mounts())
    for folder in question.folders:
        try:
            top = _layer_of(folder) or folder
            mount = holding(top, points)
            if mount is not None and mount.may_hang:
                continue
            if mount is None or time.monotonic() > until:
                logs["unread"].append(folder)
                continue
            for row in _written_below(top, since):
                logs["written"].append({"folder": folder, **row})
        except PermissionError:
            logs["unread"].append(folder)
        except OSError:
            continue  # it has gone, or is a file
    return dict(logs)


def _layer_of(folder: str) -> str:
    """The writable layer of a process's root (`/proc/PID/root`), as overlayfs was given it.

    Where containerd keeps the layers, the engine does not name them. "" for any other folder.
    """
    if not _ROOT.fullmatch(folder):
        return ""
    table = parse(read(f"{folder.removesuffix('/root')}/mountinfo").decode("utf-8", "replace"))
    root = by_point(table).get("/")
    options = root.super if root is not None and root.fstype == "overlay" else ()
    layers = (option.removeprefix(_UPPER) for option in options if option.startswith(_UPPER))
    return next(layers, _NOWHERE)


def _open_by(pid: int, since: float) -> Iterator[Json]:
    """The log files that one process has open for writing."""
    points: Mapping[str, MountEntry] | None = None
    known_paths: set[str] = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        link = f"/proc/{pid}/fd/{number}"
        path = target_of(link) or ""
        if not _is_log(path) or path in known_paths or not is_for_writing(link):
            continue
        known_paths.add(path)
        if points is None:
            points = by_point(parse(text_of(f"/proc/{pid}/mountinfo") or ""))
        mount = holding(path, points)
        if mount is None or mount.may_hang:
            continue
        try:
            status = os.stat(link)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_mtime >= since:
            yield {"pid": pid, "path": path, "mtime": status.st_mtime, "uid": status.st_uid}


class _OpenFolder(NamedTuple):
    """A folder that is yet to be looked into."""

    descriptor: int
    below: str
    """Its path below the first one."""
    depth: int


def _written_below(folder: str, since: float) -> Iterator[dict[str, Json]]:
    """The log files below a folder, whose links are followed nowhere.

    OSError where the folder itself cannot be listed.
    """
    top = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)  # a user may mount a folder by a link to it
    waiting = deque([_OpenFolder(top, below="", depth=0)])
    try:
        for _ in range(MOST_FOLDERS):
            if not waiting:
                return
            descriptor, below, depth = waiting.popleft()
            try:
                entries = _entries(descriptor, f"{folder}{below}")
                for name, status in entries.logs.items():
                    if status.st_mtime >= since:
                        yield _written_row(f"{below}/{name}", status)
                names = entries.folders if depth < DEEPEST else ()
                for name in names:
                    most = MOST_FOLDERS * (2 if _LIKE_LOGS.search(name) else 1)
                    has_room = len(waiting) < most
                    opened = _opened_folder(descriptor, name) if has_room else None
                    if opened is not None:
                        inner_folder = _OpenFolder(opened, f"{below}/{name}", depth + 1)
                        _queue_folder(waiting, inner_folder, name)
            finally:
                os.close(descriptor)
    finally:
        for folder_left in waiting:
            os.close(folder_left.descriptor)


class _Entries(msgspec.Struct, frozen=True):
    """The subfolders and log files of a folder, by their names."""

    folders: Sequence[str]
    """Those for logs first."""
    logs: Mapping[str, os.stat_result]


def _entries(descriptor: int, path: str) -> _Entries:
    """The folders and the log files in a folder; folders that are called like logs come first."""
    folders: list[str] = []
    logs: dict[str, os.stat_result] = {}
    with os.scandir(descriptor) as listing:
        for entry in itertools.islice(listing, MOST_ENTRIES):
            name = printable(entry.name)
            if entry.is_dir(follow_symlinks=False):
                if not _SKIPPED.fullmatch(name):
                    folders.append(name)
            elif _is_log(f"{path}/{name}") and entry.is_file(follow_symlinks=False):
                logs[name] = entry.stat(follow_symlinks=False)
    folders.sort(key=lambda name: _LIKE_LOGS.search(name) is None)
    return _Entries(folders, logs)


def _written_row(path: str, status: os.stat_result) -> dict[str, Json]:
    return {"below": path, "mtime": status.st_mtime, "uid": status.st_uid}


def _opened_folder(above: int, name: str) -> int | None:
    """A folder in an open one, opened; None where it has gone, or may not be listed."""
    try:
        return os.open(name, _FOLDER, dir_fd=above)
    except OSError:
        return None


def _queue_folder(waiting: deque[_OpenFolder], folder: _OpenFolder, name: str) -> None:
    """Add a folder; those for logs are looked into first."""
    if _LIKE_LOGS.search(name):
        waiting.appendleft(folder)
    else:
        waiting.append(folder)


def _is_log(path: str) -> bool:
    """Whether an absolute path has the name of a log of errors."""
    small = path.lower()
    for sign in _SIGNS:
        if sign in small:
            break
    else:
        return False
    name = path[path.rfind("/") :]
    return path.startswith("/") and bool(_IS_LOG.search(path)) and not _IS_OTHER.search(name)
