"""Events that the engine remembers from the last hours."""

import functools

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.run.options import Options
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.engine import EngineEvent, ListEvents
from diagnose.registry import evidence

KEPT = 256
"""The engine keeps so many events in memory, and none over its own restart (seen on 20.10.24,
26.1.5 and 28.5.2)."""

RELOADS = ("1", "10", "12", "28")
"""SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH: what programs take as a word to read their configuration or
log file again."""
AT_ONCE_S = 15.0
"""Within so many seconds a signal of that kind has ended a program that does not know it."""


class Event(msgspec.Struct, frozen=True):
    """An event of the engine."""

    at: float
    """Unix time."""
    type: str
    action: str
    """The first word of the event's action: `health_status`."""
    detail: str
    """The part of the action behind its colon ("unhealthy")."""
    id: str
    attributes: dict[str, str]

    @property
    def name(self) -> str:
        return self.attributes.get("name", "")

    @property
    def exit_code(self) -> int | None:
        """The exit code, of `die` and `exec_die`."""
        code = self.attributes.get("exitCode", "")
        return int(code) if code.lstrip("-").isdigit() else None


class Events(Items[Event], frozen=True, dict=True):
    """The events, oldest first."""

    complete_since: float | None = None
    """Unix time from which on nothing is missing, None where the engine holds less than it can
    keep: it then has all events since its start."""

    @functools.cached_property
    def _by_id(self) -> dict[str, list[Event]]:
        return by_key((event.id, event) for event in self)

    def of(self, id: str, *actions: str) -> tuple[Event, ...]:
        """The events of one container, oldest first; of these actions only, if any are named."""
        return tuple(
            event for event in self._by_id.get(id, ()) if not actions or event.action in actions
        )

    def failures(self, id: str) -> tuple[Event, ...]:
        """The ends of a container that nobody requested.

        A `die` without a `kill` since the last start. A signal to read something again requests no
        end, unless that follows at once.
        """
        failures = []
        stopping_until = 0.0
        for event in self._by_id.get(id, ()):
            if event.action == "kill":
                reloads = event.attributes.get("signal") in RELOADS
                stopping_until = max(
                    stopping_until, event.at + AT_ONCE_S if reloads else float("inf")
                )
            elif event.action == "start":
                stopping_until = 0.0
            elif event.action == "die" and event.at > stopping_until:
                failures.append(event)
        return tuple(failures)

    def was_stopped(self, id: str) -> bool:
        """Whether its last known end was asked for: by stop, kill, restart or removal."""
        ends = self.of(id, "die")
        return bool(ends) and ends[-1] not in self.failures(id)


@evidence
def events(host: Host, options: Options) -> Events | Unavailable:
    """The events of the time that is looked back, oldest first, and the start of a full memory.

    The question has no filter: whether the engine's memory is full shows only in the whole.
    """
    answer = host.require(ListEvents(options.since_s))
    events = sorted((_event(row) for row in answer), key=lambda event: event.at)
    return Events(tuple(events), events[0].at if len(events) >= KEPT else None)


def _event(row: EngineEvent) -> Event:
    action, _, detail = row.action.partition(":")
    at = row.time_nano / 1e9 if row.time_nano else float(row.time)
    return Event(
        at,
        row.type,
        action=action.strip(),
        detail=detail.strip(),
        id=row.actor.id,
        attributes=row.actor.attributes or {},
    )
