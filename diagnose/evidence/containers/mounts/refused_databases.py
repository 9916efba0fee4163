"""Files of SQLite below a mount that the user of a container's program may not write.

SQLite says only that its database is read-only or cannot be opened. Which file it means shows on
the host: the one that belongs to somebody else, after a start as root or a copy from another
machine.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath
from diagnose.evidence.containers.mounts.dropped_users import (
    LEAST,
    DroppedUser,
    users_of_processes,
)
from diagnose.evidence.containers.mounts.file_access import READ, WRITE, Denied, HostUser
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, PathStatus, StatPaths
from diagnose.registry import evidence

_REFUSED = LazyPattern(
    r"attempt to write a readonly database|unable to open (?:the )?database file"
    r"|\bSQLITE_(?:READONLY|CANTOPEN)\b",
    re.IGNORECASE,
)
"""SQLite's messages for the codes 8 and 14 (sqlite3ErrStr), and their names as Node prints them."""
_DATABASE = LazyPattern(r"\.(?:db3?|sqlite3?)(?:-(?:wal|shm|journal))?$")
"""How the files of SQLite are called, with those that it keeps beside the database."""
MOST = 8
"""Writable mounts of a container whose folders are listed."""


class RefusedDatabases(Items[DroppedUser], frozen=True):
    """One for each container that is refused its database."""


class _RefusedContainer(msgspec.Struct, frozen=True):
    """A container that is refused, who its programs are, and where the database may lie."""

    container: Container
    line: str
    times: int
    of: int
    users: tuple[tuple[str, HostUser], ...]
    mounts: tuple[Mount, ...]


@evidence
def refused_databases(
    host: Host, containers: Containers, recent_logs: RecentLogs, processes: Processes
) -> RefusedDatabases:
    """Running containers that say so again and again; the folders are listed only then."""
    cases = list(_cases(containers, recent_logs, processes))
    files = _databases(host, sorted({mount.source for case in cases for mount in case.mounts}))
    paths = sorted(path for found in files.values() for path in found)
    if not paths:
        return RefusedDatabases(())
    statuses = host.ask(StatPaths(paths, follow=False))
    if isinstance(statuses, Failed):
        return RefusedDatabases(())
    denied = (_denied(case, files, statuses) for case in cases)
    return RefusedDatabases(tuple(item for item in denied if item is not None))


def _databases(host: Host, folders: Sequence[str]) -> dict[str, list[str]]:
    """The files of databases in folders of the host, by folder; without those that do not list."""
    listings = host.answers_about(folders, ListFolder)
    return {
        folder: [f"{folder}/{name}" for name in listing.names if _DATABASE.search(name)]
        for folder, listing in listings.items()
    }


def _cases(
    containers: Containers, recent_logs: RecentLogs, processes: Processes
) -> Iterator[_RefusedContainer]:
    """Running containers whose log says again and again that a database cannot be written."""
    for container in containers.running:
        lines = recent_logs.of(container)
        refusals = [line.text for line in lines if _REFUSED.search(line.text)]
        if len(refusals) < LEAST:
            continue
        users = users_of_processes(processes.inside(container.id))
        writable = [mount for mount in container.mounts if mount.rw and mount.has_host_path][:MOST]
        if users and writable:
            yield _RefusedContainer(
                container,
                line=refusals[-1],
                times=len(refusals),
                of=len(lines),
                users=users,
                mounts=tuple(writable),
            )


def _denied(
    case: _RefusedContainer, files: dict[str, list[str]], statuses: dict[str, PathStatus]
) -> DroppedUser | None:
    """The first database that none of the users may read and write."""
    for mount in case.mounts:
        for path in files.get(mount.source, ()):
            status = statuses.get(path)
            if status is None or status.failed or status.type != "file":
                continue
            if any(user.may(status, READ | WRITE) is not False for _, user in case.users):
                continue  # a server beside the program need not write its database
            program, user = case.users[0]
            name = posixpath.basename(path)
            inside = f"{mount.destination.rstrip('/')}/{name}"
            return DroppedUser(
                case.container,
                named=NamedPath(case.line, mount, (name,), whole=True),
                denied=Denied("write", path, inside, status, user),
                program=program,
                times=case.times,
                of=case.of,
            )
    return None
