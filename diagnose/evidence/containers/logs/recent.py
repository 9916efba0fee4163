"""The last lines of running containers' logs, of the last minutes alone."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.access_lines import AccessLine, access_lines
from diagnose.evidence.containers.logs.files import LogFiles
from diagnose.evidence.containers.logs.own_files.own_logs import OwnLogs
from diagnose.evidence.containers.logs.reading import (
    LINES,
    MORE_BYTES,
    MORE_LINES,
    RECENT_S,
    ReadEnds,
    read_ends,
)
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Unexamined
from diagnose.programs.log_message import without_numbers
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.registry import evidence

MOST = 300
"""Logs that are read: first those of containers that publish ports, which call others. 260 that are
written to take 4 % more of a run than 100 of them."""
LEAST = 2
CONTINUED = LINES // 3
"""Number of indented last lines that are a part of one long message: the log is read again from
before the stack trace."""
FRESH_S = 90.0
"""A program that repeats its complaint did so within the last moments, or has got over it."""


class RecentLogs(msgspec.Struct, frozen=True, dict=True):
    """The recent lines of logs by container id, oldest first."""

    by_id: dict[str, tuple[RecentLine, ...]] = {}
    unread: dict[str, str] = {}
    """The reasons why logs were not read, by container id. Containers that keep no log by their own
    configuration are left out."""
    unexamined: tuple[Unexamined, ...] = ()
    """The reasons why programs may have log files of their own that were not read."""
    endless: frozenset[str] = frozenset()
    """The ids of containers the end of whose log the engine did not give in time."""

    def of(self, container: Container) -> tuple[RecentLine, ...]:
        """Its lines; none where it printed nothing recently, or where its log was not read."""
        return self.by_id.get(container.id, ())

    def texts_of(self, container: Container) -> tuple[str, ...]:
        """Its lines without their times."""
        return tuple(line.text for line in self.of(container))

    def of_this_run(self, container: Container) -> tuple[RecentLine, ...]:
        """Its lines since its last start: earlier complaints may be cured."""
        return tuple(line for line in self.of(container) if container.wrote_in_this_run(line.at))

    def requests_of(self, container: Container) -> tuple[AccessLine, ...]:
        """The requests in its log since its last start, read once for all callers."""
        requests_by_id = self._requests
        if container.id not in requests_by_id:
            requests_by_id[container.id] = tuple(access_lines(self.of_this_run(container)))
        return requests_by_id[container.id]

    @functools.cached_property
    def _requests(self) -> dict[str, tuple[AccessLine, ...]]:
        """The requests read so far, by container id."""
        return {}

    def repeated(
        self,
        container: Container,
        says: Callable[[str], bool],
        clock: Clock,
        least: float = LEAST,
        fresh: float = FRESH_S,
    ) -> tuple[RecentLine, ...]:
        """Its lines that say something, where they are `least` and the last one is `fresh`.

        Empty otherwise. says: whether the text of a line says it. fresh: in seconds.
        """
        lines = tuple(line for line in self.of(container) if says(line.text))
        is_now = len(lines) >= least and clock.is_within(lines[-1].at, fresh)
        return lines if is_now else ()

    def left_out(self, containers: Iterable[Container]) -> tuple[Unexamined, ...]:
        """The containers whose logs were not read, which keeps a check of them from passing."""
        return tuple(
            Unexamined(container.subject, f"its log was not read: {self.unread[container.id]}")
            for container in containers
            if container.id in self.unread
        )

    def __len__(self) -> int:
        return len(self.by_id)


@evidence
def recent_logs(
    host: Host,
    containers: Containers,
    clock: Clock,
    log_files: LogFiles | None,
    own_logs: OwnLogs | None = None,
) -> RecentLogs:
    """The recent log lines of running containers.

    A program whose calls fail stays up, and its container looks healthy: its log is read too. A log
    whose file was not written to recently is not read: it has no recent line. Lines of programs'
    own files are included.
    """
    since = clock.wall - RECENT_S
    candidates = [
        container
        for container in containers.running
        if container.host_config.log_config.keeps_lines
        and not _is_older(container, log_files, since)
    ]
    candidates.sort(key=lambda container: (not container.published_ports, container.name))
    read = _read(host, candidates[:MOST], clock)
    unread = read.unread | {
        container.id: f"only {MOST} logs are read in one run, and more were written to recently"
        for container in candidates[MOST:]
    }
    recent = {id: tuple(_recent_lines(log, since)) for id, log in read.logs.items()}
    own = own_logs or OwnLogs()
    for id, lines in own.by_id.items():
        recent[id] = _with_own(recent.get(id, ()), [line for line in lines if line.at >= since])
    lines_by_id = {id: lines for id, lines in recent.items() if lines}
    return RecentLogs(lines_by_id, unread, own.unexamined, read.endless)


def _with_own(
    printed: Sequence[RecentLine], written: Sequence[RecentLine]
) -> tuple[RecentLine, ...]:
    """The lines of a log and of the program's own files, by their times.

    A program may write a line into several places: it counts where it was met first.
    """
    place_of = {without_numbers(line.text): line.path for line in printed}
    for line in written:
        place_of.setdefault(without_numbers(line.text), line.path)
    newest_lines = [line for line in written if place_of[without_numbers(line.text)] == line.path]
    return tuple(sorted((*printed, *newest_lines), key=lambda line: line.at))


def _read(host: Host, containers: Sequence[Container], clock: Clock) -> ReadEnds:
    """A log that is cut, or busy, is read again, to a greater length."""
    read = read_ends(host, containers)
    short = [
        id
        for id, log in read.logs.items()
        if id not in read.endless and (_is_cut(log) or _is_busy(log, clock))
    ]
    longer = host.answers_about(short, lambda id: ReadLogs(id, MORE_LINES, MORE_BYTES))
    return ReadEnds(read.logs | longer, read.unread, read.endless)


def _recent_lines(log: ContainerLog, since: float) -> Iterator[RecentLine]:
    for line in log.lines:
        if line.at is not None and line.at >= since and line.text.strip():
            yield RecentLine(line.at, line.text.rstrip())


def _is_cut(log: ContainerLog) -> bool:
    """Whether the last lines are a part of one long message, whose beginning is needed."""
    return sum(line.text[:1].isspace() for line in log.lines) >= CONTINUED


def _is_busy(log: ContainerLog, clock: Clock) -> bool:
    """Whether the last lines of a log are of the last moments alone.

    The requests of a health check, or one error of ten lines without an indent, fill them; empty
    lines between its parts count.
    """
    oldest = next((line.at for line in log.lines), None)
    rows = log.text.rstrip("\n").count("\n") + 1
    return rows >= LINES and clock.is_within(oldest, FRESH_S)


def _is_older(container: Container, log_files: LogFiles | None, since: float) -> bool:
    """Whether the file of its log is known, and was last written to before this moment."""
    file = log_files.of(container) if log_files is not None else None
    return file is not None and file.written is not None and file.written < since
