"""The last lines of log files that programs inside running containers write themselves.

Nextcloud, Laravel, Tomcat, Nginx Proxy Manager and the children of supervisord write their errors
into files in a volume, a mounted folder or the container's writable layer: `docker logs` shows
nothing of them.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.logs.own_files.log_folder import RECENT_S
from diagnose.evidence.containers.logs.own_files.own_log_files import OwnLogFile, OwnLogFiles
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.programs.line_times import written_at
from diagnose.programs.stack_traces import is_frame
from diagnose.questions import Host
from diagnose.questions.files import FileText
from diagnose.registry import evidence

MOST_FILES = 6
"""Maximum number of files of one container that are read, the latest first."""
MOST = 100
"""Files that are read in one run."""
MOST_LINES = 60
"""The last lines of one file that count."""
UNDATED = 12
"""Number of last lines of a file without times that count as present ones."""
_OF_NGINX = LazyPattern(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[error\] ")
_ABOUT_UPSTREAM = LazyPattern(r"\bupstream\b|\bFastCGI\b")
"""nginx's lines about a server behind it; the same file has lines about requests of scanners."""


class OwnLogs(msgspec.Struct, frozen=True):
    """The lines of programs' own log files by container id, oldest first."""

    by_id: dict[str, tuple[RecentLine, ...]] = {}
    unexamined: tuple[Unexamined, ...] = ()


@evidence
def own_logs(host: Host, own_log_files: OwnLogFiles) -> OwnLogs:
    """The ends of the files; whoever may list a file may not always read it."""
    of_containers = by_key((file.container.id, file) for file in own_log_files)
    chosen = [file for files in of_containers.values() for file in files[:MOST_FILES]]
    latest = sorted(chosen, key=lambda file: -file.written)
    chosen_logs = host.first(latest, MOST, "log files of programs")
    by_id: dict[str, list[RecentLine]] = {}
    for file, text in host.ask_in_order(chosen_logs, lambda file: file.end):
        if not isinstance(text, Failed):
            by_id.setdefault(file.container.id, []).extend(lines_of(file, text))
    return OwnLogs(
        {
            id: tuple(sorted(lines, key=lambda line: line.at))
            for id, lines in by_id.items()
            if lines
        },
        own_log_files.unexamined,
    )


def lines_of(file: OwnLogFile, text: FileText) -> Iterator[RecentLine]:
    """The lines of the last minutes.

    Their times are of the program's own zone: the last one of all is when the file was written.
    """
    lines = [line.rstrip() for line in text.lines_of_end if line.strip()]
    if "\0" in text.text:
        return
    written = text.mtime if text.mtime is not None else file.written
    written_at_each = moments(lines[-MOST_LINES:], written)
    for at, line in zip(written_at_each, lines[-MOST_LINES:], strict=True):
        is_of_stranger = _OF_NGINX.match(line) and not _ABOUT_UPSTREAM.search(line)
        if at is not None and written - at <= RECENT_S and not is_of_stranger:
            yield RecentLine(at, line, file.path)


def moments(lines: Sequence[str], written: float) -> list[float | None]:
    """When each line was written; None where that is not known.

    A line without a time belongs to the one above. In a file without any, the last lines count
    as of now: nothing distinguishes them from older ones.
    """
    stamps = [None if is_frame(line) else written_at(line) for line in lines]
    last = next((stamp for stamp in reversed(stamps) if stamp is not None), None)
    if last is None:
        return [None] * (len(lines) - UNDATED) + [written] * min(len(lines), UNDATED)
    of_lines: list[float | None] = []
    for stamp in stamps:
        before = of_lines[-1] if of_lines else None
        of_lines.append(before if stamp is None else written - max(0.0, last - stamp))
    return of_lines
