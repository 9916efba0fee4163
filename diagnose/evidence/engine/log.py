"""The daemon's own log: from the journal, or from the file that its standard error points to."""

import functools
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.engine.installed.packaging import packaging
from diagnose.evidence.engine.log_lines import LogLine, parse, parse_entries
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.endpoint import FindEndpoint, FindLocality
from diagnose.questions.engine import PingEngine
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, ReadFile
from diagnose.questions.service import ReadJournal
from diagnose.registry import evidence

__all__ = ["NO_LOG", "DaemonLog", "LogLine", "daemon_log"]

JOURNAL_LINES = 1000
TAIL_BYTES = 256 * 1024
"""Some 1,500 lines: a day of an engine that does not debug; reading and redacting them takes 30 ms.
"""
FILES = ("/var/log/docker.log", "/var/log/docker/docker.log", "/var/log/upstart/docker.log")
"""Log files under init systems without a journal (OpenRC, sysvinit, upstart)."""
ENDED = ("ignoring event", "received task-delete event from containerd")
"""Lines of an engine about the end of a container's first process: 20.10 to 28.5, and 29.7."""
STARTING = "Starting up"
"""The first line of every engine from 20.10 on."""
UP = ("API listen on", "Daemon has completed initialization")
"""Lines of an engine that has started."""


class DaemonLog(msgspec.Struct, frozen=True, dict=True):
    """The newest lines, oldest first."""

    lines: tuple[LogLine, ...]
    source: str
    """A file's path, or "journal docker.service"."""
    mtime: float | None = None
    """Unix time of the file's last line."""

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, line: LogLine) -> str:
        """The place of a line, as evidence names it.

        The source, and the time or the number in it.
        """
        return f"{self.source} {line.place}".strip()

    def evidence(self, line: LogLine | None) -> dict[str, str]:
        """The text of a line by its place; nothing for None."""
        return {self.where(line): line.text} if line is not None else {}

    def since(self, moment: float) -> tuple[LogLine, ...]:
        """The lines from this Unix time on; those without a time are left out."""
        return tuple(line for line in self.lines if line.at is not None and line.at >= moment)

    @functools.cached_property
    def shutdowns(self) -> tuple[float, ...]:
        """Unix times at which the engine was asked to stop.

        The words are the same in engines 20.10 to 29.
        """
        return tuple(
            line.at
            for line in self.lines
            if line.at and line.message.startswith("Processing signal")
        )

    @functools.cached_property
    def ends(self) -> Mapping[str, tuple[float, ...]]:
        """The Unix times at which a container's first process ended, by container id.

        Requested or not, as containerd reported to the engine, at the level info.
        """
        times_of: dict[str, list[float]] = {}
        for line in self.lines:
            if line.message in ENDED and line.fields.get("topic") == "/tasks/delete" and line.at:
                times_of.setdefault(line.fields.get("container", ""), []).append(line.at)
        return {id: tuple(times) for id, times in times_of.items()}

    @functools.cached_property
    def last_failure(self) -> LogLine | None:
        """The line with which the newest start attempt ended.

        None if that attempt came up, or if its end is not known.

        An engine that refuses its configuration writes that one line and not even "Starting up", so
        that the attempt begins behind the newest sign of a start.
        """
        for line in reversed(self.lines):
            if line.level in ("fatal", "panic"):
                return line
            if line.message.startswith((STARTING, *UP)):
                return None
        return None

    @functools.cached_property
    def came_up(self) -> bool:
        """Whether the newest start attempt ended with an engine that listens."""
        return any(line.message.startswith(UP) for line in self.last_start)

    @functools.cached_property
    def last_start(self) -> tuple[LogLine, ...]:
        """The lines of the newest start attempt; all lines where its begin is not among them."""
        for at in range(len(self.lines) - 1, -1, -1):
            if self.lines[at].message == STARTING:
                return self.lines[at:]
        return self.lines

    def has_started_since(self, at: float) -> bool:
        """Whether the engine has begun a start after this Unix time, and came up."""
        if not self.lines or not self.came_up:
            return False
        began = self.last_start[0]
        return began.message == STARTING and began.at is not None and began.at > at

    @property
    def name(self) -> str:
        """The file path or unit name of the log, as a command takes it."""
        return self.source.removeprefix("journal ")


NO_LOG = DaemonLog((), "")
"""For a check that can do without the log: one in which no line is found."""


@evidence
def daemon_log(host: Host) -> DaemonLog | Unavailable:
    """The journal where there is one.

    Otherwise the file behind the daemon's standard error, or where init systems put it. All but
    the second are the system's engine's: a rootless one writes to its user's journal.
    """
    endpoint = host.ask(FindEndpoint())
    if not isinstance(endpoint, Failed) and endpoint.rootless is not None:
        unread = Failed("missing", "a rootless engine's log is in its user's journal")
        return _first_readable(host, _own_file(host), unread)
    ping = host.ask(PingEngine())
    if not isinstance(ping, Failed) and ping.libpod:
        return Unavailable("not applicable", "Podman has no daemon that writes a log")
    unit = packaging(host).unit
    journal = host.ask(ReadJournal(unit, JOURNAL_LINES))
    if isinstance(journal, Failed) and journal.reason == "remote":
        return Unavailable.of(journal)
    if not isinstance(journal, Failed) and journal.entries:
        return DaemonLog(parse_entries(journal.entries, unit), f"journal {unit}")
    nowhere = Failed(
        "missing",
        "the daemon's log was not found: neither a journal nor a file that its output goes to",
    )
    if isinstance(journal, Failed) and journal.reason != "missing":
        nowhere = journal
    files = (_LogFile(path, path) for path in FILES)
    return _first_readable(host, (*_own_file(host), *files), nowhere)


class _LogFile(msgspec.Struct, frozen=True):
    """A file that may be the engine's log."""

    path: str
    shown: str
    """The path that people know: the other one may be a link of /proc."""


def _first_readable(
    host: Host, files: Iterable[_LogFile], journal: Failed
) -> DaemonLog | Unavailable:
    """The first of these files that can be read.

    journal: why there is none; a file that may not be read explains more than a journal that is
    missing.
    """
    refusals = [journal] if journal.reason != "missing" else []
    for file in files:
        end = host.ask(ReadFile(file.path, max_bytes=TAIL_BYTES, tail=True))
        if not isinstance(end, Failed):
            return DaemonLog(parse(end.lines_of_end), file.shown, end.mtime)
        if end.reason != "missing":
            refusals.append(end)
    return Unavailable.of(refusals[0] if refusals else journal)


def _own_file(host: Host) -> Iterator[_LogFile]:
    """The file behind the running daemon's standard error; empty if it is not a file."""
    place = host.ask(FindLocality())
    pid = None if isinstance(place, Failed) else place.engine_pid
    if pid:
        link = f"/proc/{pid}/fd/2"
        statuses = path_statuses(host, [link], follow=False)
        target = statuses.get(link, NOT_ASKED).link or ""
        if target.startswith("/") and not target.startswith("/dev/"):
            is_deleted = target.endswith(" (deleted)")
            yield _LogFile(link if is_deleted else target, target)
