"""Files of settings that failed programs miss at one path, and that are mounted at another path."""

import posixpath
import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.registry import evidence

_SETTINGS = LazyPattern(
    r"/(?!(?:composer|package|tsconfig)\.json$)[\w.-]{1,80}"
    r"\.(?:cert|cfg|cnf|conf|config|crt|env|ini|json|key|pem|properties|toml|xml|ya?ml)$"
)
"""A file that a person writes for the program. A source file of such a name is in many folders."""

_LACKING = LazyPattern(
    r"\b(?:(?:is|are) required|missing|must be (?:configured|provided|set)|not (?:configured|provided|set)"
    r"|please provide|provide an?)\b",
    re.IGNORECASE,
)
"""Words about settings that a program does not find in its file."""


class FileElsewhere(msgspec.Struct, frozen=True):
    """A file that the line which explains the failure misses, and where a mount has one."""

    container: Container
    wanted: str
    """The path in the container at which nothing is mounted."""
    place: str
    """The path in the container of a file of that name."""
    mount: Mount
    line: str
    is_of_image: bool = False
    """Whether the command names the wanted path: the image may have a file of its own there."""

    @property
    def on_host(self) -> str:
        """The path of the file on the host."""
        return self.mount.on_host(self.place)


class FilesElsewhere(Items[FileElsewhere], frozen=True):
    """The files at another path, at most one for each container."""


@evidence
def files_elsewhere(host: Host, containers: Containers, log_tails: LogTails) -> FilesElsewhere:
    """Files that failed containers miss and that exist elsewhere on the host.

    All paths take one question. A container with several candidates is left out.
    """
    candidates = [
        candidate for container in containers for candidate in _candidates(container, log_tails)
    ]
    if not candidates:
        return FilesElsewhere()
    paths = sorted({candidate.on_host for candidate in candidates})
    statuses = path_statuses(host, paths, follow=True)
    files = {path for path, status in statuses.items() if status.type == "file"}
    present = [candidate for candidate in candidates if candidate.on_host in files]
    grouped = by_key((candidate.container.id, candidate) for candidate in present)
    return FilesElsewhere(tuple(filter(None, map(only, grouped.values()))))


def _candidates(container: Container, log_tails: LogTails) -> Iterator[FileElsewhere]:
    """The places below mounts of the host where the file that a container misses may lie."""
    tail = log_tails.of(container)
    failure = tail.failure_named("path-missing")
    if failure is not None:
        path = failure.values.get("path", "")
        line = failure.line
    else:
        path = _file_of_command(container, tail.telling_text)
        line = tail.telling_text
    is_held = any(is_within(path, mount.destination) for mount in container.mounts)
    if is_held or not _SETTINGS.search(path):
        return
    name = posixpath.basename(path)
    for mount in container.bind_mounts:
        place = f"{mount.destination.rstrip('/')}/{name}"
        if posixpath.basename(mount.destination) == name:
            place = mount.destination
        yield FileElsewhere(container, path, place, mount, line, is_of_image=failure is None)


def _file_of_command(container: Container, line: str) -> str:
    """The one file that the command of an ended container names, where its log misses settings.

    "" elsewhere.
    """
    if not _LACKING.search(line) or not container.stays_down:
        return ""
    words = map(_value, container.config.words[1:])
    return only([word for word in words if _is_file(word)]) or ""


def _value(word: str) -> str:
    """The value of an option, or a word of its own."""
    return word.partition("=")[2] if word.startswith("-") else word


def _is_file(word: str) -> bool:
    return word.startswith("/") and _SETTINGS.search(word) is not None
