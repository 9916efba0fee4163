"""What is known of an engine that is down: its last words, its end, and who still lives."""

from __future__ import annotations

import re

import msgspec

from checks.daemon.blame import blamed_key
from checks.daemon.containerd import NO_CONTAINERD
from checks.daemon.last_words import ENGINE, healing, meaning
from checks.daemon.last_words import page_variables as cures
from checks.daemon.start import NETWORK, PID_TAKEN, STORAGE
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon, Unit
from diagnose.evidence.engine.daemon_json.faults import CONFIGURATION
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.engine.socket_failure import SocketFailure
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.network.listeners import Listeners
from diagnose.evidence.storage.mounts import Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import DAEMON, Finding, Json, Severity, Subject
from diagnose.phrases import ago, and_more, named

NAMES_SHOWN = 8
EXPLAINED = (
    STORAGE,
    NETWORK,
    PID_TAKEN,
    LazyPattern("|".join(map(re.escape, (CONFIGURATION, *NO_CONTAINERD)))),
)
"""Last words of an engine that other checks have a name for."""
NO_ACTIVATION = "no sockets found via socket activation"
"""dockerd/listeners in all engines, where `-H fd://` is not met by systemd's docker.socket."""
TAKEN = LazyPattern(r"listen tcp\S* (\S+:\d+): bind: address already in use")
SIGNAL = LazyPattern(r"Processing signal '(\w+)'")
CLOCKS_APART_S = 5.0
"""Tolerated difference in seconds between kernel log and engine log timestamps."""


class EngineEnd(msgspec.Struct, frozen=True):
    """What is known of a dead engine beside its process and its socket.

    None is what could not be had.
    """

    containers: Containers | None
    log: DaemonLog | None
    no_log: str
    """Why the log could not be read."""
    root: DataRoot | None
    mounts: Mounts | None
    kernel: KernelLog | None
    listeners: Listeners | None
    config: DaemonConfig | None
    socket_failure: SocketFailure

    @property
    def last_failure(self) -> LogLine | None:
        """The line with which the newest start attempt ended."""
        return self.log.last_failure if self.log is not None else None

    @property
    def failure_text(self) -> str:
        """That line's text; "" where there is none."""
        return self.last_failure.text if self.last_failure is not None else ""

    @property
    def came_up(self) -> bool:
        """Whether the newest start attempt ended with an engine that listens."""
        return self.log is not None and self.log.came_up


def engine_down(daemon: Daemon, facts: EngineEnd) -> Finding:
    """The finding about an engine that does not serve its socket."""
    socket = daemon.endpoint.path or daemon.endpoint.url
    text = facts.failure_text
    killed = _killed(facts)
    if _is_systemds_matter(daemon, facts):
        reason = ""
    elif text or daemon.processes.engine:
        reason = _unnamed(text)
    else:
        reason = _ended(killed, facts)
    blamed = blamed_key(facts.config, text) if reason else ""
    taken, holder = _taken(text, facts)
    makers = _folder_makers(daemon, facts)
    alive = _alive(daemon, facts)
    state = _state(daemon, socket, facts)
    circumstances = _circumstances(text, holder, makers)
    is_starting = daemon.is_starting and not facts.came_up
    is_about_a_disk = bool(signs(text) & {"no-space", "read-only", "io-error"})
    return Finding(
        subject=DAEMON,
        summary=f"{state}{reason}{circumstances}{_living(alive)}",
        evidence={
            _asked(daemon, socket): _answer(daemon),
            "processes": _processes(daemon),
            **_unit(daemon),
            **present({"docker.socket": facts.socket_failure.words}),
            **_last_words(facts, killed),
            **healing(None if _is_explained(text) else meaning(text)),
            **present({f"listens at {taken}": holder}),
            **_blamed_setting(facts.config, blamed),
            **present({f"containers that mount {socket}": makers}),
            **({"containers alive": alive or "none"} if alive is not None else {}),
        },
        variables=_page_variables(daemon, facts, socket, text, blamed),
        severity=Severity.warning if is_starting else None,
        touches=_written(text, facts) if is_about_a_disk else (),
        signs=signs(text),
    )


def _circumstances(text: str, holder: str, makers: list[str]) -> str:
    """What else explains the failure, as the end of its sentence.

    text: of the failure. holder: who listens at its address. makers: see `_folder_makers`.
    """
    circumstances = ""
    if NO_ACTIVATION in text:
        circumstances = "; -H fd:// takes the socket from systemd, and systemd handed none over"
    if holder:
        circumstances += f", by {holder}"
    if makers:
        circumstances += f"; {named('container', makers)} started before the socket was there"
    return circumstances


def _page_variables(
    daemon: Daemon, facts: EngineEnd, socket: str, text: str, blamed: str
) -> dict[str, str]:
    """What the page needs.

    text: the last failure's, blamed: the key of the file that it names. The engine is started again
    as it is where nothing better is known.
    """
    log = facts.log.source.removeprefix("journal ") if facts.log is not None else "docker.service"
    variables = {"socket": socket, "log": log}
    if _is_folder(daemon):
        variables["folder"] = socket
    if blamed:
        variables["repair"] = "daemon.not-running"
    unit = daemon.installation.unit
    if unit is not None and unit.load_state == "masked":
        return variables | {"masked": ENGINE}
    if facts.socket_failure.group:
        return variables | {"group": facts.socket_failure.group}
    if unit is not None and _took_too_long(unit):
        return variables | {"slow": ENGINE}
    if unit is not None and _is_left_down(unit) and not text:
        return variables | {"disabled": ENGINE}
    if NO_ACTIVATION in text:
        return variables | {"activation": "docker.socket", "flag": "fd://"}
    if (known := meaning(text)) is not None and not _is_explained(text):
        return variables | cures(known, facts.root)
    address, holder = _taken(text, facts)
    if holder:
        return variables | {"taken_port": address.rpartition(":")[2]}
    return variables | {"again": ENGINE}


# -- evidence ----------------------------------------


def _asked(daemon: Daemon, socket: str) -> str:
    return socket if daemon.is_socket_activated else f"connect({socket})"


def _answer(daemon: Daemon) -> str:
    if daemon.is_socket_activated:
        return "systemd listens; docker.service is not active"
    if daemon.socket is None:
        return "no such socket"
    if daemon.socket.type not in ("socket", ""):
        return f"it is a {daemon.socket.type}"
    return "not allowed for this user" if daemon.reason == "forbidden" else "nobody listens"


def _blamed_setting(config: DaemonConfig | None, key: str) -> dict[str, Json]:
    """The setting of the engine's file that the failure names, if it names one."""
    return {f"{config.path} {key}": config.in_file(key)} if config is not None and key else {}


def _is_folder(daemon: Daemon) -> bool:
    return daemon.socket is not None and daemon.socket.type == "folder"


def _folder_makers(daemon: Daemon, facts: EngineEnd) -> list[str]:
    """Containers that mount the socket's path.

    The engine makes a folder for a source that is missing when one of them starts.
    """
    if not _is_folder(daemon) or facts.containers is None:
        return []
    path = daemon.endpoint.path.replace("/var/run/", "/run/", 1)
    return [
        container.name
        for container in facts.containers
        if any(
            mount.source.replace("/var/run/", "/run/", 1) == path
            for mount in container.mounts or ()
        )
    ]


def _processes(daemon: Daemon) -> str:
    if daemon.processes.engine:
        return f"dockerd {daemon.processes.engine.pid}"
    others = ", ".join(str(other.pid) for other in daemon.processes.others)
    return f"no dockerd of this socket; dockerd {others} of another" if others else "no dockerd"


def _unit(daemon: Daemon) -> dict[str, Json]:
    unit = daemon.installation.unit
    if unit is None or not unit.exists:
        return {}
    disabled = f", {unit.unit_file_state}" if unit.unit_file_state in ("masked", "disabled") else ""
    return {"docker.service": f"{unit}{disabled}"}


def _last_words(facts: EngineEnd, killed: OomKill | None) -> dict[str, Json]:
    """The line that says most of the engine's end, or why there is none."""
    log, failure = facts.log, facts.last_failure
    if log is not None and failure is not None:
        return {**log.evidence(failure)}
    if killed:
        return {"kernel log": f"out of memory: killed process {killed.pid} (dockerd)"}
    if log is not None and log.lines and (log.lines[-1].is_error or "signal" in log.lines[-1].text):
        return {f"{log.source}, last line": log.lines[-1].text}
    return {"the engine's log": facts.no_log} if facts.no_log else {}


def _written(text: str, facts: EngineEnd) -> tuple[Subject, ...]:
    """The file systems of the paths that the words name; the data root's where they name none."""
    if facts.mounts is None:
        return ()
    paths = [
        path.replace("/var/run/", "/run/", 1) for path in re.findall(r"(?<![\w.])/[\w./-]+", text)
    ]
    own = [facts.root.path] if facts.root is not None else []
    points = dict.fromkeys(facts.mounts.point_of(path) for path in paths or own)
    return tuple(Subject("filesystem", point) for point in points if point)


def _killed(facts: EngineEnd) -> OomKill | None:
    """The end of its last life, if the kernel made it.

    An engine that was started since died of something else.
    """
    if facts.kernel is not None:
        kills = [kill for kill in facts.kernel.oom_kills if kill.task == "dockerd"]
    else:
        kills = []
    began = facts.log.last_start[0].at if facts.log is not None and facts.log.lines else None
    return kills[-1] if kills and (began is None or kills[-1].at > began - CLOCKS_APART_S) else None


def _taken(text: str, facts: EngineEnd) -> tuple[str, str]:
    """The address that was in use when the engine wanted it, and who listens there now.

    Empty if nobody does, or nobody could look.
    """
    taken = TAKEN.search(text)
    if taken is None or facts.listeners is None:
        return "", ""
    host, _, port = taken[1].rpartition(":")
    holders = facts.listeners.on("tcp", host, int(port))
    return taken[1], holders[0].holder if holders else ""


# -- the sentence ----------------------------------------


def _state(daemon: Daemon, socket: str, facts: EngineEnd) -> str:
    process = daemon.processes.engine
    if process is None:
        return _why_down(daemon, facts)
    dockerd = f"dockerd ({process.pid}) lives"
    if facts.came_up and daemon.reason == "missing":
        return f"{dockerd} and listens, but its socket {socket} was removed"
    if facts.came_up and _is_folder(daemon):
        return f"{dockerd}, but a folder has taken the place of its socket {socket}"
    age = daemon.processes.age
    since = f", {ago(age)} after its start" if age is not None else ""
    return f"{dockerd} and does not serve {socket}{since}"


def _why_down(daemon: Daemon, facts: EngineEnd) -> str:
    """That the engine does not run, and what its unit says of it."""
    unit = daemon.installation.unit
    if daemon.installation.program == "":
        return "dockerd does not run, and its program is not where packages put it"
    if unit and _took_too_long(unit):
        return (
            "dockerd is not running: its start took longer than its unit allows (TimeoutStartSec)"
        )
    if daemon.is_socket_activated:
        return "dockerd is not running; systemd will start it for the next client"
    if unit and unit.load_state == "masked":
        return "dockerd is not running, and docker.service is masked"
    if facts.socket_failure.has_failed:
        return f"dockerd is not running: systemd could not make its socket{_socket_cause(facts)}"
    if unit and _is_left_down(unit):
        return "dockerd is not running, and docker.service is not enabled: no boot starts it"
    if unit and unit.active_state == "failed":
        return f"dockerd is not running: docker.service failed ({unit.result})"
    return "dockerd is not running"


def _took_too_long(unit: Unit) -> bool:
    """Whether systemd ended its start for its time."""
    return unit.active_state == "failed" and unit.result == "timeout"


def _is_systemds_matter(daemon: Daemon, facts: EngineEnd) -> bool:
    """Whether systemd alone keeps the engine down, so that its own log says nothing of it."""
    unit = daemon.installation.unit
    return facts.socket_failure.has_failed or (unit is not None and _took_too_long(unit))


def _socket_cause(facts: EngineEnd) -> str:
    """Why, as the end of a sentence; "" where systemd does not say."""
    failure = facts.socket_failure
    if failure.group:
        return f': this host has no group "{failure.group}", which should own the socket'
    return f": {failure.words}" if failure.words else ""


def _is_left_down(unit: Unit) -> bool:
    """Whether systemd was never asked to start it at boot, and it has not failed."""
    return unit.unit_file_state == "disabled" and unit.active_state == "inactive"


def _ended(killed: OomKill | None, facts: EngineEnd) -> str:
    """How its last life ended, where it came up and said nothing of a failure.

    Nothing where it is starting.
    """
    if killed:
        return ": the kernel killed it for memory"
    if facts.log is None or not facts.came_up:
        return ""
    for line in facts.log.last_start:
        if signal := SIGNAL.search(line.message):
            return f": it was asked to stop (signal {signal[1]})"
    return ": its log ends without a word, as after a kill -9 or a power cut"


def _unnamed(text: str) -> str:
    """Why its last start failed, where no other check says so."""
    if not text or _is_explained(text):
        return ""
    known = meaning(text)
    return f": {known.cause if known else text.removeprefix('failed to start daemon: ')}"


def _is_explained(text: str) -> bool:
    return any(pattern.search(text) for pattern in EXPLAINED)


def _alive(daemon: Daemon, facts: EngineEnd) -> list[str] | None:
    """The names of the containers whose shim lives, short ids where no name is known.

    None where nobody could look.

    Beside another engine only those that this one's files name are its own. Those of a user's
    engine are its user's.
    """
    if daemon.processes.shims is None:
        return None
    own = daemon.endpoint.rootless
    names = {container.id: container.name for container in facts.containers or ()}
    return sorted(
        names.get(id, id[:12])
        for id, shim in daemon.processes.shims.items()
        if id in names or (shim.uid == own.uid if own else not daemon.processes.others)
    )


def _living(alive: list[str] | None) -> str:
    if alive is None:
        return ""
    return f"; still alive: {and_more(alive, NAMES_SHOWN)}" if alive else "; no container is alive"
