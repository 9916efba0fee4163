"""Programs that were killed while they shut down: their signal, their last words, the SIGKILL.

A database that writes its memory to disk needs longer than the ten seconds that the engine gives,
and repairs its files at the next start.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.reading import MORE_BYTES, MORE_LINES
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.programs.log_message import plain
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.registry import evidence

LEAST_S = 1.0
"""Seconds from the signal to a SIGKILL that leaves the program no time: `docker stop --time 0`."""
SKEW_S = 0.5
"""The engine notes a line, and its own event, within so many seconds of each other."""
_ENDS = LazyPattern(
    r"(?i)\bshut(?:ting)?[ _-]?down\b|\bSIG(?:TERM|INT|QUIT)\b|\bterminat(?:e|ing|ion)\b"
    r"|\b(?:stop|exit|clos|flush|sav|drain|quiesc)ing\b|\bgraceful(?:ly)?\b|\bwaiting for\b"
    r"|\b(?:stop|exit|quit) (?:signal|request)|\breceived (?:\w{1,12} ){0,3}signal\b"
)
"""Log lines of a program that has understood the signal."""
_REPAIRS = LazyPattern(
    r"(?i)\bnot (?:been )?(?:properly |cleanly |correctly |normally |gracefully )?"
    r"(?:shut ?down|closed|stopped)\b|\bunclean(?:ly)? (?:shutdown|shut down|stop)"
    r"|\b(?:crash|automatic) recovery\b|\b(?:database|system) was interrupted\b"
    r"|\blockfile from a previous execution\b|\brecover(?:y|ing) (?:from|after) (?:an? )?(?:crash|un)"
)
"""Log lines at the next start of a program whose files show an unclean end."""


class KilledStop(msgspec.Struct, frozen=True):
    """A stop that the engine ended by force."""

    signalled: float
    killed: float
    """Unix times."""

    @property
    def waited(self) -> float:
        return self.killed - self.signalled


class CutStop(msgspec.Struct, frozen=True):
    """A program that was ending when it was killed."""

    container: Container
    stop: KilledStop
    said: str
    """The last thing that it said of its end."""
    repairs: str
    """The log line about the damage at its next start; "" without one."""


class CutStops(Items[CutStop], frozen=True):
    """The stops that a kill cut off, at most one for each container."""

    unexamined: tuple[Unexamined, ...] = ()
    """Containers whose log was not read."""

    def has(self, container: Container) -> bool:
        return any(cut.container.id == container.id for cut in self)


@evidence
def cut_stops(host: Host, containers: Containers, events: Events) -> CutStops:
    """The log of each container that the engine killed at a stop, and no other."""
    by_id = {container.id: killed_stop(events, container) for container in containers}
    killed = [container for container in containers if by_id[container.id] is not None]
    stops = []
    unread = []
    for container, log in host.ask_about(
        killed, lambda container: ReadLogs(container.id, MORE_LINES, MORE_BYTES)
    ):
        stop = by_id[container.id]
        if isinstance(log, Failed):
            if log.reason != "gone":
                unread.append(Unexamined(container.subject, f"its log was not read: {log}"))
        elif stop is not None and (last_words := _last_words_of_end(log, stop)):
            stops.append(CutStop(container, stop, last_words, _first_words_of_damage(log, stop)))
    return CutStops(tuple(stops), tuple(unread))


def killed_stop(events: Events, container: Container) -> KilledStop | None:
    """The longest stop at whose end the engine killed the container; None without one.

    A `docker kill` sends no signal before it.
    """
    history = events.of(container.id, "kill", "die", "start")
    stops = (stop for stop in _killed_stops(history) if stop.waited >= LEAST_S)
    return max(stops, key=lambda stop: stop.waited, default=None)


def _killed_stops(history: Sequence[Event]) -> Iterator[KilledStop]:
    for first, second, third in zip(history, history[1:], history[2:], strict=False):
        actions = [first.action, second.action, third.action]
        signals = [event.attributes.get("signal") for event in (first, second)]
        is_forced = signals[0] != "9" == signals[1] and third.exit_code == 137
        if actions == ["kill", "kill", "die"] and is_forced:
            yield KilledStop(first.at, second.at)


def _last_words_of_end(log: ContainerLog, stop: KilledStop) -> str:
    """The last line about its end between the signal and the SIGKILL."""
    lines = [
        plain(line.text).strip()
        for line in log.lines
        if line.at is not None and stop.signalled - SKEW_S <= line.at <= stop.killed + SKEW_S
    ]
    return next((line for line in reversed(lines) if _ENDS.search(line)), "")


def _first_words_of_damage(log: ContainerLog, stop: KilledStop) -> str:
    """The first line about the damage after the SIGKILL."""
    later = (plain(line.text).strip() for line in log.lines if (line.at or 0.0) > stop.killed)
    return next((line for line in later if _REPAIRS.search(line)), "")
