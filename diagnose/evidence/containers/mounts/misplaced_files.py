"""Files that a running program looks for in one folder, and that are mounted in another one.

Its log repeats the path, nothing exists there, and a file of the same name is mounted elsewhere in
the container.
"""

import posixpath
import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

_FILE = LazyPattern(r"\.[A-Za-z][\w-]{0,12}$")
"""A mount of one file of settings, of a list or of a key: its name has an ending."""
_FOUND = LazyPattern(r"(?i)\b(?:using|load(?:ed|ing)|read(?:ing)?|found)\b")
_DENIED = LazyPattern(r"(?i)\b(?:no|not|none|cannot|missing|unable|fail\w{0,4})\b|n't\b")
"""Words that deny that a program has found a file."""
_REQUEST = LazyPattern(r"\b(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS)\b.{0,3}/")
"""A path that a client requests, which is not a path of the container."""
_OPTIONAL = LazyPattern(r"(?i)\b(?:optional\w*|overrid\w+|skip\w*)\b")
"""Words about a file that is optional."""
_MADE = LazyPattern(r"\.(?:log|pid|sock|lock|tmp)$")
"""Files that a program creates itself."""


class MisplacedFile(msgspec.Struct, frozen=True):
    """A path that a program looks for, and the mount that has such a file elsewhere."""

    container: Container
    wanted: str
    """The path in the container, where nothing is."""
    mount: Mount
    line: str
    """The line that names the path."""
    variable: str = ""
    """The variable that leads to that folder."""


class MisplacedFiles(Items[MisplacedFile], frozen=True):
    """The misplaced files, at most one for each container."""


@evidence
def misplaced_files(host: Host, containers: Containers, recent_logs: RecentLogs) -> MisplacedFiles:
    """The misplaced files of running containers, by paths that their logs repeat.

    Paths are looked up only of containers with a mounted file of the same name.
    """
    files = []
    for container in containers.running:
        candidates = list(_candidates(container, recent_logs))
        if not candidates:
            continue
        root = f"/proc/{container.state.pid}/root"
        paths = sorted({f"{root}{misplaced.wanted}" for misplaced in candidates})
        statuses = host.ask(StatPaths(paths, follow=False))
        if isinstance(statuses, Failed):
            continue
        missing = [
            misplaced
            for misplaced in candidates
            if statuses[f"{root}{misplaced.wanted}"].failed == "missing"
            and _is_missing(host, root, misplaced.wanted)
        ]
        files += missing[:1]
    return MisplacedFiles(tuple(files))


def _is_missing(host: Host, root: str, path: str) -> bool:
    """Whether the file is missing in the container's own view, links included."""
    answer = host.ask(ReadFile(path, max_bytes=1, root=root, parts="hidden"))
    return isinstance(answer, Failed) and answer.reason == "missing"


def _candidates(container: Container, recent_logs: RecentLogs) -> Iterator[MisplacedFile]:
    """The paths of its lines that end in the name of a mounted file, and are elsewhere.

    A program that tries several places names the right one too, or reports the file that it has
    found.
    """
    files = [
        mount
        for mount in container.bind_mounts
        if _FILE.search(mount.destination) and not _MADE.search(mount.destination)
    ]
    texts = recent_logs.texts_of(container) if files else ()
    for mount in files:
        name = posixpath.basename(mount.destination)
        path_pattern = re.compile(
            rf"(?<![\w./-])(?P<path>/(?:[\w.-]{{1,80}}/){{0,8}}{re.escape(name)})(?![\w.-])"
        )
        if any(mount.destination in _paths(path_pattern, text) for text in texts):
            continue
        for text in reversed(texts):
            other_paths = [path for path in _paths(path_pattern, text) if path != mount.destination]
            is_request = _REQUEST.search(text) is not None
            if other_paths and not is_request and not _says_found(text):
                is_optional = _OPTIONAL.search(text) is not None
                folder = posixpath.dirname(other_paths[0])
                variable = "" if is_optional else _variable_of(container, folder)
                yield MisplacedFile(container, other_paths[0], mount, text, variable)
                break


def _says_found(text: str) -> bool:
    return _FOUND.search(text) is not None and _DENIED.search(text) is None


def _paths(path_pattern: re.Pattern[str], text: str) -> list[str]:
    return [match["path"] for match in path_pattern.finditer(text)]


def _variable_of(container: Container, folder: str) -> str:
    """The variable whose value is this folder; "" for none."""
    values = container.config.environment
    return next((name for name, value in values if value.rstrip("/") == folder), "")
