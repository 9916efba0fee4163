"""Lines that say that a program can open, or watch, no more files. Pure."""

import re

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.lazy_pattern import LazyPattern

TOO_MANY = LazyPattern(r"too many open files|\bEMFILE\b|no file descriptors", re.IGNORECASE)
_OF_INOTIFY = LazyPattern(
    r"inotify|fsnotify"
    r"|\bwatch(?:er)?s?['\")]*: (?:too many open files|EMFILE)",
    re.IGNORECASE,
)
_WATCHES = r"(?:inotify|watch(?:es|ers)?)\b"
_REACHED = LazyPattern(
    rf"\blimit\b[^\n]{{0,40}}\b{_WATCHES}[^\n]{{0,40}}\b(?:reached|exceeded)"
    rf"|\b{_WATCHES}(?: \w+)? limit[^\n]{{0,20}}\b(?:reached|exceeded)"
    r"|inotify resources exhausted",
    re.IGNORECASE,
)
"""The limit of inotify is reached: "inotify watch limit reached"."""
_FULL = LazyPattern(
    r"(?:inotify|\bwatch(?:e[rs]s?|ing)?\b).{0,300}(?:no space left on device|\bENOSPC\b)"
    r"|\bENOSPC\b.{0,300}(?:inotify|\bwatch\b)",
    re.IGNORECASE,
)
"""inotify says ENOSPC when a user may have no more watches."""
_WORDS = ("too many open files", "emfile", "no file descriptors", "inotify", "watch")
"""Words of which each line that one of these patterns finds has one."""
_WRITING = LazyPattern(r"\b(?:writ|copy|sync|renam|mkdir)", re.IGNORECASE)
"""A watcher that writes has met a full disk."""


def refused_file_line(tail: LogTail) -> str:
    """The first such line of a log; "" if there is none."""
    suspected = tail.find_all(*_WORDS)
    return next((line for line in suspected if TOO_MANY.search(line) or inotify_limit(line)), "")


def inotify_limit(line: str) -> str:
    """The sysctl name below fs.inotify of the limit that a line reports.

    Empty for a line of another limit, or one with the bare word alone.
    """
    if not line:
        return ""
    if TOO_MANY.search(line):
        return "max_user_instances" if _OF_INOTIFY.search(line) else ""
    if _REACHED.search(line):
        if re.search("instances|resources", line, re.IGNORECASE):
            return "max_user_instances"
        return "max_user_watches"
    return "max_user_watches" if _FULL.search(line) and not _WRITING.search(line) else ""
