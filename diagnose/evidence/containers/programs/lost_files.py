"""Files of an image that a failing container no longer has as its image has them.

A container's writable layer says what was deleted or changed in it since it was created. A restart
keeps that layer, and a new container of the same image begins without it.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import msgspec

from diagnose.evidence.containers.health_check import HealthCheck
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.missing_files import ABSENCE, MADE_AT_RUN
from diagnose.evidence.containers.programs.missing_programs import own_program
from diagnose.evidence.containers.programs.program_files import path_folders
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import LayerChange, ListChanges
from diagnose.registry import evidence

MOST = 32
"""Containers whose layer is looked at: the engine walks through all of it for each."""
TOO_MANY = f"more than {MOST} containers miss a file"
"""The reason why the layer of a container is not looked at."""
_REFUSED = LazyPattern(
    r"permission denied|\bEACCES\b|exec format error|cannot execute|not executable"
    r"|is a directory|\bEISDIR\b",
    re.IGNORECASE,
)
"""Errors of programs about a file that exists and cannot be used."""
_NOT_IN_PATH = "executable file not found"
"""The runtime says this of a program without an x bit too."""
_WORD = LazyPattern(
    r"(?<![\w.+@-])(?<![\w.+@-]/)/?[\w.+@-]++(?:/[\w.+@-]++)*+"
    r"(?!:\d|[\"']?[,:]? (?:on )?line \d)"
)
"""A name or a path; before a line number, it is the place of the error."""
_MODULES = ("dist-packages", "node_modules", "nodejs", "site-packages")
"""Folders whose entries programs name without their path."""
_CHANGED = 0
_DELETED = 2
"""Kinds of a `LayerChange`."""


class LostFile(msgspec.Struct, frozen=True):
    """A file or folder of the image that its container needs, and has no more."""

    container: Container
    path: str
    is_deleted: bool
    """Whether it was deleted; otherwise its content, its owner or its mode was changed."""
    line: str
    """The line that reports the missing file."""


class LostFiles(Items[LostFile], frozen=True):
    """The lost files, at most one for each container."""

    unexamined: tuple[Unexamined, ...] = ()
    """Containers beyond `MOST`."""

    def holds(self, container: Container) -> bool:
        """Whether one of these is this container's."""
        return any(lost.container.id == container.id for lost in self)


class _Complaint(msgspec.Struct, frozen=True):
    """A line by which something misses a file, or may not use it."""

    container: Container
    line: str
    program: str = ""
    """The program that the engine was to start, where it is the engine that complains."""

    @property
    def words(self) -> list[str]:
        """The words of the line that may be a path or a name."""
        if self.program:
            return [self.program]
        return [word.rstrip(".") for word in _WORD.findall(self.line)]


@evidence
def lost_files(
    host: Host, containers: Containers, log_tails: LogTails, repeated_errors: RepeatedErrors | None
) -> LostFiles:
    """Files that programs miss and that the container's changes against the image explain.

    Each container that reports a missing file takes one question, up to `MOST`.
    """
    complaints = (
        complaint
        for container in containers
        for complaint in _complaints(container, log_tails, repeated_errors)
        if ABSENCE.search(complaint.line) or _REFUSED.search(complaint.line)
    )
    by_id: dict[str, list[_Complaint]] = {}
    for complaint in complaints:
        by_id.setdefault(complaint.container.id, []).append(complaint)
    ids = list(by_id)[:MOST]
    unread_ids = list(by_id)[MOST:]
    changes_by_id = host.answers_about(ids, ListChanges)
    candidates = (_lost_file(by_id[id], changes_by_id.get(id) or ()) for id in ids)
    return LostFiles(
        tuple(lost for lost in candidates if lost is not None),
        tuple(Unexamined(by_id[id][0].container.subject, TOO_MANY) for id in unread_ids),
    )


def _complaints(
    container: Container, log_tails: LogTails, repeated_errors: RepeatedErrors | None
) -> Iterator[_Complaint]:
    """The reports of a failure by the engine, the program and the health check."""
    if own_program(container):
        yield _Complaint(container, container.state.error, container.path)
        return
    telling = log_tails.of(container).telling
    if telling is not None:
        yield _Complaint(container, telling.whole)
    for error in repeated_errors or ():
        if error.container.id == container.id:
            yield _Complaint(container, error.line.whole)
    health = container.state.health
    if container.is_running and health is not None and health.failing_streak:
        yield _Complaint(container, HealthCheck(container, health).output)


def _lost_file(complaints: Sequence[_Complaint], changes: Sequence[LayerChange]) -> LostFile | None:
    """The first file that a complaint misses and that was deleted or changed in the container."""
    deleted = [change.path for change in changes if change.kind == _DELETED]
    for complaint in complaints:
        path = _deleted_path(complaint, deleted) or _refused_path(complaint, changes)
        if path:
            return LostFile(
                complaint.container, path, is_deleted=path in deleted, line=complaint.line
            )
    return None


def _deleted_path(complaint: _Complaint, deleted: Sequence[str]) -> str:
    """The first deleted file that a complaint misses; "" for none."""
    if not ABSENCE.search(complaint.line):
        return ""
    return next((path for path in deleted if _is_missed(complaint, path)), "")


def _is_missed(complaint: _Complaint, path: str) -> bool:
    """Whether the complaint names the path, a path below it, or a program or module there."""
    if MADE_AT_RUN.search(path):
        return False
    folder, name = posixpath.split(path)
    is_named_alone = folder in path_folders(complaint.container) or folder.endswith(_MODULES)
    words = complaint.words
    if is_named_alone and any(posixpath.basename(word) == name for word in words):
        return True
    return any(is_within(word, path) for word in words)


def _refused_path(complaint: _Complaint, changes: Sequence[LayerChange]) -> str:
    """The changed file or folder that the complaint names, or that holds the denied path.

    A folder is in the list of changes for its entries too: it counts where no entry does. Many
    programs write their configuration at each start, and name it in complaints about others.
    """
    is_denied = _REFUSED.search(complaint.line) is not None
    if not is_denied and _NOT_IN_PATH not in complaint.line:
        return ""
    changed = [change.path for change in changes if change.kind == _CHANGED]
    above = {posixpath.dirname(change.path) for change in changes}
    own_paths = [path for path in changed if path not in above and not MADE_AT_RUN.search(path)]
    folders = path_folders(complaint.container)
    for word in complaint.words:
        places = [word] if word.startswith("/") else [f"{folder}/{word}" for folder in folders]
        denied = _folders_of(places) if is_denied else frozenset()
        for path in own_paths:
            if path in places or path in denied:
                return path
    return ""


def _folders_of(paths: Iterable[str]) -> frozenset[str]:
    """All folders above these paths, without the root."""
    return frozenset(
        str(folder) for path in paths for folder in PurePosixPath(path).parents if folder.name
    )
