"""The last log lines of containers that ended badly, and of those alone: the rest is never asked for its log."""

from __future__ import annotations

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Unexamined
from diagnose.phrases import unix
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

LINES = 12
BYTES = 32 * 1024
MOST = 60
"""So many logs are read in one run: first of what nobody watched, the latest failures first."""


class LogTail(msgspec.Struct, frozen=True):
    """The lines of the container's last run, oldest first, without their times; none if that run said nothing.

    earlier: those of the runs before, as far as they stand among the lines that were asked for.
    """

    lines: tuple[str, ...]
    earlier: tuple[str, ...] = ()

    @property
    def before_this_run(self) -> LogTail:
        """Those of the runs before, which have failed, while the last one has yet to; all, if no earlier one is known."""
        return LogTail(self.earlier) if self.earlier else self

    @property
    def last(self) -> str:
        return self.lines[-1] if self.lines else ""

    @property
    def signs(self) -> frozenset[str]:
        return signs(*self.lines)

    def find(self, *needles: str) -> str:
        """The last line that holds one of these, whatever their case; empty if none does."""
        for line in reversed(self.lines):
            if any(needle in line.lower() for needle in needles):
                return line
        return ""


class LogTails(msgspec.Struct, frozen=True):
    """By container id. unread: why a log could not be read, by container id (a driver without reading, mostly)."""

    by_id: dict[str, LogTail]
    unread: dict[str, str]
    unexamined: tuple[Unexamined, ...] = ()

    def of(self, container: Container) -> LogTail:
        """What it said last; no lines where nothing was asked, said, or could be read."""
        return self.by_id.get(container.id, LogTail(()))


def suspicious(container: Container, now: float, since_s: float) -> bool:
    """Whether its log is worth a question: it failed within the looked-at time, loops, or is unhealthy."""
    state = container.state
    if state.status == "restarting":
        return True
    if container.is_running:
        unhealthy = state.health is not None and state.health.status == "unhealthy"
        return unhealthy or container.restart_count > 0
    finished = container.finished_at
    return state.status == "exited" and state.exit_code != 0 and finished is not None and now - finished < since_s


@evidence
def last_words(host: Host, containers: Containers, clock: Clock, options: Options) -> LogTails:
    """What is beyond `MOST` is named as not examined, but for runs in the foreground: somebody has read those."""
    wanted = sorted(
        (each for each in containers if suspicious(each, clock.wall, options.since_s)),
        key=lambda each: (not each.was_watched, each.finished_at or 0.0),
        reverse=True,
    )
    found: dict[str, LogTail] = {}
    unread: dict[str, str] = {}
    asked = {question("api.logs", id=each.id, tail=LINES, bytes=BYTES): each for each in wanted[:MOST]}
    for each, answer in host.ask_many(asked):
        container = asked[each]
        if isinstance(answer, Failed):
            if answer.reason != "gone":
                unread[container.id] = str(answer)
        else:
            found[container.id] = _words(answer["text"], container.started_at)
    unread_why = "its log was not read: too many failed"
    skipped = tuple(Unexamined(each.subject, unread_why) for each in wanted[MOST:] if not each.was_watched)
    return LogTails(found, unread, skipped)


class _Said(msgspec.Struct):
    text: str = ""


def _words(text: str, started: float | None) -> LogTail:
    lines: list[str] = []
    earlier: list[str] = []
    for row in text.split("\n"):  # and at no carriage return: what `#!` lines of DOS bring forth holds one
        stamp, _, line = row.partition(" ")
        at = unix(stamp)
        if line.strip():
            # the engine notes the start after the process has begun to write: milliseconds, or a second on a busy host
            before = at is not None and started is not None and at < started - 2
            (earlier if before else lines).append(line.rstrip())
    return LogTail(tuple(lines), tuple(earlier))
