"""Start scripts of databases that were never run, because they are newer than the data.

The images of PostgreSQL, MySQL, MariaDB and MongoDB run what is mounted at one folder only while
the data directory is empty.
"""

import itertools
import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.called_database import called_database
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

_FOLDER = "/docker-entrypoint-initdb.d"
_MADE_ONCE = ("PG_VERSION", "mysql/db.opt", "auto.cnf", "storage.bson")
"""Files that a database writes once, when it creates its data directory."""
_BELOW = ("", "/data", "/pgdata", "/18/docker")
"""Folders below the mount that may be the data directory."""
_KINDS = {"table": r"table", "database": r"(?:database|schema|db)", "role": r"(?:role|user)"}
"""The missing objects of a known failure, in SQL's terms: by the group of the failure's pattern."""
_NO_DATABASES = frozenset({"pgsql_tmp", "mysql", "performance_schema", "sys"})
"""Folders beside those of databases that are written all the time, or by the server itself."""
_MOST = 20
"""How many scripts of one folder are read."""
_LONGEST = 256 << 10


class UnrunScript(msgspec.Struct, frozen=True):
    """A script that creates the missing object, and that is newer than the data directory."""

    database: Container
    caller: Container
    """The container that misses it: a caller, or the database itself."""
    line: str
    kind: str
    name: str
    """The name of the missing table, database or role."""
    path: str
    """The script on the host."""
    path_inside: str
    """The script's path in the container."""
    changed_at: float
    made_at: float
    """Unix time of the creation of the data. changed_at, made_at: Unix times."""
    data_folder: str
    """The host folder with a folder for each database."""
    removes: bool
    """Whether it also deletes data, so that nobody should run it unread."""


class UnrunScripts(Items[UnrunScript], frozen=True):
    """The scripts that were never run, at most one for each database."""


@evidence
def unrun_scripts(
    host: Host,
    containers: Containers,
    log_tails: LogTails | None,
    repeated_errors: RepeatedErrors | None,
) -> UnrunScripts:
    """The newer scripts that would create a database object which a log reports as missing.

    Files are read only of a database with such scripts.
    """
    scripts: dict[str, UnrunScript] = {}
    for complaint in _complaints(containers, log_tails, repeated_errors):
        database = _database(complaint, containers)
        if database is None or database.id in scripts:
            continue
        script = _script(host, database, complaint)
        if script is not None and not _has_new_table(host, script, complaint.said_at):
            scripts[database.id] = script
    return UnrunScripts(tuple(scripts.values()))


class _MissingObject(msgspec.Struct, frozen=True):
    """A program's log that misses something in a database."""

    caller: Container
    failure: Recognised
    said_at: float = 0.0
    """Unix time of a running program's last such line; 0 for a program that ended."""

    @property
    def kind(self) -> str:
        """The kind of the missing object, a key of `_KINDS`; "" for something else."""
        return next((kind for kind in _KINDS if self.failure.values.get(kind)), "")

    @property
    def name(self) -> str:
        """The name of the missing object."""
        return self.failure.values.get(self.kind, "")


def _complaints(
    containers: Containers, log_tails: LogTails | None, repeated: RepeatedErrors | None
) -> Iterator[_MissingObject]:
    """Database objects that programs miss: first by logs of callers, then by those of databases."""
    shown = log_tails.failures if log_tails is not None else {}
    ended = [
        _MissingObject(container, shown[container.id])
        for container in containers
        if container.id in shown
    ]
    running = [
        _MissingObject(error.container, error.failure, error.last_at)
        for error in repeated or ()
        if error.failure is not None
    ]
    complaints = [complaint for complaint in (*ended, *running) if complaint.kind]
    yield from sorted(complaints, key=lambda complaint: bool(_scripts(complaint.caller)))


def _database(complaint: _MissingObject, containers: Containers) -> Container | None:
    """The database that the program calls, or is, if it has start scripts."""
    if _scripts(complaint.caller):
        return complaint.caller
    server = called_database(complaint.caller, complaint.failure, containers)
    return server if server is not None and _scripts(server) else None


def _scripts(container: Container) -> list[Mount]:
    return [
        mount
        for mount in container.bind_mounts
        if mount.destination == _FOLDER or mount.destination.startswith(f"{_FOLDER}/")
    ]


def _script(host: Host, database: Container, complaint: _MissingObject) -> UnrunScript | None:
    """The newest script that creates the missing object, where it is newer than the data."""
    data = _data_of(host, database)
    if data is None:
        return None
    places = list(_places(host, database))
    statuses = host.ask(StatPaths([place.path for place in places], follow=True))
    if isinstance(statuses, Failed):
        return None
    makes = _creates(complaint.kind, complaint.name)
    for place in places:
        changed_at = statuses[place.path].mtime
        if changed_at is None or changed_at <= data.made_at:
            continue
        text = host.ask(place.question)
        if not isinstance(text, Failed) and makes.search(text.text):
            removes = re.search(r"\b(?:delete|drop|truncate)\b", text.text, re.IGNORECASE)
            return UnrunScript(
                database,
                complaint.caller,
                line=complaint.failure.line,
                kind=complaint.kind,
                name=complaint.name,
                path=place.path,
                path_inside=place.path_inside,
                changed_at=changed_at,
                made_at=data.made_at,
                data_folder=data.folder,
                removes=bool(removes),
            )
    return None


def _creates(kind: str, name: str) -> re.Pattern[str]:
    """The SQL that creates a thing of this kind and name, with or without its schema."""
    plain_name = re.escape(name.rpartition(".")[2])
    return re.compile(
        rf"\bcreate\s*(?:unlogged\s+|temp\s+)?{_KINDS[kind]}\s+(?:if\s+not\s+exists\s+)?"
        rf"(?:[`'\"]?\w+[`'\"]?\.)?[`'\"]?{plain_name}\b",
        re.IGNORECASE,
    )


def _has_new_table(host: Host, script: UnrunScript, said_at: float) -> bool:
    """Whether a table was created after the last complaint.

    Each table is a file in its database's folder. The old lines stay in the log, and no new ones
    follow. said_at: Unix time of the last complaint; 0 where it is not known.
    """
    if script.kind != "table" or not said_at:
        return False
    folder = script.data_folder
    listing = folder_listing(host, folder)
    names = [entry.name for entry in listing.entries if entry.type == "folder"]
    paths = [f"{folder}/{name}" for name in names if name not in _NO_DATABASES][:_MOST]
    statuses = path_statuses(host, paths, follow=False)
    return any((status.mtime or 0.0) > said_at for status in statuses.values())


class _ScriptPlace(msgspec.Struct, frozen=True):
    """A script on the host, the same in the container, and the question for its text."""

    path: str
    path_inside: str
    question: ReadFile


def _places(host: Host, database: Container) -> Iterator[_ScriptPlace]:
    """The scripts. No link that the container may have created leads out of a mounted folder."""
    for mount in _scripts(database):
        if mount.destination != _FOLDER:
            yield _ScriptPlace(
                mount.source, mount.destination, ReadFile(mount.source, _LONGEST, parts="created")
            )
            continue
        listing = folder_listing(host, mount.source)
        names = [entry.name for entry in listing.entries if entry.type != "folder"]
        for name in names[:_MOST]:
            question = ReadFile(f"/{name}", _LONGEST, root=mount.source, parts="created")
            yield _ScriptPlace(f"{mount.source}/{name}", f"{_FOLDER}/{name}", question)


class _Data(msgspec.Struct, frozen=True):
    """The data directory of a database server."""

    made_at: float
    """Unix time at which the server created it."""
    folder: str
    """The folder with a folder for each database."""


def _data_of(host: Host, database: Container) -> _Data | None:
    """The data directory of a database, where it can be seen on the host."""
    sources = [mount.source for mount in database.mounts if mount.has_host_path]
    places = itertools.product(sources, _BELOW, _MADE_ONCE)
    paths = [f"{source}{below}/{file}" for source, below, file in places]
    statuses = path_statuses(host, paths, follow=False)
    dated_files = [
        (at, path) for path, status in statuses.items() if (at := status.mtime) is not None
    ]
    if not dated_files:
        return None
    at, path = min(dated_files)
    return _Data(at, _databases(path))


def _databases(made_file: str) -> str:
    """The folder that has a folder for each database, by a file that was created with it."""
    folder, _, name = made_file.rpartition("/")
    return f"{folder}/base" if name == "PG_VERSION" else folder.removesuffix("/mysql")
