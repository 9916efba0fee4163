"""Files that failed programs miss below a mount, looked up where they would be on the host."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.unusable_files import fails_without_reason
from diagnose.evidence.containers.mounts.bind_mounts import (
    DEEPEST,
    NamedPath,
    named_files,
    named_path,
)
from diagnose.evidence.containers.mounts.link_ends import LinkEnd, link_end
from diagnose.evidence.items import Items
from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.programs.telling_line import TellingLine
from diagnose.questions import Host
from diagnose.questions.files import FolderListing, ListFolder, PathStatus, StatPaths
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

ABSENCE = LazyPattern(
    r"no such file|\bENOENT\b|file ?not ?found|does(?:n't| not) exist|\bnot found|can(?:not|'t) find"
    r"|failed opening required|(?:could not|unable to|failed to) (?:find|load|locate)|is missing|MODULE_NOT_FOUND",
    re.IGNORECASE,
)
"""Errors of programs about a missing file."""
_NAMES_ABSENCE = LazyPattern(
    r"no such file|\bENOENT\b|not ?found|does(?:n't| not) exist|is missing", re.IGNORECASE
)
_NAMES_REFUSAL = LazyPattern(
    r"permission denied|\bE(?:ACCES|PERM|ROFS)\b|\baccess(?:[\w ]{0,20} is)? denied|not permitted"
    r"|read-only file ?system",
    re.IGNORECASE,
)
"""Words that distinguish an absent file from a refused one, where a program "failed to load" it."""
MADE_AT_RUN = LazyPattern(r"\.(?:pid|sock|socket|lock|log|tmp|swp)$|^/(?:run|tmp|proc|sys|dev)/")
"""Files that a program creates itself: their absence is not a mistake of the host."""
_EXAMPLE = LazyPattern(
    r"[._-](?:example|sample|dist|default|template|tmpl|orig|bak|old|save|txt)\b|~$"
)
_LINEAGE = LazyPattern(r"(?P<folder>/live/[^/]+)/(?:cert|chain|fullchain|privkey)\.pem$")
_MANIFEST = "package.json"
_MODULES = "node_modules"
"""A folder with the first file holds a program of Node.js, with its modules and commands in the
second."""
_OF_BUILDS = frozenset({".next", ".nuxt", ".output", ".svelte-kit", "build", "dist"})
"""Folders that the build of a Node.js program creates."""
_OF_MODULES = frozenset({"command-missing", "module-node"})
"""Known failures that miss something without its path, as where that folder is not there."""
_OF_SEVERAL = frozenset({"temporary-folder"})
"""Known failures whose line has several paths, of which one is enough."""


_OF_POSTGRES = LazyPattern(
    r'\b(?:WAL directory|open directory|stat(?: file| directory)?) "(?P<path>pg_[\w./]{1,100})"'
    r"(?: does not exist|: No such file)"
)
"""A path relative to PostgreSQL's data folder."""
_PGDATA = "PGDATA"
_POSTGRES_FOLDERS = LazyPattern(r"^/(?:var/lib|bitnami)/(?:postgresql|pgsql)(?:/|$)")


class MissingFile(msgspec.Struct, frozen=True):
    """A path that the line which explains the failure misses, and that the host does not have."""

    container: Container
    place: NamedPath
    """The path as the container and the host have it."""
    path_inside: str
    path: str
    """inside, path: the first part of it that is not there."""
    folder: str
    """The last folder that exists."""
    names: tuple[str, ...]
    """The entries of that folder."""
    is_in_image: bool | None = None
    """Whether the image has it there, so that the mount hides it; None where that is not known."""
    is_repeated: bool = False
    """Whether its container runs, and repeats that in its log."""
    leads_to: LinkEnd | None = None
    """The target, if it is a dangling link."""

    @property
    def lineage(self) -> str:
        """The folder on the host in which certbot keeps links to a certificate; "" for another.

        The files themselves lie in archive/ beside it, with a number for each renewal.
        """
        end = self.leads_to.on_host if self.leads_to is not None else ""
        match = _LINEAGE.search(end)
        return end[: match.end("folder")] if match else ""

    @property
    def lacks_modules(self) -> bool:
        """Whether it is the folder of a program's modules, which images commonly have."""
        return self.path_inside.endswith(f"/{_MODULES}") and _MANIFEST in self.names

    @property
    def lacks_build(self) -> bool:
        """Whether the missing folder is the build output of a program of Node.js."""
        return posixpath.basename(self.path_inside) in _OF_BUILDS and _MANIFEST in self.names

    @property
    def has_modules(self) -> bool:
        """Whether the modules of the program lie beside it."""
        return _MODULES in self.names

    @property
    def likely_name(self) -> str:
        """A file of almost that name in the folder; "" where there is none."""
        base_name = _base_name(self.path)
        return next((name for name in self.names if _base_name(name) == base_name), "")


class MissingFiles(Items[MissingFile], frozen=True):
    """The missing files, at most one for each container."""


@evidence
def missing_files(
    host: Host, containers: Containers, log_tails: LogTails, repeated_errors: RepeatedErrors | None
) -> MissingFiles | Unavailable:
    """Files that containers miss below their mounts, where the host lacks them too.

    All paths take one question, and each folder that lacks a file takes one more. A running
    container counts only where its image has the file that its log reports as missing again and
    again, or where a link to the file is there: a file that is nowhere may be one that its users
    ask for.
    """
    repeated = {error.container.id: error.line for error in repeated_errors or ()}
    places = (
        (container, _missed_path(host, container, log_tails, repeated.get(container.id)))
        for container in containers
    )
    missed = [(container, place) for container, place in places if place is not None]
    if not missed:
        return MissingFiles()
    paths = {path for _, place in missed for path in place.on_host}
    statuses = host.require(StatPaths(sorted(paths), follow=True))
    items = _missing_files(host, list(_gaps_on_host(missed, statuses)), repeated)
    return MissingFiles(tuple(missing for missing in items if _is_certain(missing)))


class _Gap(msgspec.Struct, frozen=True):
    """The first step of a path that is not on the host."""

    container: Container
    place: NamedPath
    depth: int
    """How many of the path's parts below the mount exist."""

    @property
    def folder(self) -> str:
        return self.place.on_host[self.depth - 1]

    @property
    def path_inside(self) -> str:
        destination = self.place.mount.destination.rstrip("/")
        return "/".join((destination, *self.place.rest[: self.depth]))


def _gaps_on_host(
    missed: Iterable[tuple[Container, NamedPath]], statuses: Mapping[str, PathStatus]
) -> Iterator[_Gap]:
    """The first step of each missed path that the host lacks."""
    for container, place in missed:
        depth = _depth(place, statuses)
        if depth:
            yield _Gap(container, place, depth)


def _missing_files(
    host: Host, gaps: Sequence[_Gap], repeated: Mapping[str, TellingLine]
) -> Iterator[MissingFile]:
    """The gaps in folders that could be listed; of links, those that lead nowhere."""
    listings = host.answers_about(sorted({gap.folder for gap in gaps}), ListFolder)
    for gap in gaps:
        listing = listings.get(gap.folder)
        if listing is None:
            continue
        missing = _missing_file(host, gap, listing, repeated)
        if posixpath.basename(missing.path) in listing.names:
            end = link_end(host, gap.container, gap.place.path_inside)
            if end is not None and not end.is_there:
                yield msgspec.structs.replace(missing, leads_to=end)
        else:
            yield missing


def _missing_file(
    host: Host, gap: _Gap, listing: FolderListing, repeated: Mapping[str, TellingLine]
) -> MissingFile:
    """The missing file, with the names that are in its folder."""
    container = gap.container
    place = gap.place
    return MissingFile(
        container,
        place=place,
        path_inside=gap.path_inside,
        path=place.on_host[gap.depth],
        folder=gap.folder,
        names=tuple(sorted(listing.names)),
        is_in_image=_is_in_image(host, container, gap.path_inside),
        is_repeated=container.id in repeated,
    )


def _is_certain(missing: MissingFile) -> bool:
    """Whether a file is known well enough: in the image, or named by the line, or of modules."""
    if missing.leads_to is not None:
        return True
    if missing.is_repeated and not missing.is_in_image:
        return False
    is_guessed = _MODULES in missing.place.rest and _MODULES not in missing.place.line
    return missing.lacks_modules or not is_guessed


def _is_in_image(host: Host, container: Container, inside: str) -> bool | None:
    """Whether a layer of the container's image has the path."""
    if not container.image:
        return None
    detail = host.ask(InspectImage(container.image))
    if isinstance(detail, Failed) or not detail.layers:
        return None
    answer = host.ask(StatPaths([f"{layer}/diff{inside}" for layer in detail.layers], follow=False))
    if isinstance(answer, Failed):
        return None
    if any(not status.failed for status in answer.values()):
        return True
    return False if all(status.failed == "missing" for status in answer.values()) else None


def _missed_path(
    host: Host, container: Container, log_tails: LogTails, repeated: TellingLine | None
) -> NamedPath | None:
    """The path below a host mount that the telling line reports as missing; or None.

    repeated: the error that the container repeats while it runs.
    """
    tail = log_tails.of(container)
    telling = repeated or tail.telling
    if telling is None or not telling.explains:
        return None
    line = in_english(telling.whole)
    if not ABSENCE.search(line) and (repeated or not fails_without_reason(line)):
        return None
    is_refused = _NAMES_REFUSAL.search(line) is not None and not _NAMES_ABSENCE.search(line)
    if is_refused or tail.failure_named(*_OF_SEVERAL) is not None:
        return None
    place = next(filter(_may_miss, named_files(container, telling.whole)), None)
    return place or _modules(container, tail) or _path_of_postgres(host, container, line)


def _path_of_postgres(host: Host, container: Container, line: str) -> NamedPath | None:
    """The missing file in PostgreSQL's data folder, by a line that does not name the folder."""
    match = _OF_POSTGRES.search(line)
    if match is None:
        return None
    folder = _postgres_folder(host, container)
    if not folder:
        return None
    place = named_path(container, f"'{folder}/{match['path']}'")
    if place is None or not _may_miss(place):
        return None
    return msgspec.structs.replace(place, line=line)


def _postgres_folder(host: Host, container: Container) -> str:
    """The data folder of PostgreSQL in the container; "" where no mount has it.

    Debian's packages have a folder for each version and cluster in theirs: 13/main.
    """
    data_folder = container.config.value_of(_PGDATA)
    folders = [data_folder.rstrip("/")] if data_folder else []
    for mount in container.mounts:
        if not mount.has_host_path or not _POSTGRES_FOLDERS.match(mount.destination):
            continue
        top = mount.destination.rstrip("/")
        listing = host.ask(ListFolder(mount.source))
        names = () if isinstance(listing, Failed) else listing.names
        versions = sorted(name for name in names if name.isdigit())
        folders += [top, f"{top}/data", *(f"{top}/{version}/main" for version in versions)]
    for folder in folders:
        marker = named_path(container, f"'{folder}/PG_VERSION'")
        if marker is None or not marker.mount.has_host_path:
            continue
        answer = host.ask(StatPaths([marker.on_host[-1]], follow=True))
        if not isinstance(answer, Failed) and not answer[marker.on_host[-1]].failed:
            return folder
    return ""


def _modules(container: Container, tail: LogTail) -> NamedPath | None:
    """The modules of the program in the working directory, where one of them is missed by name."""
    failure = tail.failure_named(*_OF_MODULES)
    if failure is None:
        return None
    missed = failure.values.get("command") or failure.values.get("module") or ""
    if not missed or missed.startswith(("/", ".")) or not container.config.working_dir:
        return None
    place = named_path(container, f"'{container.config.working_dir.rstrip('/')}/{_MODULES}'")
    if place is None or not _may_miss(place):
        return None
    return msgspec.structs.replace(place, line=failure.line)


def _may_miss(place: NamedPath) -> bool:
    is_on_host = place.mount.has_host_path and 0 < len(place.rest) <= DEEPEST
    return is_on_host and ".." not in place.rest and not MADE_AT_RUN.search(place.path_inside)


def _depth(place: NamedPath, by_path: Mapping[str, PathStatus]) -> int:
    """The depth of the first missing step below an existing folder; 0 if all exist.

    0 too where a link on the way leads to another place of the host than of the container.
    """
    above: PathStatus | None = None
    for depth, path in enumerate(place.on_host):
        status = by_path.get(path)
        if status is not None and status.failed == "missing":
            is_below_a_folder = above is not None and above.type == "folder"
            return depth if is_below_a_folder else 0
        if status is None or status.failed:
            return 0
        if depth and status.link:
            return 0
        above = status
    return 0


def _base_name(path: str) -> str:
    """A file's name without the part that differs between an example and the file itself."""
    name = posixpath.basename(path).lower().replace(".yaml", ".yml")
    return _EXAMPLE.sub("", name)
