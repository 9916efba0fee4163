"""What is known of an engine that is down: its last words, its end, and who still lives."""

from collections.abc import Sequence

from checks.daemon.engine_end_words import (
    NO_ACTIVATION,
    is_explained,
    own_meaning,
    reason_of,
    sentence_of,
    served_elsewhere,
)
from checks.daemon.last_words import ENGINE, healing, meaning
from checks.daemon.last_words import page_variables as cures
from checks.daemon.memory_kills import kill_cure, kill_evidence
from diagnose.error_signatures import signs
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.blame import blamed_key
from diagnose.evidence.engine.data.data_root_candidates import PlannedMount
from diagnose.evidence.engine.log import NO_LOG
from diagnose.evidence.engine.starting.engine_end import EngineEnd
from diagnose.evidence.machine.package_log import ChangedPackage
from diagnose.mappings import present
from diagnose.model import DAEMON, Finding, Json, PageVariables, Severity
from diagnose.programs.path_errors import path_of_error


def engine_down(
    daemon: Daemon,
    end: EngineEnd,
    unmounted: Sequence[PlannedMount],
    removed: ChangedPackage | None,
) -> Finding:
    """The finding about an engine that does not serve its socket.

    unmounted: mounts that are planned for its data root and are not there. removed: its package,
    where that was taken from the host.
    """
    socket = daemon.address
    text = end.failure_text
    missing = unmounted[0] if unmounted and _lacks_root(text) else None
    # without its setting an engine whose disk is missing starts empty
    blamed = (
        blamed_key(end.config, text) if reason_of(daemon, end) and not _lacks_root(text) else ""
    )
    is_starting = daemon.is_starting and not end.came_up
    is_about_a_disk = bool(signs(text) & {"no-space", "read-only", "io-error"})
    return Finding(
        subject=DAEMON,
        summary=sentence_of(daemon, end, removed, missing),
        evidence={
            _stop_request_clause(daemon): _answer(daemon),
            "processes": _processes(daemon),
            **_unit(daemon),
            **present({"docker.socket": end.socket_failure.words}),
            **_last_words(end),
            **healing(own_meaning(text)),
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


_ROOT_LOST = frozenset({"root-leads-nowhere", "root-link-dangles"})


def _lacks_root(text: str) -> bool:
    """Whether the engine says that its data root is a link that leads nowhere."""
    recognised = meaning(text)
    return recognised is not None and recognised.name in _ROOT_LOST


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
    if served := served_elsewhere(daemon):
        return variables | {"served": served}
    if blamed:
        variables["repair"] = "daemon.not-running"
    return variables | _cure(daemon, end)


def _cure(daemon: Daemon, end: EngineEnd) -> PageVariables:
    """The first cure that suits: by what systemd says, then by the engine's last words."""
    return _cure_by_systemd(daemon, end) or _cure_by_words(end)


def _cure_by_systemd(daemon: Daemon, end: EngineEnd) -> PageVariables:
    """What keeps the unit from its start, or ended it; none where the engine itself gave up."""
    unit, has_words = daemon.installation.known_unit, bool(end.failure_text)
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
    capped = {} if has_words else kill_cure(end.killed)
    if not capped and unit.is_left_down and not has_words:
        return {"disabled": ENGINE}
    return capped


def _cure_by_words(end: EngineEnd) -> PageVariables:
    """The engine is started again as it is where nothing better is known.

    An error about a path comes back at each start: a look at that path is more.
    """
    text = end.failure_text
    if NO_ACTIVATION in text:
        return {"activation": "docker.socket", "flag": "fd://"}
    recognised = own_meaning(text)
    if recognised is not None:
        return cures(recognised, end.root)
    if end.taken_by:
        return {"taken_port": end.taken.rpartition(":")[2]}
    refused = "" if is_explained(text) else path_of_error(text)
    return {"refused_path": refused} if refused else {"again": ENGINE}


def _stop_request_clause(daemon: Daemon) -> str:
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
        return kill_evidence(end.killed)
    for line in log.lines[-1:]:
        if line.is_error or "signal" in line.text:
            return {f"{log.source}, last line": line.text}
    return present({"the engine's log": end.no_log})
