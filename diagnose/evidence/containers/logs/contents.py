"""Damage that the host does to the engine's log files.

Rotation by logrotate, and NUL bytes that a power cut or a truncation left.
"""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.files import LogFiles
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, ReadFile
from diagnose.registry import evidence

MAIN_FILE = "/etc/logrotate.conf"
FOLDER = "/etc/logrotate.d"
TABOO = (
    ".disabled",
    ".bak",
    ".rpmsave",
    ".rpmnew",
    ".rpmorig",
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-new",
    ".swp",
    "~",
    ",v",
)
"""Endings of files in the folder that logrotate passes over (logrotate(8), tabooext)."""
MOST_FILES = 100
MOST_LOGS = 20
HEAD_BYTES = 1024
TAIL_BYTES = 16384
"""Bytes that are read of each log: a power cut leaves NUL bytes at the end, and later lines follow
them."""
_BLOCK = LazyPattern(r"(?:^|(?<=[{}]))(?P<paths>[^{}]*+)\{(?P<body>[^{}]*+)\}")


class LogRotation(msgspec.Struct, frozen=True):
    """A block of a logrotate file whose pattern covers the engine's log files."""

    path: str
    """The file that it is in."""
    pattern: str
    copies: bool
    """copytruncate: the file is copied and cut, and the engine keeps writing to it."""
    container: str
    """A container whose log the pattern covers."""


class NulLog(msgspec.Struct, frozen=True):
    """A container's log file with NUL bytes near its beginning or its end."""

    container: Container
    path: str
    where: str


class LogContents(msgspec.Struct, frozen=True):
    """The rotations and NUL bytes in logs of containers whose driver is json-file."""

    rotations: tuple[LogRotation, ...]
    damaged: tuple[NulLog, ...]
    unread_rotations: Unavailable | None = None
    """The reason why logrotate's files could not be read."""
    unread_logs: Unavailable | None = None
    """The reason why a log could not be read."""


@evidence
def log_contents(host: Host, containers: Containers, logs: LogFiles | None) -> LogContents:
    """The damage in the largest log files, and logrotate's blocks about them.

    Reads logrotate's files, and both ends of the logs; the engine is not asked.
    """
    files = {container.log_path: container for container in containers if _has_json_file(container)}
    if not files:
        return LogContents((), ())
    listing = host.ask(ListFolder(FOLDER))
    unlisted = None
    if isinstance(listing, Failed) and listing.reason != "missing":
        unlisted = Unavailable.of(listing)
    names = [] if isinstance(listing, Failed) else listing.names
    rotations = tuple(_rotations(host, names, files))
    nul_bytes_by_path = {path: _nul_bytes(host, path) for path in _largest_logs(files, logs)}
    damaged = tuple(
        NulLog(files[path], path, places)
        for path, places in nul_bytes_by_path.items()
        if places and not isinstance(places, Failed)
    )
    return LogContents(rotations, damaged, unlisted, _why_unread(nul_bytes_by_path))


def _why_unread(nul_bytes_by_path: Mapping[str, str | Failed]) -> Unavailable | None:
    """The reason why the last unreadable log could not be read; None if all others are gone."""
    failed = [
        (path, places) for path, places in nul_bytes_by_path.items() if isinstance(places, Failed)
    ]
    unread = [(path, why) for path, why in failed if why.reason != "missing"]
    if not unread:
        return None
    path, why = unread[-1]
    return Unavailable(why.reason, f"{path}: {why.detail}")


def _largest_logs(files: Mapping[str, Container], logs: LogFiles | None) -> list[str]:
    """The paths of the largest logs that are not empty."""
    by_id = logs.by_id if logs is not None else {}
    sizes = {
        path: by_id[container.id].bytes
        for path, container in files.items()
        if container.id in by_id and by_id[container.id].bytes
    }
    return sorted(sizes, key=lambda path: -sizes[path])[:MOST_LOGS]


def _has_json_file(container: Container) -> bool:
    return container.host_config.log_config.has_json_file and bool(container.log_path)


def _rotations(
    host: Host, names: Sequence[str], files: Mapping[str, Container]
) -> Iterator[LogRotation]:
    """The files of logrotate whose pattern covers a log file of the engine."""
    active = [name for name in names if not name.endswith(TABOO)]
    paths = [MAIN_FILE, *(f"{FOLDER}/{name}" for name in active[:MOST_FILES])]
    for path, text in host.ask_in_order(paths, ReadFile):
        if isinstance(text, Failed):
            continue
        for pattern, body in blocks(text.text):
            covered = next(
                (
                    container
                    for file, container in files.items()
                    if fnmatch.fnmatchcase(file, pattern)
                ),
                None,
            )
            if covered is not None:
                yield LogRotation(
                    path, pattern, copies="copytruncate" in body.split(), container=covered.name
                )
                break


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """The patterns of a logrotate file (logrotate.conf(5)), with the directives of their blocks."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for block in _BLOCK.finditer("\n".join(lines)):
        for word in block["paths"].split():
            pattern = word.strip("\"'")
            if pattern.startswith("/"):
                yield pattern, block["body"]


def _nul_bytes(host: Host, path: str) -> str | Failed:
    """The place of NUL bytes in a log, in words; "" for none at both ends."""
    head = host.ask(ReadFile(path, max_bytes=HEAD_BYTES))
    if isinstance(head, Failed):
        return head
    if "\x00" in head.text:
        return "at its beginning"
    tail = host.ask(ReadFile(path, max_bytes=TAIL_BYTES, tail=True))
    if isinstance(tail, Failed):
        return tail
    return "near its end" if "\x00" in tail.text else ""
