"""Checks of failed starts of the engine, by the last lines of the attempt."""

from collections.abc import Iterator

from checks.daemon.starting.lost_modules import lost_modules_finding
from diagnose.error_signatures import signs
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.blame import blamed_key
from diagnose.evidence.engine.daemon_processes import DAEMONS, EXEC_ROOT, PidFile
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import NO_LOG, DaemonLog, LogLine
from diagnose.evidence.engine.starting.end_meaning import PID_TAKEN, STORAGE
from diagnose.evidence.engine.starting.failed_start import FIXES, FailedStart, failed_start
from diagnose.evidence.engine.starting.lost_driver import driver_clause, lost_driver
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.storage.mounts import Mounts
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity, Unavailable
from diagnose.registry import check

OPTIONS = "storage-opts"
_DOWN = "the engine does not start: "


@check(
    "daemon.storage-driver-failed",
    severity=Severity.critical,
    caused_by=[
        "daemon.config-invalid",
        "storage.disk-full",
        "storage.read-only",
        "kernel.filesystem-errors",
        "kernel.modules-gone",
    ],
    observed=True,
)
def storage_driver_failed(
    daemon: Daemon,
    log: DaemonLog | Unavailable,
    config: DaemonConfig | None,
    root: DataRoot | None,
    mounts: Mounts | None,
    modules: Modules | None,
) -> CheckResult:
    """The engine does not start because its storage driver cannot be used.

    A driver that the configuration names and the engine does not have, one that newer engines gave
    up (aufs in 24, devicemapper and overlay in 25), a kernel that lacks it, or a data root on a
    network share or another file system that cannot carry overlay2. The notes of containerd about
    plugins that it skips are in every healthy start and are not looked at.
    """
    start = failed_start(daemon, log, STORAGE)
    if not isinstance(start, FailedStart):
        return start
    driver = config.value("storage-driver") if config is not None else None
    if modules is not None and modules.explain(start.line.text):
        yield lost_modules_finding(start, modules, f"{_DOWN}{driver_clause(driver)} cannot be used")
        return None
    lost = lost_driver(start, driver, root, mounts)
    variables = lost.variables
    if not lost.is_about_place:
        variables = _driver_variables(config, start.line) | start.variables | variables
    evidence = dict(start.evidence)
    if lost.is_about_place:
        # what fixes the error elsewhere does not help on such a file system
        evidence.pop(FIXES, None)
    is_named = isinstance(driver, str) and driver in lost.cause
    yield Finding(
        subject=DAEMON,
        summary=_DOWN + (lost.cause if is_named else f"{lost.name} cannot be used: {lost.cause}"),
        evidence={**evidence, **_driver_settings(config, start.line)},
        variables=variables,
        signs=signs(start.line.text),
    )


def _driver_settings(config: DaemonConfig | None, line: LogLine) -> dict[str, Json]:
    """The configured driver, and its options where the engine complains of them."""
    if config is None:
        return {}
    settings: dict[str, Json] = {}
    driver = config.value("storage-driver")
    if driver:
        settings[f"{config.where('storage-driver')} storage-driver"] = driver
    if blamed_key(config, line.text) == OPTIONS:
        settings[f"{config.path} {OPTIONS}"] = config.in_file(OPTIONS)
    return settings


def _driver_variables(config: DaemonConfig | None, line: LogLine) -> PageVariables:
    """The page variables that correct the file with the driver or its options."""
    if config is None:
        return {}
    if blamed_key(config, line.text) == OPTIONS:
        return {"repair": "daemon.storage-driver-failed"}
    return {"driver_json": '{"storage-driver": null}'} if config.in_file("storage-driver") else {}


@check("daemon.stale-pidfile", severity=Severity.critical)
def stale_pidfile(daemon: Daemon, log: DaemonLog | None) -> CheckResult:
    """A pid file that names another process keeps the engine from starting.

    It is the pid file of dockerd, or of the containerd that it starts itself. It counts only where
    the engine is down: a file of an engine that was given another place harms nobody. A file that
    names no living process is taken over by every engine.
    """
    if not daemon.is_down:
        return None
    log = NO_LOG if log is None else log
    for file in daemon.processes.pid_files:
        if not _is_of_engine(file):
            yield _stale_pidfile_finding(file, log)
    yield from _dead_containerd_findings(daemon, log)


def _is_of_engine(file: PidFile) -> bool:
    """Whether the process that the file names is dockerd or its containerd."""
    return file.comm in DAEMONS or file.comm.startswith(("containerd", "docker-containe"))


def _stale_pidfile_finding(file: PidFile, log: DaemonLog) -> Finding:
    evidence: dict[str, Json] = {
        file.path: file.pid,
        f"/proc/{file.pid}/comm": file.comm or "not readable",
    }
    last = log.last_failure
    if last is not None and PID_TAKEN.search(last.text):
        evidence |= log.evidence(last)
    return Finding(
        subject=DAEMON,
        summary=(
            f"{_DOWN}{file.path} names process {file.pid}, "
            f"which is {file.comm or 'another program'}, not the engine"
        ),
        evidence=evidence,
        variables={"path": file.path, "pid": str(file.pid)},
        discriminator=file.path,
    )


def _dead_containerd_findings(daemon: Daemon, log: DaemonLog) -> Iterator[Finding]:
    """The findings about a process that dockerd took for its containerd.

    dockerd names it. Giving up may end that process (seen on engine 26.1).
    """
    claim = _claimed_containerd(log)
    if claim is None or daemon.processes.containerds:
        return
    pid = claim.fields.get("pid", "")
    pids_in_files = {str(file.pid) for file in daemon.processes.pid_files}
    if not pid.isdigit() or pid in pids_in_files:
        return
    path = f"{EXEC_ROOT}/containerd/containerd.pid"
    yield Finding(
        subject=DAEMON,
        summary=f"dockerd waited for process {pid}: {path} names it, and it is not containerd",
        evidence={log.where(claim): f"containerd is still running, pid {pid}"},
        variables={"path": path, "pid": pid},
        discriminator=path,
    )


def _claimed_containerd(log: DaemonLog) -> LogLine | None:
    """The line that takes a process for containerd, in a start that gave up waiting for it."""
    last = log.last_failure
    if last is None or "waiting for containerd" not in last.text:
        return None
    claims = (line for line in log.last_start if line.message == "containerd is still running")
    return next(claims, None)


@check(
    "daemon.start-limit-hit",
    severity=Severity.critical,
    caused_by=[
        "daemon.config-invalid",
        "daemon.config-flag-conflict",
        "daemon.storage-driver-failed",
        "daemon.bridge-init-failed",
        "daemon.stale-pidfile",
        "daemon.containerd-down",
        "daemon.database-damaged",
        "daemon.database-locked",
    ],
)
def start_limit_hit(daemon: Daemon, log: DaemonLog | None) -> CheckResult:
    """systemd has given up starting the engine after too many failures.

    A consequence: the reason is the error before it in the journal. Until the counter is reset,
    systemd refuses `systemctl start` too.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    unit = daemon.installation.known_unit
    name = daemon.installation.unit_name
    if unit.is_given_up and daemon.is_down:
        log = NO_LOG if log is None else log
        yield Finding(
            subject=DAEMON,
            summary=f"systemd gave up starting {name} after {unit.n_restarts or 'several'} failed starts",
            evidence={
                name: str(unit),
                f"{name} NRestarts": unit.n_restarts or "not known",
                **log.evidence(log.last_failure),
            },
            variables={"unit": name},
        )
