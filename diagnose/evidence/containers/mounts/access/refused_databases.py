"""Files of SQLite below a mount that the user of a container's program may not write.

SQLite says only that its database is read-only or cannot be opened. The host shows which file that
is: one with another owner, after a start as root or a copy from another machine. Or its folder is:
SQLite writes a journal beside a database before it changes it.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.dropped_users import (
    LEAST,
    DroppedUser,
    named_by_variables,
)
from diagnose.evidence.containers.mounts.access.file_access import (
    ENTER,
    READ,
    WRITE,
    Denied,
    host_user,
)
from diagnose.evidence.containers.mounts.access.program_users import (
    ProgramUser,
    none_may,
    program_users,
)
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath, refused_path
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, PathStatus, StatPaths
from diagnose.registry import evidence

_REFUSED = LazyPattern(
    r"attempt to write a readonly database|unable to open (?:the )?database file"
    r"|\bSQLITE_(?:READONLY|CANTOPEN)\b|\bThe database is read only\b",
    re.IGNORECASE,
)
"""SQLite's messages for the codes 8 and 14 (sqlite3ErrStr), their names as Node prints them, and
H2's for its code 90097."""
_LOCKED = LazyPattern(r"\bdatabase (?:file )?is locked\b|\bSQLITE_BUSY\b", re.IGNORECASE)
"""The next error of a program whose first connection stays open, because it could not create its
journal."""
_DATABASE = LazyPattern(r"\.(?:db3?|sqlite3?)(?:-(?:wal|shm|journal))?$")
"""Names of SQLite's files, with those beside the database."""
MOST = 8
"""Writable mounts of a container whose folders are listed."""


class RefusedDatabases(Items[DroppedUser], frozen=True):
    """The programs that are refused their database, one for each container."""


class _RefusedContainer(msgspec.Struct, frozen=True):
    """A refused container, the users of its programs, and the possible places of its database."""

    container: Container
    line: str
    times: int
    of: int
    users: tuple[ProgramUser, ...]
    mounts: tuple[Mount, ...]


@evidence
def refused_databases(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs,
    processes: Processes,
    log_tails: LogTails | None,
    info: Info | None,
    numbers: UserNumbers | None,
) -> RefusedDatabases:
    """The containers that cannot write their database, running or ended.

    The folders are listed only for them.
    """
    cases = list(_running_cases(host, containers, recent_logs, processes))
    cases += _ended_cases(containers, log_tails, info, numbers)
    folders = sorted({mount.source for case in cases for mount in case.mounts})
    files = _databases(host, folders)
    paths = sorted(path for paths_of_container in files.values() for path in paths_of_container)
    if not folders:
        return RefusedDatabases(())
    statuses = host.ask(StatPaths([*folders, *paths], follow=False))
    if isinstance(statuses, Failed):
        return RefusedDatabases(())
    denied = (_denied_user(case, files, statuses) for case in cases)
    return RefusedDatabases(tuple(database for database in denied if database is not None))


def _databases(host: Host, folders: Sequence[str]) -> dict[str, list[str]]:
    """The files of databases in folders of the host, by folder; without those that do not list."""
    listings = host.answers_about(folders, ListFolder)
    databases = {}
    for folder, listing in listings.items():
        names = filter(_DATABASE.search, listing.names)
        databases[folder] = [f"{folder}/{name}" for name in names]
    return databases


def _running_cases(
    host: Host, containers: Containers, recent_logs: RecentLogs, processes: Processes
) -> Iterator[_RefusedContainer]:
    """Running containers whose log repeats that a database cannot be written."""
    for container in containers.running:
        lines = recent_logs.of(container)
        texts = [line.text for line in lines]
        refusals = [text for text in texts if _LOCKED.search(text) or _REFUSED.search(text)]
        is_refused = len(refusals) >= LEAST
        users = program_users(host, processes.inside(container.id)) if is_refused else ()
        if users:
            yield from _refused_container(container, refusals, len(lines), users)


def _ended_cases(
    containers: Containers,
    log_tails: LogTails | None,
    info: Info | None,
    numbers: UserNumbers | None,
) -> Iterator[_RefusedContainer]:
    """Containers that failed with this error, and whose settings name the user of their program.

    A line that names a path, or can mean only one mount, is judged by that.
    """
    if log_tails is None:
        return
    for container in containers:
        lines = log_tails.of(container).lines
        line = next((line for line in reversed(lines) if _REFUSED.search(line)), "")
        is_well = container.is_running and not container.restart_count
        if not line or is_well or refused_path(container, log_tails) is not None:
            continue
        user = host_user(container, info, numbers) or named_by_variables(container)
        if user is not None and not user.unknown:
            yield from _refused_container(container, [line], 0, (ProgramUser("", user),))


def _refused_container(
    container: Container, refusals: Sequence[str], of: int, users: tuple[ProgramUser, ...]
) -> Iterator[_RefusedContainer]:
    """The case of a container, if it has a mount that it may write."""
    writable = container.writable_host_mounts[:MOST]
    if writable:
        times = len(refusals) if of else 0
        yield _RefusedContainer(
            container, refusals[-1], times=times, of=of, users=users, mounts=tuple(writable)
        )


def _denied_user(
    case: _RefusedContainer, files: Mapping[str, Sequence[str]], statuses: Mapping[str, PathStatus]
) -> DroppedUser | None:
    """The first database that none of the users may read and write, or the folder of one."""
    return _denied_file(case, files, statuses) or _denied_folder(case, files, statuses)


def _denied_file(
    case: _RefusedContainer, files: Mapping[str, Sequence[str]], statuses: Mapping[str, PathStatus]
) -> DroppedUser | None:
    for mount in case.mounts:
        for path in files.get(mount.source, ()):
            status = statuses.get(path)
            if status is not None and status.type == "file" and _refuses(case, status, READ):
                return _dropped_user(case, mount, "write", path, status)
    return None


def _denied_folder(
    case: _RefusedContainer, files: Mapping[str, Sequence[str]], statuses: Mapping[str, PathStatus]
) -> DroppedUser | None:
    """The only folder in which no journal can be created; one with a database goes before others.

    None where the journal exists already, and where the database was locked and is elsewhere.
    """
    closed = [mount for mount in case.mounts if _is_closed(case, statuses.get(mount.source))]
    of_databases = [mount for mount in closed if files.get(mount.source)]
    has_journal = any(
        path.endswith("-wal") for mount in of_databases for path in files[mount.source]
    )
    is_elsewhere = _LOCKED.search(case.line) is not None and not of_databases
    folder = only(of_databases or closed)
    if has_journal or is_elsewhere or folder is None:
        return None
    return _dropped_user(
        case, folder, "create a journal in", folder.source, statuses[folder.source]
    )


def _is_closed(case: _RefusedContainer, status: PathStatus | None) -> bool:
    return status is not None and status.type == "folder" and _refuses(case, status, ENTER)


def _refuses(case: _RefusedContainer, status: PathStatus, rights: int) -> bool:
    """Whether none of the users may write, and use the path as required.

    A server beside the program need not write its database.
    """
    return none_may(case.users, status, rights | WRITE)


def _dropped_user(
    case: _RefusedContainer, mount: Mount, what: str, path: str, status: PathStatus
) -> DroppedUser:
    """The user of the program, and the denied access.

    path: the mount's source, or a file in it.
    """
    owner = case.users[0]
    rest = (posixpath.basename(path),) if path != mount.source else ()
    place = NamedPath(case.line, mount, rest, whole=True)
    return DroppedUser(
        case.container,
        named=place,
        denied=Denied(what, path, place.path_inside, status, owner.user),
        program=owner.program,
        times=case.times,
        of=case.of,
    )
