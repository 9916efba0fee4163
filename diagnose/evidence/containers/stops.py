"""Whether somebody asked for the end of a container that failed and stays down."""

from __future__ import annotations

import json

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.from_disk import FILE_BYTES
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Json, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

SHUTDOWN_S = 60.0
"""Within so many seconds of the signal to end the engine has stopped its containers: each has its grace period."""


class Stops(msgspec.Struct, frozen=True):
    """By container id, of those that exited with an error: whether stop or kill ended it. One that nobody
    remembers is not here. stopped_with_daemon: those that nobody asked to end but the engine, when it was stopped itself.
    """

    by_id: dict[str, bool]
    stopped_with_daemon: frozenset[str] = frozenset()


@evidence
def stops(
    host: Host,
    containers: Containers,
    clock: Clock,
    options: Options,
    events: Events | Unavailable,
    root: DataRoot,
    log: DaemonLog | Unavailable,
) -> Stops:
    """The events first, of which the engine keeps few; then its own note in config.v2.json, which root alone can read
    (HasBeenManuallyStopped, in engines 1.12 to 29: a stop of the engine itself leaves it false).
    """
    found = {}
    asked = {}
    fell = {each.id for each in containers if _stopped_with_engine(each, log)}
    for each in containers:
        age = clock.age(each.finished_at)
        if each.state.status != "exited" or age is None or age > options.since_s:
            continue
        if each.state.exit_code == 0 and each.id not in fell:
            continue
        if isinstance(events, Events) and events.of(each.id, "die"):
            found[each.id] = events.was_stopped(each.id)
        elif each.stays_down:
            path = f"{root.path}/containers/{each.id}/config.v2.json"
            asked[question("file.read", path=path, max_bytes=FILE_BYTES)] = each
    for file, answer in host.ask_many(asked):
        note = _note(answer)
        if note is not None:
            found[asked[file].id] = note
    return Stops(found, frozenset(id for id in fell if found.get(id) is False))


def _stopped_with_engine(container: Container, log: DaemonLog | Unavailable) -> bool:
    """Whether it ran when the engine was told to end, and ended within the time that the engine gives to its containers.

    A container that was started later, after the engine's restart, ended for a reason of its own.
    """
    shutdowns = log.shutdowns if isinstance(log, DaemonLog) else ()
    started, ended = container.started_at, container.finished_at
    if ended is None:
        return False
    return any(
        signal - 1 <= ended <= signal + SHUTDOWN_S and (started is None or started <= signal) for signal in shutdowns
    )


def _note(answer: Json | Failed) -> bool | None:
    if isinstance(answer, Failed):
        return None
    try:
        said = json.loads(answer["text"])["HasBeenManuallyStopped"]
    except (ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, bool) else None
