"""Mounted files that failed programs could not use, where their lines do not say why.

A folder in the place of a file, and a file that the program's user may not read, look the same in
such a line: the host tells them apart.
"""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import (
    BindSources,
    NamedPath,
    is_shallow,
    named_files,
    named_path,
)
from diagnose.evidence.containers.settings.named.setting_files import only_file
from diagnose.evidence.items import Items
from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import ListFolder, PathStatus
from diagnose.registry import evidence

_FAILS = LazyPattern(
    r"""(?xi)
    \b(?:can(?:not|'t)|could\ not|couldn't|failed\ to|unable\ to)
        \ (?:\w+\ ){0,2}?(?:load|open|parse|read|use)\b
    | \b(?:error|failed|failure|problem)\ (?:in\ |when\ |while\ )?(?:loading|opening|parsing|reading)\b
    """
)
"""Errors of programs about a file that they could not use."""
_SAYS_WHY = LazyPattern(
    r"""(?xi)
    \b(?:corrupt|denied|empty|exist|expect|found|incompatible|invalid|locked|malformed|memory|missing
        |permi|refus|space|syntax|unexpected|unknown|unmarshal|unsupported|utf|version)
    | \bno\ such\ | \bin\ use\b | \bline\ \d | \b(?-i:E[A-Z]{4,10})\b | \berrno\b | :\d+:\d+
    """
)
"""Words of lines that give the reason."""
_CALLED_ABSENT = LazyPattern(
    r"(?i)no such file|\bENOENT\b|does(?:n't| not) exist|\bnot found\b|can(?:not|'t) find"
)
"""Errors that programs also print for a file behind a folder which they may not enter: many check
for its existence, and take each refusal for a no."""
_A_FOLDER = LazyPattern(r"(?i)\bEISDIR\b|\bis a directory\b|\bos error 21\b")
_LIKE_A_FILE = LazyPattern(r"/[\w.-]*\.(?!d$)\w{1,10}$")


class UnusableFile(msgspec.Struct, frozen=True):
    """A path that a failed program could not use, with the host's status of each step."""

    container: Container
    named: NamedPath
    sources: BindSources
    """The mount's source, and each step below it."""
    is_called_absent: bool = False
    """Whether the program says that it is not there."""

    @property
    def is_there(self) -> bool:
        """Whether each step to it is known: a missing one has a finding of its own."""
        return not any(status.failed for status in self.sources.below.values())

    @property
    def is_folder(self) -> bool:
        """Whether an empty folder is mounted where the program expects a file."""
        source = self.named.mount.source
        return not self.named.rest and self.sources.entries.get(source) == 0


class UnusableFiles(Items[UnusableFile], frozen=True):
    """The unusable files, at most one for each container."""


@evidence
def unusable_files(host: Host, containers: Containers, log_tails: LogTails) -> UnusableFiles:
    """Paths that failed programs name as unusable, one for each container.

    All paths take one question, and each folder in the place of a file takes one more. A container
    with several such paths is left out.
    """
    places = [
        (container, place)
        for container in containers
        for place in _places(container, log_tails.of(container))
    ]
    if not places:
        return UnusableFiles()
    paths = {path for _, place in places for path in place.on_host}
    statuses = path_statuses(host, sorted(paths), follow=True)
    files_by_id: dict[str, list[UnusableFile]] = {}
    for container, place in places:
        is_absent = _CALLED_ABSENT.search(in_english(place.line)) is not None
        file = UnusableFile(container, place, _sources(host, place, statuses), is_absent)
        if file.is_folder or not _A_FOLDER.search(place.line):
            files_by_id.setdefault(container.id, []).append(file)
    return UnusableFiles(tuple(files[0] for files in files_by_id.values() if len(files) == 1))


def fails_without_reason(line: str) -> bool:
    """Whether a line says that a file could not be used, and not why."""
    return _FAILS.search(line) is not None and not _SAYS_WHY.search(line)


def _places(container: Container, tail: LogTail) -> Iterator[NamedPath]:
    """The path that the line which explains the failure is about, or all that it may be about."""
    telling = tail.telling
    if telling is None or not telling.explains:
        return
    line = in_english(telling.whole)
    if _A_FOLDER.search(line):
        if named_path(container, line) is None:
            yield from _mounted_as_files(container, telling.whole)
    elif _CALLED_ABSENT.search(line):
        yield from filter(_is_on_host, named_files(container, telling.whole))
    elif fails_without_reason(line):
        text = telling.whole
        place = next(named_files(container, text), None) or _only_place(container, text)
        if place is not None and _is_on_host(place):
            yield place


def _is_on_host(place: NamedPath) -> bool:
    """Whether the steps to a path can be looked up on the host."""
    return place.mount.has_host_path and is_shallow(place)


def _mounted_as_files(container: Container, line: str) -> Iterator[NamedPath]:
    """The mounts that are called like files, for a line that does not say which is a folder."""
    for mount in container.bind_mounts:
        if _is_like_a_file(mount):
            yield NamedPath(line, mount, (), whole=True)


def _is_like_a_file(mount: Mount) -> bool:
    return _LIKE_A_FILE.search(mount.destination) is not None


def _only_place(container: Container, line: str) -> NamedPath | None:
    """The one file of settings that is mounted, for a line that names none."""
    setting = only_file(container, line)
    place = named_path(container, f"'{setting.path_inside}'") if setting is not None else None
    return msgspec.structs.replace(place, line=line) if place is not None else None


def _sources(host: Host, place: NamedPath, statuses: Mapping[str, PathStatus]) -> BindSources:
    """The statuses of one path's steps, and the entries of a folder with a file's name."""
    first, *below = place.on_host
    source = statuses.get(first)
    entries: dict[str, int] = {}
    is_folder = source is not None and source.type == "folder"
    if is_folder and not below and _is_like_a_file(place.mount):
        listing = host.ask(ListFolder(first))
        entries = {} if isinstance(listing, Failed) else {first: len(listing.entries)}
    return BindSources(
        {first: source} if source is not None else {},
        {path: statuses[path] for path in below if path in statuses},
        entries,
    )
