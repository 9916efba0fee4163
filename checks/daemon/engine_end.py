"""The finding about an engine that is down: the end of its log, its end, and processes that
still run."""

from collections.abc import Sequence

from checks.daemon.engine_end_words import reason_of, sentence_of
from diagnose.error_signatures import signs
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.blame import blamed_key
from diagnose.evidence.engine.data.data_root_candidates import PlannedMount
from diagnose.evidence.engine.installed.engine_upgrades import ChangesWhileDown
from diagnose.evidence.engine.log import NO_LOG
from diagnose.evidence.engine.starting.end_meaning import own_meaning
from diagnose.evidence.engine.starting.engine_end import EngineEnd
from diagnose.evidence.engine.starting.failed_start import healing, meaning
from diagnose.evidence.machine.memory_kills import kill_evidence
from diagnose.first_steps.engine.engine_steps import steps_for_engine
from diagnose.mappings import present
from diagnose.model import DAEMON, Finding, Json, Severity


def engine_down(
    daemon: Daemon, end: EngineEnd, unmounted: Sequence[PlannedMount], changes: ChangesWhileDown
) -> Finding:
    """The finding about an engine that does not serve its socket.

    unmounted: mounts that are planned for its data root and are absent. changes: of its packages.
    """
    socket = daemon.address
    removed = changes.removed(daemon)
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
        summary=sentence_of(daemon, end, changes, missing),
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
            **steps_for_engine(daemon, end, blamed, removed),
            **present({"unmounted": missing.point if missing else ""}),
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


def _stop_request_clause(daemon: Daemon) -> str:
    return daemon.address if daemon.is_socket_activated else f"connect({daemon.address})"


def _answer(daemon: Daemon) -> str:
    if daemon.is_socket_activated:
        return f"systemd listens; {daemon.installation.unit_name} is not active"
    if daemon.socket is None:
        return "no such socket"
    if daemon.socket.type not in ("socket", ""):
        return f"it is a {daemon.socket.type}"
    return "not allowed for this user" if daemon.reason == "forbidden" else "nothing listens"


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
    unit_state = f"{unit}, {unit.unit_file_state}" if is_off else str(unit)
    return {daemon.installation.unit_name: unit_state}


def _last_words(end: EngineEnd) -> dict[str, Json]:
    """The line that explains the engine's end best, or the reason why there is none."""
    log = NO_LOG if end.log is None else end.log
    if end.last_failure is not None:
        return {**log.evidence(end.last_failure)}
    if end.killed:
        return kill_evidence(end.killed)
    for line in log.lines[-1:]:
        if line.is_error or "signal" in line.text:
            return {f"{log.source}, last line": line.text}
    return present({"the engine's log": end.no_log})
