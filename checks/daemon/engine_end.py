"""What is known of an engine that is down: its last words, its end, and who still lives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from checks.daemon.containerd import NO_CONTAINERD
from checks.daemon.failed_starts import NETWORK, PID_TAKEN, STORAGE
from checks.daemon.last_words import ENGINE, healing, meaning
from checks.daemon.last_words import page_variables as cures
from diagnose.error_signatures import signs
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.blame import blamed_key
from diagnose.evidence.engine.daemon_json.faults import CONFIGURATION, NO_PROXY_PROGRAM
from diagnose.evidence.engine.data_root_candidates import PlannedMount
from diagnose.evidence.engine.engine_end import EngineEnd
from diagnose.evidence.engine.log import NO_LOG
from diagnose.evidence.machine.package_log import ChangedPackage
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import DAEMON, Finding, Json, PageVariables, Severity
from diagnose.phrases import and_more, duration, named
from diagnose.programs.failures import Recognised

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


_PATH_ERROR = LazyPattern(
    r"(?:mkdir|open|l?stat|chmod|l?chown|rename|remove|unlink(?:at)?|read(?:link)?|write|(?:sym)?link)"
    r" (?P<path>/[^\s:]{1,500}): [a-z][a-z /-]{1,60}$"
)
"""How Go ends an error about a file: what it did, the path, the kernel's words."""


def engine_down(
    daemon: Daemon,
    end: EngineEnd,
    unmounted: Sequence[PlannedMount] = (),
    removed: ChangedPackage | None = None,
) -> Finding:
    """The finding about an engine that does not serve its socket.

    unmounted: mounts that are planned for its data root and are not there. removed: its package,
    where that was taken from the host.
    """
    socket = daemon.address
    text = end.failure_text
    reason = _reason(daemon, end)
    missing = unmounted[0] if unmounted and _lacks_root(text) else None
    # without its setting an engine whose disk is missing starts empty
    blamed = blamed_key(end.config, text) if reason and not _lacks_root(text) else ""
    is_starting = daemon.is_starting and not end.came_up
    is_about_a_disk = bool(signs(text) & {"no-space", "read-only", "io-error"})
    return Finding(
        subject=DAEMON,
        summary=(
            f"{_state(daemon, end, removed)}{reason}{_circumstances(end)}{_missing_disk(missing)}"
            f"{_living(end.alive)}"
        ),
        evidence={
            _asked(daemon): _answer(daemon),
            "processes": _processes(daemon),
            **_unit(daemon),
            **present({"docker.socket": end.socket_failure.words}),
            **_last_words(end),
            **healing(_own_meaning(text)),
            **present({f"listens at {end.taken}": end.taken_by}),
            **_blamed_setting(end.config, blamed),
            **present({f"containers that mount {socket}": list(end.folder_makers)}),
            **({"containers alive": list(end.alive) or "none"} if end.alive is not None else {}),
        },
        variables={
            **_page_variables(daemon, end, blamed, removed),
            **({"unmounted": missing.point} if missing else {}),
        },
        severity=Severity.warning if is_starting else None,
        touches=end.written if is_about_a_disk else (),
        signs=signs(text),
    )


def _reason(daemon: Daemon, end: EngineEnd) -> str:
    """Why the engine is down, as the end of a sentence.

    Where systemd alone keeps it down, or its program is gone, its own log says nothing of that.
    """
    if _is_systemds_matter(daemon, end) or daemon.installation.program == "":
        return ""
    if end.failure_text or daemon.processes.engine:
        return _unnamed(end.failure_text)
    return _ended(end)


def _circumstances(end: EngineEnd) -> str:
    """What else explains the failure, as the end of its sentence."""
    circumstances = ""
    if NO_ACTIVATION in end.failure_text:
        circumstances = "; -H fd:// takes the socket from systemd, and systemd handed none over"
    if end.taken_by:
        circumstances += f", by {end.taken_by}"
    if end.folder_makers:
        makers = named("container", end.folder_makers)
        circumstances += f"; {makers} started before the socket was there"
    return circumstances


_ROOT_LOST = frozenset({"root-leads-nowhere", "root-link-dangles"})


def _lacks_root(text: str) -> bool:
    """Whether the engine says that its data root is a link that leads nowhere."""
    recognised = meaning(text)
    return recognised is not None and recognised.name in _ROOT_LOST


def _missing_disk(disk: PlannedMount | None) -> str:
    """The disk that belongs where the data root's link leads, as the end of a sentence."""
    if disk is None:
        return ""
    return f"; {disk.declared_in} has {disk.source} for {disk.point}, and nothing is mounted there"


def _page_variables(
    daemon: Daemon, end: EngineEnd, blamed: str, removed: ChangedPackage | None
) -> PageVariables:
    """What the page needs. blamed: the key of the file that the last failure names."""
    log = end.log.name if end.log is not None else "docker.service"
    variables = {"socket": daemon.address, "log": log}
    if daemon.has_folder_for_socket:
        variables["folder"] = daemon.address
    if removed is not None:
        return variables | {"removed_package": removed.name}
    if blamed:
        variables["repair"] = "daemon.not-running"
    return variables | _cure(daemon, end)


def _cure(daemon: Daemon, end: EngineEnd) -> PageVariables:
    """The first cure that suits: by what systemd says, then by the engine's last words.

    The engine is started again as it is where nothing better is known. An error about a path
    comes back at each start: a look at that path is more.
    """
    unit, text = daemon.installation.known_unit, end.failure_text
    if daemon.installation.program == "":
        return {"removed": "dockerd"}
    if unit.is_masked:
        return {"masked": ENGINE}
    if end.socket_failure.group:
        return {"group": end.socket_failure.group}
    if end.blockers.failed:
        return {"required": end.blockers.failed[0]}
    if end.blockers.slow:
        return {"waits_for": end.blockers.slow[0]}
    if unit.took_too_long:
        return {"slow": ENGINE}
    if unit.is_left_down and not text:
        return {"disabled": ENGINE}
    if NO_ACTIVATION in text:
        return {"activation": "docker.socket", "flag": "fd://"}
    recognised = _own_meaning(text)
    if recognised is not None:
        return cures(recognised, end.root)
    if end.taken_by:
        return {"taken_port": end.taken.rpartition(":")[2]}
    refused = None if _is_explained(text) else _PATH_ERROR.search(text)
    return {"refused_path": refused["path"]} if refused else {"again": ENGINE}


# -- evidence ----------------------------------------


def _asked(daemon: Daemon) -> str:
    return daemon.address if daemon.is_socket_activated else f"connect({daemon.address})"


def _answer(daemon: Daemon) -> str:
    if daemon.is_socket_activated:
        return f"systemd listens; {daemon.installation.unit_name} is not active"
    if daemon.socket is None:
        return "no such socket"
    if daemon.socket.type not in ("socket", ""):
        return f"it is a {daemon.socket.type}"
    return "not allowed for this user" if daemon.reason == "forbidden" else "nobody listens"


def _blamed_setting(config: DaemonConfig | None, key: str) -> dict[str, Json]:
    """The setting of the engine's file that the failure names, if it names one."""
    return {f"{config.path} {key}": config.in_file(key)} if config is not None and key else {}


def _processes(daemon: Daemon) -> str:
    if daemon.processes.engine:
        return f"dockerd {daemon.processes.engine.pid}"
    others = ", ".join(str(other.pid) for other in daemon.processes.others)
    return f"no dockerd of this socket; dockerd {others} of another" if others else "no dockerd"


def _unit(daemon: Daemon) -> dict[str, Json]:
    unit = daemon.installation.known_unit
    if not unit.exists:
        return {}
    is_off = unit.unit_file_state in ("masked", "disabled")
    said = f"{unit}, {unit.unit_file_state}" if is_off else str(unit)
    return {daemon.installation.unit_name: said}


def _last_words(end: EngineEnd) -> dict[str, Json]:
    """The line that says most of the engine's end, or why there is none."""
    log = NO_LOG if end.log is None else end.log
    if end.last_failure is not None:
        return {**log.evidence(end.last_failure)}
    if end.killed:
        return {"kernel log": f"out of memory: killed process {end.killed.pid} (dockerd)"}
    for line in log.lines[-1:]:
        if line.is_error or "signal" in line.text:
            return {f"{log.source}, last line": line.text}
    return {"the engine's log": end.no_log} if end.no_log else {}


# -- the sentence ----------------------------------------


def _state(daemon: Daemon, end: EngineEnd, removed: ChangedPackage | None) -> str:
    """How the engine is that does not serve its socket: gone, down, or alive without it."""
    process, socket = daemon.processes.engine, daemon.address
    if process is None and removed is not None:
        return f'dockerd is not running: its package "{removed.name}" was removed from this host'
    if process is None:
        return _why_down(daemon, end)
    dockerd = f"dockerd ({process.pid}) lives"
    if end.came_up and daemon.reason == "missing":
        return f"{dockerd} and listens, but its socket {socket} was removed"
    if end.came_up and daemon.has_folder_for_socket:
        return f"{dockerd}, but a folder has taken the place of its socket {socket}"
    age = daemon.processes.age
    since = f", {duration(age)} after its start" if age is not None else ""
    return f"{dockerd} and does not serve {socket}{since}"


def _why_down(daemon: Daemon, end: EngineEnd) -> str:
    """That the engine does not run, and what its unit says of it."""
    unit, name = daemon.installation.known_unit, daemon.installation.unit_name
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
    """Whether systemd alone keeps the engine down, so that its own log says nothing of it."""
    blockers = end.blockers
    is_held = bool(blockers.failed or blockers.slow) or end.socket_failure.has_failed
    return is_held or daemon.installation.known_unit.took_too_long


def _socket_cause(end: EngineEnd) -> str:
    """Why, as the end of a sentence; "" where systemd does not say."""
    failure = end.socket_failure
    if failure.group:
        return f': this host has no group "{failure.group}", which should own the socket'
    return f": {failure.words}" if failure.words else ""


def _ended(end: EngineEnd) -> str:
    """How the engine's last life ended, where it came up and said nothing of a failure.

    Nothing where it is starting.
    """
    if end.killed:
        return ": the kernel killed it for memory"
    if not end.came_up:
        return ""
    if end.signal:
        return f": it was asked to stop (signal {end.signal})"
    return ": its log ends without a message, as after a kill -9 or a power cut"


def _unnamed(text: str) -> str:
    """Why the engine's last start failed, where no other check says so."""
    if not text or _is_explained(text):
        return ""
    recognised = meaning(text)
    if recognised is not None:
        return f": {recognised.cause}"
    return f": {text.removeprefix('failed to start daemon: ')}"


def _own_meaning(text: str) -> Recognised | None:
    """What the last words mean, where no other check says so."""
    return None if _is_explained(text) else meaning(text)


def _is_explained(text: str) -> bool:
    """Whether another check says it; what dockerd does not find is no fault of its file."""
    is_named = any(pattern.search(text) for pattern in EXPLAINED)
    return is_named and NO_PROXY_PROGRAM not in text


def _living(alive: Sequence[str] | None) -> str:
    if alive is None:
        return ""
    return (
        f"; still running: {and_more(alive, NAMES_SHOWN)}" if alive else "; no container is running"
    )
