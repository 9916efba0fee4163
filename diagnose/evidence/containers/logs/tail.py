"""The last lines of a container's log, and the line among them that explains a failure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.reading import LINES, MORE_BYTES, MORE_LINES, read_ends
from diagnose.evidence.containers.options.lacking_options import given_devices
from diagnose.foreign_words import in_english
from diagnose.mappings import first_of
from diagnose.model import Failed
from diagnose.programs.contexts import in_context
from diagnose.programs.failures import FAILURES, Recognised, recognise, recognise_family
from diagnose.programs.failures.host.rights import without_root
from diagnose.programs.failures.network.neighbours import on_host_network
from diagnose.programs.families import FAMILIES, LAST_RESORTS
from diagnose.programs.telling_line import TellingLine, telling_line
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.usage_texts import without_usage

LEAST_LINES = LINES // 2
"""Minimum number of `LINES` that remain, where the others are empty."""
CUT_OFF = 2
"""Lines at the beginning of a tail that may belong to a message whose first line was not read."""
_NOTED_LATE_S = 2.0
"""The engine may note a start so long after the first line."""
_PAUSE_S = 0.1
"""The engine waits for so long at least before it starts a container again, and it may read the
last lines of a run a moment after the end."""


class LogTail(msgspec.Struct, frozen=True, dict=True):
    """The last lines of a container's log, without their times: those of its last run.

    Where that run has just begun after a failure, they are those of the run before.
    """

    lines: tuple[str, ...]
    """Oldest first; empty where the run printed nothing."""
    earlier: tuple[str, ...] = ()
    """The lines of the runs before, as far as they are among the lines that were asked for."""
    path: str = ""
    """The program's own log file that they are of; "" for the container's log."""
    is_on_host: bool = False
    """Whether the container has the host's network: its localhost is the host."""
    begins_as_root: bool = True
    given: frozenset[str] = frozenset()
    """The options that gave the container its devices."""

    @functools.cached_property
    def before_this_run(self) -> LogTail:
        """The lines of the earlier runs, which failed, while the last run has yet to.

        All, if no earlier run is known.
        """
        if not self.earlier:
            return self
        return msgspec.structs.replace(self, lines=self.earlier, earlier=(), path="")

    @property
    def last(self) -> str:
        return self.lines[-1] if self.lines else ""

    @functools.cached_property
    def telling(self) -> TellingLine | None:
        """The line that explains the failure; None where nothing was printed."""
        return telling_line(self.lines)

    @property
    def telling_text(self) -> str:
        """The text of that line; "" where nothing was printed."""
        return self.telling.whole if self.telling is not None else ""

    @property
    def has_complaint(self) -> bool:
        """Whether that line complains of something."""
        return self.telling is not None and self.telling.is_complaint

    @property
    def explains(self) -> bool:
        """Whether a line shows the reason."""
        return self.telling is not None and self.telling.explains

    @functools.cached_property
    def known_failure(self) -> Recognised | None:
        """The failure of one program that the lines show; None where none is known."""
        failure = recognise(self.lines, self.telling, FAILURES) if self.lines else None
        if failure is not None and not self.begins_as_root:
            failure = without_root(failure)
        return on_host_network(failure) if failure is not None and self.is_on_host else failure

    @functools.cached_property
    def failure(self) -> Recognised | None:
        """The known failure that the lines show, or else the family of the line that explains.

        It is what the program says; the host may confirm it.
        """
        if not self.lines:
            return None
        family = self.known_failure or recognise_family(self.telling, FAMILIES)
        recognised = in_context(family, self.lines, self.telling)
        if recognised is not None and recognised.is_met_by(self.given):
            return None
        if recognised is not None or self.explains:
            return recognised
        return recognise(self.lines, None, LAST_RESORTS)

    def failure_named(self, *names: str) -> Recognised | None:
        """The known failure, if it is one of these rows."""
        failure = self.failure
        return failure if failure is not None and failure.name in names else None

    @functools.cached_property
    def signs(self) -> frozenset[str]:
        """Error signatures of the last lines and of the line that explains."""
        telling = self.telling
        last_lines = without_usage(self.lines)[-LINES:]
        return signs(*last_lines, *((telling.whole,) if telling else ()))

    @functools.cached_property
    def _small_letters(self) -> str:
        """All lines in small letters, and in English."""
        return in_english("\n".join(self.lines)).lower()

    def find(self, *needles: str) -> str:
        """The last line that contains one of these, whatever their case; empty if none does."""
        return first_of(self.find_all(*needles), "")

    def find_all(self, *needles: str) -> list[str]:
        """The lines that contain one of these, whatever their case, the last one first."""
        if not self.lines or not any(needle in self._small_letters for needle in needles):
            return []
        matches = []
        for line in reversed(self.lines):
            small = in_english(line).lower()
            if any(needle in small for needle in needles):
                matches.append(line)
        return matches


NO_LINES = LogTail(())
"""The tail of a container whose log was not read, or is empty."""


class TailsRead(NamedTuple):
    """The last log lines of some containers, by container id."""

    tails: dict[str, LogTail]
    unread: dict[str, str]
    """The reasons why logs could not be read."""


def read_tails(host: Host, containers: Sequence[Container]) -> TailsRead:
    """The last lines of these containers."""
    read = read_ends(host, containers)
    tails = {
        container.id: _tail_of(container, read.logs[container.id])
        for container in containers
        if container.id in read.logs
    }
    with_end = [container for container in containers if container.id not in read.endless]
    tails |= _longer_tails(host, with_end, tails)
    return TailsRead(tails, read.unread)


def _longer_tails(
    host: Host, containers: Iterable[Container], tails: Mapping[str, LogTail]
) -> dict[str, LogTail]:
    """Longer tails of the logs whose last lines explain nothing.

    A log that cannot be read twice keeps its short one.
    """
    unclear = [
        container
        for container in containers
        if container.id in tails and _explains_little(tails[container.id])
    ]
    answers = host.ask_about(
        unclear, lambda container: ReadLogs(container.id, MORE_LINES, MORE_BYTES)
    )
    return {
        container.id: _tail_of(container, answer)
        for container, answer in answers
        if not isinstance(answer, Failed)
    }


def _explains_little(tail: LogTail) -> bool:
    """Whether a longer tail of this log may explain more.

    It is about as long as was asked for; no line explains a failure, or only one at its very
    beginning, or one that objects to nothing or of which nothing is known, or one of a message that
    began before.

    What is cut off above the first lines may then be the beginning of the same message.
    """
    judged = tail.before_this_run
    if len(tail.lines) + len(tail.earlier) < LEAST_LINES:
        return False
    telling = judged.telling
    if telling is None or telling.index < CUT_OFF:
        return True
    if not telling.explains or not telling.is_complaint or judged.failure is None:
        return True
    upto = judged.lines[: telling.index + 1]
    return all(line.startswith("  ") or not line for line in upto)


def _tail_of(container: Container, log: ContainerLog) -> LogTail:
    return _tail(
        log,
        _begin_of_lines(container),
        is_on_host=container.shares_host_network,
        begins_as_root=container.config.starts_as_root,
        given_settings=given_devices(container),
    )


def _begin_of_lines(container: Container) -> float | None:
    """The moment before which lines are of the runs before the last one. Unix time.

    The end of the run before divides them. It is not known of a container that has ended, and the
    engine notes a start after the process has begun to write: milliseconds, or seconds on a busy
    host, and for a short run after its end.
    """
    started = container.started_at
    ended = container.finished_at
    if started is None:
        return None
    if ended is None:
        return started - _NOTED_LATE_S
    if container.is_running and ended < started:
        return ended + _PAUSE_S
    return min(started, ended) - _NOTED_LATE_S


@functools.lru_cache(256)
def _tail(
    log: ContainerLog,
    begin: float | None,
    *,
    is_on_host: bool,
    begins_as_root: bool,
    given_settings: frozenset[str],
) -> LogTail:
    """The lines of a log as it was read. begin: the time of the first line of the last run.

    One object for the same log, so that what its lines say is worked out once: a proof reads the
    logs again for each cause that it tries.
    """
    lines: list[str] = []
    earlier: list[str] = []
    for line in log.lines:
        before = line.at is not None and begin is not None and line.at < begin
        (earlier if before else lines).append(line.text.rstrip())
    return LogTail(
        tuple(lines),
        tuple(earlier),
        is_on_host=is_on_host,
        begins_as_root=begins_as_root,
        given=given_settings,
    )
