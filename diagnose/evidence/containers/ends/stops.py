"""Whether anybody requested the end of a container that failed and stays down."""

import json
from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.from_disk import FILE_BYTES
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import FileText, ReadFile
from diagnose.registry import evidence

SHUTDOWN_S = 60.0
"""Within so many seconds of the signal to end the engine has stopped its containers: each has its
grace period."""

EARLY_S = 10.0
"""Seconds within which a container with published ports counts as failed although it ended with 0.
"""


class Stops(msgspec.Struct, frozen=True):
    """Whether stop or kill ended containers that exited with an error, by container id.

    Ends without a record are left out.
    """

    by_id: dict[str, bool]
    stopped_with_daemon: frozenset[str] = frozenset()
    """The containers that the engine stopped when it was stopped itself."""

    def was_requested(self, container: Container) -> bool:
        """Whether anybody is known to have requested the end."""
        return self.by_id.get(container.id, False)

    def was_unasked(self, container: Container) -> bool:
        """Whether certainly nobody requested the end or stopped the engine."""
        was_requested = (
            self.by_id.get(container.id, True) or container.id in self.stopped_with_daemon
        )
        return not was_requested


@evidence
def stops(
    host: Host,
    containers: Containers,
    clock: Clock,
    options: Options,
    events: Events | Unavailable,
    root: DataRoot,
    log: DaemonLog | Unavailable,
    processes: Processes | Unavailable,
) -> Stops:
    """The events first, of which the engine keeps few.

    Then its own note in config.v2.json, which root alone can read (HasBeenManuallyStopped, in
    engines 1.12 to 29: a stop of the engine itself leaves it false).
    """
    logged = log.shutdowns if isinstance(log, DaemonLog) else ()
    shutdowns = (*logged, *_engine_stop_times(containers, clock, processes))
    with_engine = {
        container.id for container in containers if _stopped_with_engine(container, shutdowns)
    }
    exited = [
        container for container in containers if _exited_since(container, clock, options.since_s)
    ]
    failed = [
        container
        for container in exited
        if container.id in with_engine or not _ended_well(container)
    ]
    requested = _stops_by_events(failed, events)
    unread = [
        container for container in failed if container.id not in requested and container.stays_down
    ]
    requested |= _stops_by_files(host, root, unread)
    unasked = frozenset(id for id in with_engine if requested.get(id) is False)
    return Stops(requested, stopped_with_daemon=unasked)


def _stops_by_events(
    containers: Iterable[Container], events: Events | Unavailable
) -> dict[str, bool]:
    """Whether stop or kill ended each container, by id, where the events mention its end."""
    if isinstance(events, Unavailable):
        return {}
    return {
        container.id: events.was_stopped(container.id)
        for container in containers
        if events.of(container.id, "die")
    }


def _stops_by_files(host: Host, root: DataRoot, containers: Iterable[Container]) -> dict[str, bool]:
    """Whether a person or a program stopped each container, by the engine's own file, by id."""
    answers = host.ask_about(containers, lambda container: _own_file(root, container))
    notes = {container.id: _note(answer) for container, answer in answers}
    return {id: note for id, note in notes.items() if note is not None}


def _exited_since(container: Container, clock: Clock, since_s: float) -> bool:
    has_ended = container.state.status == "exited"
    return has_ended and clock.is_within(container.finished_at, since_s)


def _ended_well(container: Container) -> bool:
    """Whether a program ended without an error, and not at once where it should have served."""
    return container.state.exit_code == 0 and not _ended_early(container)


def _own_file(root: DataRoot, container: Container) -> ReadFile:
    """The engine's own file about a container, of which one field is needed."""
    path = f"{root.path}/containers/{container.id}/config.v2.json"
    return ReadFile(path, max_bytes=FILE_BYTES, parts="stopped by hand")


def _ended_early(container: Container) -> bool:
    """Whether a container that publishes ports ended within seconds.

    A server that works does not.
    """
    return bool(container.wanted_ports) and (container.ran_for or 0.0) < EARLY_S


def _engine_stop_times(
    containers: Containers, clock: Clock, processes: Processes | Unavailable
) -> tuple[float, ...]:
    """The times at which the engine was stopped, by containers that started again afterwards.

    A journal in memory loses this at a reboot. The engine ended the containers within seconds of
    each other, and restarted those with a restart policy.
    """
    every = processes if isinstance(processes, Processes) else ()
    engine = next((process for process in every if process.comm == "dockerd"), None)
    if engine is None:
        return ()
    began = clock.booted + engine.start
    ends = [
        container.finished_at
        for container in containers.running
        if container.finished_at
        and container.finished_at < began
        and 0 <= (container.started_at or 0.0) - began <= SHUTDOWN_S
    ]
    return (max(ends) - EARLY_S,) if ends else ()


def _stopped_with_engine(container: Container, shutdowns: Iterable[float]) -> bool:
    """Whether a container ended because the engine was asked to stop.

    It ended within the time that the engine gives to its containers.

    A container that was started later, after the engine's restart, ended for a reason of its own.
    """
    started = container.started_at
    ended = container.finished_at
    if ended is None:
        return False
    return any(
        signal - 1 <= ended <= signal + SHUTDOWN_S and (started is None or started <= signal)
        for signal in shutdowns
    )


def _note(answer: FileText | Failed) -> bool | None:
    if isinstance(answer, Failed):
        return None
    try:
        note = json.loads(answer.text)["HasBeenManuallyStopped"]
    except (ValueError, KeyError, TypeError):
        return None
    return note if isinstance(note, bool) else None
