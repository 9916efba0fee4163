"""The sentence about an engine that is down: how it is, why, and who still lives."""

from collections.abc import Sequence

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.data_root_candidates import PlannedMount
from diagnose.evidence.engine.installed.engine_upgrades import ChangesWhileDown
from diagnose.evidence.engine.starting.end_meaning import (
    NO_ACTIVATION,
    is_explained,
    served_elsewhere,
)
from diagnose.evidence.engine.starting.engine_end import EngineEnd
from diagnose.evidence.engine.starting.failed_start import meaning
from diagnose.evidence.machine.memory_kills import kill_reason
from diagnose.phrases import and_more, duration, named

NAMES_SHOWN = 8


def sentence_of(
    daemon: Daemon, end: EngineEnd, changes: ChangesWhileDown, missing: PlannedMount | None
) -> str:
    """The whole sentence about an engine that is down.

    changes: of its packages. missing: the disk that belongs where the link at its data root leads.
    """
    return (
        f"{_state(daemon, end, changes)}{reason_of(daemon, end)}{_stopping_change(end, changes)}"
        f"{_circumstances(end)}"
        f"{_missing_disk(missing)}{_running_containers_clause(end.alive)}"
    )


def reason_of(daemon: Daemon, end: EngineEnd) -> str:
    """The reason why the engine is down, as the end of a sentence.

    Where systemd alone keeps it down, or its program is gone, its own log does not explain it.
    """
    if _is_systemds_matter(daemon, end) or daemon.installation.program == "":
        return ""
    if end.failure_text or daemon.processes.engine:
        return _unexplained_start_clause(end.failure_text)
    return _end_clause(end)


def _stopping_change(end: EngineEnd, changes: ChangesWhileDown) -> str:
    """The package change during which the engine was asked to stop, as the end of a sentence."""
    request = end.stop_request
    if request is None or end.failure_text:
        return ""
    package = changes.that_stopped_the_engine(request.at)
    return f", during a package change ({package}), and nobody started it since" if package else ""


def _circumstances(end: EngineEnd) -> str:
    """Further circumstances of the failure, as the end of its sentence; "" for none."""
    circumstances = ""
    if NO_ACTIVATION in end.failure_text:
        circumstances = "; -H fd:// takes the socket from systemd, and systemd handed none over"
    if end.taken_by:
        circumstances += f", by {end.taken_by}"
    if end.folder_makers:
        makers = named("container", end.folder_makers)
        circumstances += f"; {makers} started before the socket was there"
    return circumstances


def _missing_disk(disk: PlannedMount | None) -> str:
    """The disk that belongs where the data root's link leads, as the end of a sentence."""
    if disk is None:
        return ""
    return f"; {disk.declared_in} has {disk.source} for {disk.point}, and nothing is mounted there"


def _state(daemon: Daemon, end: EngineEnd, changes: ChangesWhileDown) -> str:
    """The state of an engine that does not serve its socket: gone, down, or alive without it."""
    process = daemon.processes.engine
    socket = daemon.address
    removed = changes.removed(daemon)
    if process is None and removed is not None:
        return f'dockerd is not running: its package "{removed.name}" was removed from this host'
    if process is None:
        return _down_sentence(daemon, end)
    dockerd = f"dockerd (pid {process.pid}) runs"
    served = served_elsewhere(daemon)
    if served:
        return f"{dockerd} and serves {served}, but clients ask {socket}, which does not exist"
    if end.came_up and daemon.reason == "missing":
        return f"{dockerd}, but its socket {socket} was removed"
    if end.came_up and daemon.has_folder_for_socket:
        return f"{dockerd}, but a folder has taken the place of its socket {socket}"
    age = daemon.processes.age
    age_clause = f", {duration(age)} after its start" if age is not None else ""
    return f"{dockerd}, but does not serve {socket}{age_clause}"


def _down_sentence(daemon: Daemon, end: EngineEnd) -> str:
    """The sentence that the engine does not run, with the reason that its unit gives."""
    unit = daemon.installation.known_unit
    name = daemon.installation.unit_name
    if daemon.installation.program == "":
        return "dockerd is not running, and its program is missing where packages install it"
    if unit.took_too_long:
        return (
            "dockerd is not running: its start took longer than its unit allows (TimeoutStartSec)"
        )
    if end.blockers.failed:
        names = and_more(end.blockers.failed, NAMES_SHOWN)
        return f"dockerd is not running: systemd did not start it, because {names} failed, which its unit requires"
    if end.blockers.slow:
        names = and_more(end.blockers.slow, NAMES_SHOWN)
        return f"dockerd is not running: systemd makes its start wait for {names}"
    if daemon.is_socket_activated:
        return "dockerd is not running; systemd will start it for the next client"
    if unit.is_masked:
        return f"dockerd is not running, and {name} is masked"
    if end.socket_failure.has_failed:
        return f"dockerd is not running: systemd could not make its socket{_socket_cause(end)}"
    if unit.is_left_down:
        return f"dockerd is not running, and {name} is not enabled: so it does not start at boot"
    if unit.active_state == "failed":
        return f"dockerd is not running: {name} failed ({unit.result})"
    return "dockerd is not running"


def _is_systemds_matter(daemon: Daemon, end: EngineEnd) -> bool:
    """Whether only systemd keeps the engine down, so that its own log does not explain it."""
    blockers = end.blockers
    is_held = bool(blockers.failed or blockers.slow) or end.socket_failure.has_failed
    return is_held or daemon.installation.known_unit.took_too_long


def _socket_cause(end: EngineEnd) -> str:
    """The reason why the socket unit failed, as the end of a sentence; "" where systemd does not
    say."""
    failure = end.socket_failure
    if failure.group:
        return f': this host has no group "{failure.group}", which should own the socket'
    return f": {failure.words}" if failure.words else ""


def _end_clause(end: EngineEnd) -> str:
    """The end of the engine's last run, where it came up and logged no failure, as a clause.

    "" where the engine is starting.
    """
    if end.killed:
        return f": {kill_reason(end.killed)}"
    if not end.came_up:
        return ""
    if end.signal:
        return f": it was asked to stop (signal {end.signal})"
    return ": its log ends without a message, as after a kill -9 or a power cut"


def _unexplained_start_clause(text: str) -> str:
    """The reason why the engine's last start failed; "" where another check explains it."""
    if not text or is_explained(text):
        return ""
    recognised = meaning(text)
    if recognised is not None:
        return f": {recognised.cause}"
    return f": {text.removeprefix('failed to start daemon: ')}"


def _running_containers_clause(alive: Sequence[str] | None) -> str:
    """The containers that run without an engine, as the end of the sentence."""
    if alive is None:
        return ""
    return (
        f"; still running: {and_more(alive, NAMES_SHOWN)}" if alive else "; no container is running"
    )
