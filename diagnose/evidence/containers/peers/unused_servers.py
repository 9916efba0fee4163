"""Database servers without a table, beside a program of their project that writes a file of SQLite.

Compose starts the server for the program. The variable that names it is misspelt, or the program
never reads it, and takes its default: a file.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.folder_visits import VisitLimits, visited_folders
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.workers.worker_roles import names_server
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, ListFolder
from diagnose.registry import evidence

MOST = 12
"""Servers whose folder is listed."""

_MOST_DATABASES = 40
_VISITS = VisitLimits(entries=400, folders=16, depth=2)
_POSTGRES = LazyPattern(r"(?:^|/)(?:postgres|postgresql|postgis|pgvector|timescaledb)(?:[-:@]|$)")
_MYSQL = LazyPattern(r"(?:^|/)(?:mysql|mariadb|percona)(?:[-:@]|$)")
_FIRST_OF_USERS = 16384
"""From this number on PostgreSQL numbers what its users make."""
_TABLE = LazyPattern(r"(?i).{1,200}\.(?:frm|ibd|mai|myd|mrg)")
_SYSTEM = frozenset({"mysql", "performance_schema", "sys", "lost+found"})
_SQLITE = LazyPattern(r"(?i)(?!celerybeat|thumbs\b)[\w][\w.-]{0,60}\.(?:sqlite3?|db3?)(?:-wal)?")
_PASSED_OVER = LazyPattern(
    r"(?i)^(?:\.|__pycache__$|bin$|cache$|dev$|etc$|lib|node_modules$|proc$|sbin$|sys$|te?mp$|usr$|vendor$)"
)
"""Folders of systems, of installed programs and of what is temporary."""
_LEAST = 4096
"""Bytes: the first page of a database with a table."""


class UnusedServer(msgspec.Struct, frozen=True):
    """A database server that has no table, and the program that keeps its data in a file."""

    server: Container
    program: Container
    file: str
    """As the program calls it."""
    is_mounted: bool
    """Whether the file outlasts the container."""
    is_named: bool
    """Whether a setting of the program names the server."""


class UnusedServers(Items[UnusedServer], frozen=True):
    """At most one for each server."""


@evidence
def unused_servers(host: Host, containers: Containers) -> UnusedServers:
    """The servers without a table that a program with a file of SQLite depends on.

    Folders are listed only of PostgreSQL, MySQL and MariaDB in projects of compose.
    """
    candidates = list(paired(containers.running, lambda server: _programs_of(server, containers)))
    servers = []
    for server, programs in host.first(candidates, MOST, "database servers"):
        if _has_table(host, server) is not False:
            continue
        unused = next(_with_files(host, server, programs), None)
        if unused is not None:
            servers.append(unused)
    return UnusedServers(tuple(servers))


def _programs_of(server: Container, containers: Containers) -> list[Container]:
    """The running programs of its project that are started after a server, or that name it."""
    image = server.config.image
    if not (_POSTGRES.search(image) or _MYSQL.search(image)):
        return []
    return [
        other
        for other in containers.in_project_of(server)
        if other.image != server.image and _wants(other, server)
    ]


def _wants(program: Container, server: Container) -> bool:
    """Whether a program is started after a server, or has its name in a setting."""
    return server.compose_service in program.compose_dependencies or names_server(program, server)


def _has_table(host: Host, server: Container) -> bool | None:
    """Whether users of a server have made a table; None where its folder cannot be read."""
    root = f"/proc/{server.state.pid}/root"
    if _POSTGRES.search(server.config.image):
        top = server.config.value_of("PGDATA") or "/var/lib/postgresql/data"
        top = posixpath.join(top, "base")
    else:
        top = "/var/lib/mysql"
    listing = host.ask(ListFolder(top, root=root))
    if isinstance(listing, Failed) or not listing.entries:
        return None
    folders = [
        entry.name
        for entry in listing.entries
        if entry.type == "folder" and entry.name not in _SYSTEM and not entry.name.startswith("#")
    ]
    if len(folders) > _MOST_DATABASES:
        return None
    for folder in folders:
        inside = host.ask(ListFolder(posixpath.join(top, folder), root=root))
        if isinstance(inside, Failed) or inside.truncated:
            return None
        if any(map(_is_table, inside.names)):
            return True
    return False


def _is_table(name: str) -> bool:
    """Whether a file of a database's folder is a table that a user has made."""
    number = name.partition(".")[0].partition("_")[0]
    is_of_users = is_number(number) and int(number) >= _FIRST_OF_USERS
    return is_of_users or _TABLE.fullmatch(name) is not None


def _with_files(host: Host, server: Container, programs: list[Container]) -> Iterator[UnusedServer]:
    """The programs that have written a file of SQLite since they were made."""
    for program in programs:
        file = _written_file(host, program)
        if file:
            is_mounted = any(mount.holds(file) for mount in program.mounts)
            yield UnusedServer(
                server, program, file, is_mounted=is_mounted, is_named=names_server(program, server)
            )


def _written_file(host: Host, program: Container) -> str:
    """A file of SQLite that is younger than the container; "" for none."""
    root = f"/proc/{program.state.pid}/root"
    folders = _data_folders(program)
    for folder in visited_folders(host, root, folders, _VISITS, _may_hold_data):
        names = [entry.name for entry in folder.entries if entry.type == "file"]
        files = [f"{folder.path}/{name}" for name in names if _SQLITE.fullmatch(name)]
        written = next(_written_since(host, root, files, program.created_at), "")
        if written:
            return written.removesuffix("-wal")
    return ""


def _may_hold_data(folder: str) -> bool:
    return not _PASSED_OVER.search(folder)


def _written_since(
    host: Host, root: str, files: Sequence[str], since: float | None
) -> Iterator[str]:
    """The files with some content that were written after this time."""
    paths = [f"{root}{file}" for file in files]
    statuses = path_statuses(host, paths, follow=False)
    for path, file in zip(paths, files, strict=True):
        status = statuses.get(path, NOT_ASKED)
        if since is not None and status.size >= _LEAST and (status.mtime or 0.0) > since:
            yield file


def _data_folders(program: Container) -> list[str]:
    """The folders in which a program may keep a file of its own."""
    mounted = (mount.destination for mount in program.mounts if mount.rw)
    places = (program.config.working_dir, "/app", "/data", "/config", *mounted)
    folders = dict.fromkeys(path.rstrip("/") for path in places)
    return [path for path in folders if path.startswith("/")]
