"""The kind of the largest files in a folder, by their names: dumps, logs of databases. Pure."""

import posixpath
import re
from collections.abc import Iterable

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.questions.data_root import FileSize

CORE_DUMPS = "core dumps"
HEAP_DUMPS = "heap dumps"
BINARY_LOGS = "binary logs"
WRITE_AHEAD_LOG = "segments of the write-ahead log"
CORE = r"core(?:\.\d+)?|core\.[\w.-]+\.\d+|vgcore\.\d+"
"""Names by the kernel's core_pattern as distributions set it; their own, and Valgrind's."""
_KINDS = {
    CORE_DUMPS: LazyPattern(CORE),
    HEAP_DUMPS: LazyPattern(r"[^/]{1,200}\.(?:hprof|phd|heapsnapshot)"),
    BINARY_LOGS: LazyPattern(r"(?:[\w.-]{0,100}-bin|binlog)\.\d{6,9}", re.IGNORECASE),
    WRITE_AHEAD_LOG: LazyPattern(r"[0-9A-F]{24}"),
}
"""Of crashed programs; of Java and Node.js; of MySQL and MariaDB; of PostgreSQL."""
DUMPS = {
    CORE_DUMPS: ".*/(core|(vg)?core[.][0-9]+|core[.][A-Za-z0-9_.-]+[.][0-9]+)",
    HEAP_DUMPS: ".*[.](hprof|phd|heapsnapshot)",
}
"""Files that no program needs, with their paths as find(1) takes them."""
LEADS = 0.6
"""Files of one kind that hold this much of the largest files say what fills a folder."""


class FileKind(msgspec.Struct, frozen=True):
    """Files of one kind among the largest ones of a folder."""

    name: str
    folder: str
    """The deepest folder that has them all."""
    count: int


def leading_kind(largest: Iterable[FileSize]) -> FileKind | None:
    """The kind of most of these files; None without one."""
    files = list(largest)
    total = sum(file.bytes for file in files)
    for name, pattern in _KINDS.items():
        of_kind = [file for file in files if pattern.fullmatch(posixpath.basename(file.path))]
        size = sum(file.bytes for file in of_kind)
        if of_kind and size >= LEADS * total:
            folder = posixpath.commonpath([posixpath.dirname(file.path) for file in of_kind])
            return FileKind(name, folder, len(of_kind))
    return None
