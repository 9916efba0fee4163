"""Paths that running programs say they are refused, with the owners and modes on the way to them.

They are looked at as the container sees them: they may lie in its image, in its writable layer, or
in a mount. The user is that of its processes, or that of PUID where these are root's alone.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.mounts.access.dropped_users import named_by_variables
from diagnose.evidence.containers.mounts.access.file_access import ENTER, WRITE
from diagnose.evidence.containers.mounts.access.program_users import (
    ProgramUser,
    none_may,
    program_users,
    way_inside,
)
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.files import NOT_ASKED, PathStatus
from diagnose.registry import evidence

_REFUSED = "path-denied"
"""The family of lines that say so."""
_PLAIN = LazyPattern(r"(?:/[\w@+-][\w.@+ -]{0,120}){1,16}")
"""A path without a step up."""
_OF_THE_KERNEL = ("/proc/", "/sys/", "/dev/")
_CHANGES_FOLDER = LazyPattern(r"\b(?:unlink|remov|renam|rmdir)\w{0,4}\b")
"""Operations that need rights in the folder that holds the named file, and none of the file's."""


class RefusedOwnPath(msgspec.Struct, frozen=True):
    """The path, or a folder on the way to it, that is closed to the user of a running program."""

    path: str
    """The path, or the folder on the way to it that the user may not use."""
    status: PathStatus
    user: ProgramUser

    @property
    def owner(self) -> str:
        return self.user.user.owner

    @property
    def clause(self) -> str:
        """The owner and mode of the path and the user of the program, for a sentence."""
        program = self.user.program
        user_clause = f"{self.user.user.label} ({program})" if program else self.user.user.label
        place = f"{self.status.owner} with mode {self.status.permissions}"
        return f"{self.path} belongs to {place}, and the program runs as {user_clause}"


class RefusedOwnPaths(ByContainer[RefusedOwnPath], frozen=True):
    """The refused paths by container; none where a user may use the path after all."""


@evidence
def refused_own_paths(
    host: Host,
    repeated_errors: RepeatedErrors,
    all_failed_answers: AllFailedAnswers | None,
    processes: Processes,
    info: Info | None,
) -> RefusedOwnPaths:
    """Paths named in logs that are closed to the user of the program.

    Each container with such a log takes one question. The collector gives nothing where the engine
    gives users of containers other numbers.
    """
    if info is not None and (info.has_userns_remap or info.is_rootless):
        return RefusedOwnPaths()
    paths: dict[str, RefusedOwnPath] = {}
    for container, path in _named_paths(repeated_errors, all_failed_answers):
        users = _users(host, container, processes.inside(container.id))
        if users and container.id not in paths:
            refused = _refused_path(host, container, path, users)
            paths |= {container.id: refused} if refused is not None else {}
    return RefusedOwnPaths(paths)


def _users(
    host: Host, container: Container, processes: Sequence[Process]
) -> tuple[ProgramUser, ...]:
    """The users of a container's processes; where these are all root's, the user of PUID.

    The program of that user has just ended then, and what watches over it starts it again.
    """
    if any(process.uid for process in processes):
        return program_users(host, processes)
    user = named_by_variables(container)
    return (ProgramUser("", user),) if user is not None else ()


def _named_paths(
    repeated_errors: RepeatedErrors, all_failed_answers: AllFailedAnswers | None
) -> Iterator[tuple[Container, str]]:
    """The containers of which the log names a path that was refused, with the path."""
    for error in repeated_errors:
        yield from _named_path(error.container, error.failure)
    for answers in all_failed_answers or ():
        yield from _named_path(answers.container, answers.printed.failure)


def _named_path(
    container: Container, failure: Recognised | None
) -> Iterator[tuple[Container, str]]:
    if failure is None or failure.name != _REFUSED or not container.state.pid:
        return
    path = failure.values.get("path", "")
    if _CHANGES_FOLDER.search(failure.line):
        path = posixpath.dirname(path)
    if _PLAIN.fullmatch(path) and not path.startswith(_OF_THE_KERNEL):
        yield container, path


def _refused_path(
    host: Host, container: Container, path: str, users: tuple[ProgramUser, ...]
) -> RefusedOwnPath | None:
    """The first step on the way that none of the users may use."""
    way = way_inside(host, container, path)
    above = ""
    parent = NOT_ASKED
    for step, status in way.items():
        if status.failed == "missing" and above:
            is_closed = none_may(users, parent, WRITE | ENTER)
            return RefusedOwnPath(above, parent, users[0]) if is_closed else None
        if status.failed or status.link:
            return None
        rights = WRITE if step == path and status.type == "file" else ENTER
        rights |= WRITE if step == path else 0
        if none_may(users, status, rights):
            return RefusedOwnPath(step, status, users[0])
        above = step
        parent = status
    return None
