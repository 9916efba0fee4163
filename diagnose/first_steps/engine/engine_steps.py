"""Page variables that start an engine that is down."""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.starting.end_meaning import (
    NO_ACTIVATION,
    is_explained,
    own_meaning,
    served_elsewhere,
)
from diagnose.evidence.engine.starting.engine_end import EngineEnd
from diagnose.evidence.engine.starting.failed_start import ENGINE
from diagnose.evidence.engine.starting.failed_start import page_variables as cures
from diagnose.evidence.machine.memory_kills import kill_cure
from diagnose.evidence.machine.package_log import ChangedPackage
from diagnose.model import PageVariables
from diagnose.programs.path_errors import path_of_error


def steps_for_engine(
    daemon: Daemon, end: EngineEnd, blamed: str, removed: ChangedPackage | None
) -> PageVariables:
    """The page variables of an engine that is down. blamed: the key of the file that the last
    failure names."""
    log = end.log.name if end.log is not None else "docker.service"
    variables = {"socket": daemon.address, "log": log}
    if daemon.has_folder_for_socket:
        variables["folder"] = daemon.address
    if removed is not None:
        return variables | {"removed_package": removed.name}
    if served := served_elsewhere(daemon):
        is_of_run = daemon.address == f"/var{served}" and served.startswith("/run/")
        return variables | ({"run_socket": daemon.address} if is_of_run else {"served": served})
    if blamed:
        variables["repair"] = "daemon.not-running"
    return variables | _cure(daemon, end)


def _cure(daemon: Daemon, end: EngineEnd) -> PageVariables:
    """The page variables of the first cure that suits: by systemd's state, then by the engine's
    last error."""
    return _cure_by_systemd(daemon, end) or _cure_by_words(end)


def _cure_by_systemd(daemon: Daemon, end: EngineEnd) -> PageVariables:
    """The page variables for the obstacle of the unit: it cannot start, or was ended.

    Empty where the engine itself gave up.
    """
    unit = daemon.installation.known_unit
    has_words = bool(end.failure_text)
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
    """The page variables of a cure by the engine's last error; a plain start where nothing better
    is known.

    An error about a path comes back at each start: a look at that path helps more.
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
    if refused:
        return {"refused_path": refused}
    return {"idle" if end.alive == () else "again": ENGINE}
