"""The log of a system containerd before its end."""

import msgspec
from msgspec.structs import replace

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log_lines import LogLine, parse, parse_entries
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import FileText, ReadFile
from diagnose.questions.service import ReadJournal
from diagnose.registry import evidence

__all__ = ["ContainerdLog", "containerd_log"]

UNIT = "containerd.service"
FILES = ("/var/log/containerd.log", "/var/log/containerd/containerd.log")
"""Log files under init systems without a journal."""
JOURNAL_LINES = 400
"""A start writes some 60."""
TAIL_BYTES = 64 * 1024
UP = "containerd successfully booted"
_NOT_ITS_OWN = "modprobe: "
"""The unit tries to load a module that a kernel may have built in, and starts without it."""


class ContainerdLog(msgspec.Struct, frozen=True):
    """The newest lines, oldest first; none where nothing is wrong with containerd or the engine."""

    lines: tuple[LogLine, ...] = ()
    source: str = ""
    """A file's path, or "journal containerd.service"."""

    def evidence(self, line: LogLine | None) -> dict[str, str]:
        """The text of a line by its place; nothing for None."""
        return {f"{self.source} {line.place}".strip(): line.text} if line is not None else {}

    @property
    def last_failure(self) -> LogLine | None:
        """The last line of the newest start; None if it came up.

        The refusal of a file is written before the first line of a start.
        """
        for line in reversed(self.lines):
            if line.message.startswith(UP):
                return None
            if line.level in ("fatal", "panic"):
                return line
        return None


@evidence
def containerd_log(host: Host, daemon: Daemon) -> ContainerdLog | Unavailable:
    """The log of the system's containerd, read where containerd or the engine is down.

    A containerd that dockerd starts itself writes to dockerd's log.
    """
    is_well = bool(daemon.processes.containerds) and not daemon.is_down
    if not daemon.same_host or not daemon.has_containerd or is_well:
        return ContainerdLog()
    journal = host.ask(ReadJournal(UNIT, JOURNAL_LINES))
    if not isinstance(journal, Failed) and journal.entries:
        own_entries = [
            entry for entry in journal.entries if not entry.message.startswith(_NOT_ITS_OWN)
        ]
        return ContainerdLog(parse_entries(own_entries, UNIT), f"journal {UNIT}")
    log = _log_file(host)
    if not log.source and isinstance(journal, Failed) and journal.reason != "missing":
        return Unavailable.of(journal)
    return log


def _log_file(host: Host) -> ContainerdLog:
    """The end of the first file that there is; empty where there is none."""
    for path in FILES:
        file = host.ask(ReadFile(path, max_bytes=TAIL_BYTES, tail=True))
        if not isinstance(file, Failed):
            lines = _with_time_of_end(parse(file.lines_of_end), file)
            return ContainerdLog(lines, path)
    return ContainerdLog()


def _with_time_of_end(lines: tuple[LogLine, ...], file: FileText) -> tuple[LogLine, ...]:
    """The lines of a file; a bare line at its end is as old as the file's last change.

    containerd says without a time why it gives up before its first line of a start.
    """
    texts = file.text.rstrip().splitlines()
    is_bare = bool(lines) and texts[-1].strip() == lines[-1].message
    if not is_bare or file.mtime is None:
        return lines
    return (*lines[:-1], replace(lines[-1], at=file.mtime))
