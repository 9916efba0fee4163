"""Files and folders of the host that are mounted into containers, and log lines about them."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.refused_mounts import refused_mount
from diagnose.evidence.containers.programs.start_refusals import absent_at_start
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.phrases import quoted, unix
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import ListFolder, PathStatus, StatPaths
from diagnose.registry import evidence

__all__ = ["BindSources", "NamedPath", "PathStatus", "bind_sources"]

_CLOSING = {"'": "'", '"': '"', "`": "'", "‘": "’", "“": "”"}
"""The quotation mark that ends a text, by the one that begins it."""
_WORD = LazyPattern(r"[\s'\"`’”:,;()\[\]]")
_REFUSED = (
    "permission denied",
    "eacces",
    "operation not permitted",
    "operation not supported",
    "eperm",
    "accessdenied",
    "not writable",
    "not writeable",
    "access denied",
    "access is denied",
    "access to the path",
    "writable] failed",
    "insufficient permission",
    "read-only directory",
    "cannot create",
    "can't create",
    "could not create",
    "could not be created",
    "failed to create",
    "unable to create",
    "cannot write",
    "can't write",
    "could not write",
    "failed to write",
    "unable to write",
    "for writing",
    "unable to open database file",
    "unable to open the database file",
    "readonly database",
    "sqlite_cantopen",
    "sqlite_readonly",
    "read-only file system",
    "read-only filesystem",
    "erofs",
)
"""Errors of programs that were refused access to a path, in small letters. Some print the same for
a full disk or a missing folder; owner and mode decide."""
_NAMELESS = ("permission denied", "database", "sqlite_", "not writable", "not writeable")
"""Refusals that name no path, or only a file of the working directory."""
_ABSOLUTE = LazyPattern(r"(?:^|[\s'\"`(=\[])/[\w.-]")
_PRIVATE_ROOTS = ((LazyPattern(r"(?<=system directory \[)/(?=\.system\])"), "/var/opt/mssql/"),)
"""Programs that call a folder of their own `/`, and where that is (microsoft/mssql-docker#615)."""
_SAYS_IT = LazyPattern(r"(?<=[\w.]) in $")
"""The text before the file of the program that prints the message, as PHP writes it behind its
message."""
MOST_OWNED = 200
"""Paths of other containers that are looked up."""
DEEPEST = 32
"""Maximum number of steps below a mount that are looked at; a path comes from a log, which may hold
anything."""


class BindSources(msgspec.Struct, frozen=True):
    """The sources of mounts of containers that failed, or were never started, by path.

    Also the paths that a refused start lacked behind a volume.
    """

    by_path: dict[str, PathStatus]
    below: dict[str, PathStatus] = msgspec.field(default_factory=dict)
    """The status of each step below the sources to the path in a container's last words, links not
    followed: they lead to elsewhere in the container."""
    entries: dict[str, int] = msgspec.field(default_factory=dict)
    """The number of entries in a folder that was taken for a file."""
    owned: frozenset[str] = frozenset()
    """The existing host paths that another container, which commands the engine, has at the path of
    a source."""
    unexamined: tuple[Unexamined, ...] = ()


class OwnedSource(NamedTuple):
    """A source of a mount that is a path of another container, which commands the engine."""

    owner: Container
    place: Mount
    """The owner's mount that holds it."""
    path: str
    """The owner's path on the host."""


class NamedPath(msgspec.Struct, frozen=True):
    """A path of a container that a line names, and the innermost mount that holds it."""

    line: str
    mount: Mount
    rest: tuple[str, ...]
    """The parts of the path below the mount's destination."""
    whole: bool
    """The line leaves no doubt where it ends."""

    @property
    def path_inside(self) -> str:
        return "/".join((self.mount.destination, *self.rest))

    @property
    def evidence(self) -> dict[str, str]:
        """The line, and the mount at the place that the line names."""
        return {"log": quoted(self.line), "mount": str(self.mount)}

    @property
    def on_host(self) -> tuple[str, ...]:
        """The mount's source, and each step below it."""
        begin = self.mount.source.rstrip("/")
        steps = range(len(self.rest) + 1)
        return tuple("/".join((begin, *self.rest[:depth])) or "/" for depth in steps)


def is_shallow(place: NamedPath) -> bool:
    """Whether the steps of a path can be looked at: few, and none that leads up again."""
    return ".." not in place.rest and len(place.rest) <= DEEPEST


def named_path(container: Container, line: str) -> NamedPath | None:
    """The path below a mount of this container that a line names; None without one."""
    if not line:
        return None
    mounts = [mount for mount in container.mounts if mount.destination in line]
    below = [_path_below_mount(mount, line) for mount in mounts]
    places = [place for place in below if place is not None]
    return max(places, key=lambda place: len(place.mount.destination), default=None)


def _path_below_mount(mount: Mount, line: str) -> NamedPath | None:
    """The path below one mount that a line names.

    Among several, a path whose end is beyond doubt comes first, then the deepest.
    """
    places = re.finditer(rf"(?:(?<=//)|(?<![\w./-])){re.escape(mount.destination)}(?![\w.-])", line)
    candidates = [(_named_at(mount, line, place), place.start()) for place in places]
    not_quoted = [place for place, start in candidates if not _SAYS_IT.search(line[:start])]
    return max(
        not_quoted or [place for place, _ in candidates],
        key=lambda candidate: (candidate.whole, len(candidate.rest)),
        default=None,
    )


def _named_at(mount: Mount, line: str, at: re.Match[str]) -> NamedPath:
    after = line[at.end() :]
    tail, closed, _ = after.partition(_CLOSING.get(line[: at.start()][-1:], "\n"))
    if not closed:
        tail = _WORD.split(after, maxsplit=1)[0].rstrip(".!?")
    rest = tuple(part for part in tail.rstrip("\\").split("/") if part not in ("", "."))
    return NamedPath(line, mount, rest, whole=bool(closed) or not after[len(tail) :][:1].isspace())


def refused_path(container: Container, log_tails: LogTails) -> NamedPath | None:
    """The path below a mount that the container's last lines report as refused; or None.

    A program that names only a file of its working directory leaves open where that is. The
    container's only writable mount is taken then.
    """
    return refused_in(container, log_tails.of(container))


def refused_in(container: Container, tail: LogTail) -> NamedPath | None:
    """The path below a mount that these lines of a container report as refused; or None."""
    refusals = tail.find_all(*_REFUSED)
    if not refusals:
        return None
    for line in refusals:
        refused = named_path(container, line) or _path_in_private_root(container, line)
        if refused is not None:
            return refused
    if any(_ABSOLUTE.search(line) for line in refusals):
        return None
    nameless = next(filter(_names_no_folder, refusals), None)
    writable = container.writable_host_mounts
    if nameless is None or len(writable) != 1:
        return None
    complaint = tail.telling_text if nameless in tail.telling_text else nameless
    return NamedPath(complaint, writable[0], (), whole=True)


def _path_in_private_root(container: Container, line: str) -> NamedPath | None:
    """The path that a line names below a folder that its program calls `/`; or None."""
    for root, folder in _PRIVATE_ROOTS:
        place = named_path(container, root.sub(folder, line)) if root.search(line) else None
        if place is not None:
            return msgspec.structs.replace(place, line=line)
    return None


def _names_no_folder(line: str) -> bool:
    lowered = line.lower()
    return any(words in lowered for words in _NAMELESS)


_CALLED_A_FOLDER = ("is a directory", "eisdir", "omitting directory", "not a regular file")
"""Errors of programs about a folder in the place of a file, in small letters; the third is cp's."""


def not_a_file(container: Container, log_tails: LogTails) -> NamedPath | None:
    """The mount that the container's last lines call a directory in place of a file; or None.

    A bind mount, or a named volume at a path with a file's name.
    """
    file = named_path(container, log_tails.of(container).find(*_CALLED_A_FOLDER))
    if file is None or file.rest:
        return None
    is_volume = file.mount.type == "volume" and "." in posixpath.basename(file.path_inside)
    return file if file.mount.type == "bind" or is_volume else None


def missing_in_folder(container: Container, log_tails: LogTails) -> NamedPath | None:
    """The missing file of a bind mount in the last lines; None where the mount refuses writes."""
    tail = log_tails.of(container)
    line = tail.find("no such file or directory", "enoent", "filenotfound")
    file = next(named_files(container, line), None)
    if file is None or file.mount.type != "bind" or not file.rest:
        return None
    refused = tail.failure_named("path-denied", "script-not-executable")
    path = refused.values.get("path", "") if refused is not None else ""
    return None if file.mount.holds(path) else file


_RELATIVE = LazyPattern(
    r"(?<![\w./:@-])(?:\./)?[\w-][\w.-]*(?:/[\w.-]+)*\.\w{2,10}(?![\w/])(?!:\d)"
)
"""A file of the working directory: config/config.yml, ./settings.toml. With a line number behind
it, the file was read, or is a place in the program's code: `caller=coordinator.go:132`."""


def named_files(container: Container, line: str) -> Iterator[NamedPath]:
    """The files below mounts that a line names: by a path, or relative to the working directory."""
    if (place := named_path(container, line)) is not None:
        yield place
    folder = container.config.working_dir or "/"
    for match in _RELATIVE.finditer(line):
        path = posixpath.normpath(posixpath.join(folder, match[0]))
        if (place := named_path(container, f"'{path}'")) is not None:
            yield msgspec.structs.replace(place, line=line)


def asked_for(container: Container) -> tuple[str, ...]:
    """The sources that must exist before a start: those of `--mount type=bind`.

    For `-v` the engine creates a missing source.
    """
    mounts = container.host_config.mounts or ()
    return tuple(mount.source for mount in mounts if mount.type == "bind" and mount.source)


def never_started(container: Container, now: float, since_s: float) -> bool:
    """Whether a container was created within the time that is looked at, and never ran."""
    created = unix(container.created)
    return container.never_ran and created is not None and now - created < since_s


@evidence
def bind_sources(
    host: Host, containers: Containers, clock: Clock, options: Options, log_tails: LogTails
) -> BindSources | Unavailable:
    """The status of the host paths that failed containers mount or name, in one question.

    A path on a mount that does not answer costs only itself.
    """
    sources: set[str] = set()
    mistaken: dict[str, None] = {}
    for container in containers:
        mistaken |= dict.fromkeys(_mistaken_sources(container, log_tails))
        sources |= _refused_sources(container, log_tails)
        sources |= absent_at_start(container, containers)
        if never_started(container, clock.wall, options.since_s):
            sources |= {*asked_for(container)}
    sources |= mistaken.keys()
    owned = _mount_sources_of_engines(host, containers)
    if not sources:
        return BindSources({}, owned=owned)
    answer = host.require(StatPaths(sorted(sources), follow=True))
    return BindSources(
        answer, _steps(host, containers, log_tails), _entries(host, mistaken, answer), owned
    )


def _mount_sources_of_engines(host: Host, containers: Containers) -> frozenset[str]:
    """The collector asks only where a container commands the engine and has a path by which another
    mounts."""
    commanding = [container for container in containers.running if container.commands_engine]
    if not commanding:
        return frozenset()
    paths: set[str] = set()
    for container in containers:
        for mount in container.bind_mounts:
            paths |= {owned.path for owned in owned_sources(container, mount, commanding)}
    question = StatPaths(sorted(paths)[:MOST_OWNED], follow=False)
    statuses = host.answer_or(question, {}) if paths else {}
    return frozenset(path for path, status in statuses.items() if not status.failed)


def owned_sources(
    container: Container, mount: Mount, commanding: Iterable[Container]
) -> Iterator[OwnedSource]:
    """The folders that other containers, which command the engine, have at this bind's source.

    Empty where they have the host's own path there.
    """
    for other in commanding:
        others_mounts = (place for place in other.mounts if _is_elsewhere(place, mount.source))
        place = next(others_mounts, None)
        if other.id == container.id or place is None:
            continue
        path = place.on_host(mount.source)
        if path != mount.source:
            yield OwnedSource(other, place, path)


def _is_elsewhere(mount: Mount, path: str) -> bool:
    """Whether a path of a container is, or lies below, a mount from another host path."""
    has_source = mount.has_host_path and mount.destination != "/"
    return has_source and (mount.destination == path or mount.holds(path))


def _mistaken_sources(container: Container, log_tails: LogTails) -> Iterator[str]:
    """The sources that a program takes for a file, or in which it misses one."""
    place = not_a_file(container, log_tails)
    if place is not None:
        yield place.mount.source
    lacking = missing_in_folder(container, log_tails)
    if lacking is not None:
        yield lacking.mount.source


def _refused_sources(container: Container, log_tails: LogTails) -> set[str]:
    """The source at which a start failed, and all sources of a container that was denied a path."""
    sources = set()
    refused = refused_mount(container)
    if refused is not None:
        sources.add(refused.source)
    is_denied = (
        "permission" in log_tails.of(container).signs
        or refused_path(container, log_tails) is not None
        or "permission denied" in container.state.error
    )
    if is_denied:
        mounted = (mount.source for mount in container.mounts)
        sources |= {source for source in mounted if source.startswith("/")}
    return sources


def _steps(host: Host, containers: Containers, log_tails: LogTails) -> dict[str, PathStatus]:
    """A question of its own: a path that a log names may lie where nothing answers."""
    steps: set[str] = set()
    for container in containers:
        refused = refused_path(container, log_tails)
        if refused and refused.mount.has_host_path and is_shallow(refused):
            steps |= {*refused.on_host[1:]}
    if not steps:
        return {}
    return path_statuses(host, sorted(steps), follow=False)


def _entries(
    host: Host, paths: Iterable[str], statuses: Mapping[str, PathStatus]
) -> dict[str, int]:
    folders = [path for path in paths if statuses[path].type == "folder"]
    listings = host.ask_about(folders, ListFolder)
    return {
        path: len(listing.entries) for path, listing in listings if not isinstance(listing, Failed)
    }
