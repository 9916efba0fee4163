"""daemon.temp-folder-small: the engine unpacks in a folder of its own that has too little room."""

from diagnose.error_signatures import signs
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.said_errors import SaidErrors
from diagnose.evidence.engine.temp_room import TempRoom
from diagnose.model import (
    DAEMON,
    Bytes,
    CheckResult,
    Finding,
    Json,
    PageVariables,
    Severity,
    Skipped,
)
from diagnose.phrases import size
from diagnose.registry import check

NO_SPACE = "no space left on device"
_GIB = 1 << 30


@check(
    "daemon.temp-folder-small",
    severity=Severity.warning,
    causes=("daemon.errors-in-log", "image.pull-no-space"),
    aloud=("has little room for what its engine loads", "have little room for what engines load"),
)
def temp_folder_small(
    temp_room: TempRoom,
    daemon: Daemon,
    said_errors: SaidErrors,
    log: DaemonLog | None,
    *,
    roomy: Bytes = Bytes(4 << 30),
    tiny: Bytes = Bytes(1 << 30),
) -> CheckResult:
    """The engine's temporary folder is on a disk of its own that was too small.

    `DOCKER_TMPDIR` in the engine's environment names where it puts what it loads, imports and
    builds before that goes into the data root. It says "no space left on device" when that place is
    full, and the room is back a moment later. The check reports it where the engine's log has these
    words of a request since its start, and that place is another file system than the data root's,
    with less than `roomy` in all. Lines that name the data root are about that, as are those
    without a path while it has less room than that place. `docker load` is in no log: a place with
    less than `tiny` is advice without such words.
    """
    if daemon.is_podman:
        return Skipped("Podman has no such folder")
    errors = [error for error in said_errors if _is_of_folder(error.line.text, temp_room)]
    usage = temp_room.usage
    if usage is None or usage.size >= (roomy if errors else tiny):
        return None
    evidence: dict[str, Json] = {
        "environment of dockerd": f"DOCKER_TMPDIR={temp_room.folder}",
        f"{usage.point} ({usage.fstype})": f"{size(usage.available)} left of {size(usage.size)}",
    }
    lack = "has little room"
    first = None
    if errors:
        lack = "had no room"
        first = errors[0]
    if first is not None and log is not None:
        evidence |= log.evidence(first.line)
    yield Finding(
        subject=DAEMON,
        summary=f"the engine {lack} for what it loads or builds: DOCKER_TMPDIR is "
        f"{temp_room.folder}, on {usage.point} with {size(usage.size)} in all",
        severity=None if first is not None else Severity.advice,
        evidence=evidence,
        onset=first.first if first is not None else None,
        signs=(signs(first.line.text) or None) if first is not None else None,
        variables={"path": temp_room.folder, **_more_room(temp_room)},
    )


def _is_of_folder(text: str, temp_room: TempRoom) -> bool:
    """Whether a line of the engine's log is about the temporary folder's lack of room."""
    if NO_SPACE not in text or temp_room.usage is None:
        return False
    if f"{temp_room.folder}/" in text:
        return True
    return f"{temp_room.root}/" not in text and temp_room.left_in_root > temp_room.usage.size


def _more_room(temp_room: TempRoom) -> PageVariables:
    """The page variables that give a file system in memory more room; empty for a disk."""
    usage = temp_room.usage
    if usage is None or usage.fstype != "tmpfs" or not usage.point:
        return {}
    gibibytes = max(4, 4 * usage.size // _GIB)
    return {"point": usage.point, "larger": f"remount,size={gibibytes}g"}
