"""containerd, which the engine cannot do without."""

from msgspec.structs import replace

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.awaited_programs import VERSIONED
from diagnose.evidence.engine.daemon import Daemon, ProcessDetail, Unit
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import NO_LOG, DaemonLog, LogLine
from diagnose.evidence.engine.starting.containerd_log import ContainerdLog
from diagnose.evidence.engine.starting.end_meaning import NO_CONTAINERD
from diagnose.evidence.engine.starting.engine_end import CLOCKS_APART_S
from diagnose.evidence.engine.starting.failed_start import healing, meaning, page_variables
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.machine.memory_kills import kill_evidence, kill_reason
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped, Unavailable
from diagnose.model.subjects import DAEMON
from diagnose.phrases import shortened
from diagnose.programs.path_errors import path_of_error
from diagnose.registry import check

NOTHING_STARTS = "no container can be started or stopped, and `docker exec` fails"
_OWN_ENDS = ("core-dump", "exit-code", "start-limit-hit", "timeout")
"""Results of a unit whose program ended by itself: not killed, and not stopped."""
_ON_THE_PAGE = frozenset({"aside", "immutable", "lost_program"})
"""Page variables of remedies for containerd itself, and not only for the engine."""
WAITED = LazyPattern(r"timeout|deadline exceeded")
"""Words about the time that dockerd waited, and not about the cause."""


@check(
    "daemon.containerd-down",
    severity=Severity.critical,
    caused_by=[
        "daemon.stale-pidfile",
        "daemon.containerd-config-invalid",
        "daemon.unit-invalid",
        "daemon.database-damaged",
        "daemon.database-locked",
        "storage.disk-full",
        "resources.host-oom",
    ],
    observed=True,
)
def containerd_down(
    daemon: Daemon,
    log: DaemonLog | None,
    containerd_log: ContainerdLog | None,
    kernel: KernelLog | None,
) -> CheckResult:
    """The containerd that the engine needs is not running.

    dockerd keeps answering and says that its containers run; nothing can be started, stopped or
    entered. Only its own log says why a containerd of the system does not start. A dockerd that
    starts its containerd itself brings it back within seconds: so a missing one is looked for only
    in the process list, and not while dockerd starts. A dead dockerd takes its own containerd
    along: then the check counts only one that dockerd's last lines blame, or a containerd of the
    system that nobody has stopped: the start of docker.service brings that one back.
    """
    unclear = _reason_not_to_judge(daemon)
    if unclear is not None:
        return unclear
    log = NO_LOG if log is None else log
    failure = _failure(log)
    if not daemon.processes.containerds and _is_lost(daemon, failure):
        own_log = containerd_log or ContainerdLog()
        own_failure = own_log.last_failure
        last_words = own_log.evidence(own_failure) | log.evidence(failure)
        finding = _down_finding(daemon, own_failure, failure, last_words)
        kill = kernel.last_kill("containerd") if kernel is not None else None
        if kill is not None and own_failure is None and _is_its_end(kill, own_log):
            finding = _with_kill(finding, kill)
        yield finding


def _is_its_end(kill: OomKill, log: ContainerdLog) -> bool:
    """Whether nothing was written after the kill: a newer containerd would have written
    its start."""
    last = log.lines[-1].at if log.lines else None
    return last is not None and kill.at > last - CLOCKS_APART_S


def _with_kill(finding: Finding, kill: OomKill) -> Finding:
    """The finding about a containerd that the kernel killed, and that logged no error itself."""
    capped = present({"capped": kill.unit})
    return replace(
        finding,
        summary=f"{finding.summary}; {kill_reason(kill)}",
        evidence={**finding.evidence, **kill_evidence(kill)},
        variables={**finding.variables, **capped},
    )


def _is_lost(daemon: Daemon, failure: LogLine | None) -> bool:
    """Whether a missing containerd is a fault, by dockerd's state and its last words."""
    is_alive = daemon.processes.engine is not None
    if is_alive:
        comes_up_yet = daemon.is_starting and daemon.processes.managed
        return not comes_up_yet
    is_its_own_fault = daemon.uses_system_containerd and not _comes_with_engine(daemon)
    return daemon.is_down and (failure is not None or is_its_own_fault)


def _comes_with_engine(daemon: Daemon) -> bool:
    """Whether containerd's unit is stopped by a user: the start of docker.service starts it too."""
    unit = daemon.installation.containerd_unit or Unit()
    was_stopped = unit.active_state == "inactive" and unit.result == "success"
    return was_stopped and not unit.is_masked


def _down_finding(
    daemon: Daemon, own_failure: LogLine | None, blamed: LogLine | None, last_words: dict[str, str]
) -> Finding:
    """The finding about a containerd that is down.

    own_failure: containerd's own last error; blamed: dockerd's about it.
    """
    failure = own_failure or blamed
    is_dead = daemon.processes.engine is None
    is_of_system = daemon.uses_system_containerd
    effect = "the engine cannot start" if is_dead else NOTHING_STARTS
    unit = daemon.installation.containerd_unit or Unit()
    state = "is not running, and its unit is masked" if unit.is_masked else "is not running"
    owner = "containerd" if is_of_system else "docker"
    gives_up = own_failure is not None or unit.result in _OWN_ENDS
    cure = _cure(failure, owner if is_dead or is_of_system else "", gives_up=gives_up)
    if unit.is_masked:
        cure = {"masked": owner}
    return Finding(
        subject=DAEMON,
        summary=f"containerd {state}: {effect}{_reason(failure)}",
        evidence={
            "processes": "no containerd",
            **_unit_evidence(daemon),
            **last_words,
            **(healing(meaning(own_failure.text)) if own_failure is not None else {}),
            **_shim_evidence(daemon),
        },
        variables={"unit": owner} | cure,
        signs=signs(own_failure.text) or None if own_failure is not None else None,
    )


def _reason(failure: LogLine | None) -> str:
    """The reason why containerd did not start, by its own log or the engine's; "" where none is
    known."""
    if failure is None or WAITED.search(failure.text):
        return ""
    recognised = meaning(failure.text)
    if recognised is not None:
        return f" ({recognised.cause})"
    return f" ({shortened(failure.text.removeprefix('containerd: '), 200)})"


def _cure(failure: LogLine | None, stopped: str, *, gives_up: bool) -> PageVariables:
    """The page variables of a program to install or a path to free, or else of the stopped unit,
    which a start brings back. An engine that runs and manages its containerd has lost it.

    gives_up: whether containerd ended by itself. Another start then ends in the same way: the page
    looks at the path that it names, or at its output without systemd.
    """
    recognised = meaning(failure.text) if failure is not None else None
    cure = page_variables(recognised, None) if recognised is not None else {}
    if cure.keys() & _ON_THE_PAGE:
        return cure
    if gives_up and stopped == "containerd":
        refused = path_of_error(failure.text) if failure is not None else ""
        return {"refused_path": refused} if refused else {"failing": stopped}
    return {"stopped": stopped} if stopped else {"lost_by": "docker"}


def _reason_not_to_judge(daemon: Daemon) -> Skipped | Unavailable | None:
    """The reason why the process list does not show whether the engine has its containerd; None
    where it does."""
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    if daemon.processes.containerds is None:
        return Unavailable("missing", "the processes of this host cannot be seen")
    if not daemon.processes.containerds and _is_hidden(daemon):
        return Unavailable("forbidden", "the engine's process cannot be seen")
    return None


def _is_hidden(daemon: Daemon) -> bool:
    """Whether this user sees neither the engine's process nor that it is gone."""
    is_seen = daemon.processes.engine is not None or daemon.is_down
    return daemon.reason == "forbidden" and not is_seen


def _unit_evidence(daemon: Daemon) -> dict[str, Json]:
    installation = daemon.installation
    if not installation.has_containerd_unit:
        return {}
    return {"containerd.service": str(installation.containerd_unit)}


def _shim_evidence(daemon: Daemon) -> dict[str, Json]:
    shims = daemon.processes.shims
    return {} if shims is None else {"shims alive": len(shims)}


def _failure(log: DaemonLog) -> LogLine | None:
    """dockerd's last words, if they are about containerd."""
    last = log.last_failure
    return last if last is not None and any(part in last.text for part in NO_CONTAINERD) else None


@check(
    "daemon.containerd-hung",
    severity=Severity.critical,
    caused_by=["kernel.hung-task", "storage.read-only", "resources.io-saturated"],
)
def containerd_hung(
    daemon: Daemon,
    info: Info | Unavailable,
    containers: Containers | None,
    processes: Processes | None,
) -> CheckResult:
    """containerd does not answer the engine.

    The engine still serves its lists, while /info waits for containerd (seen on engines 20.10, 26.1
    and 28.5). A stopped containerd (state T) is proof by itself; otherwise /info must have been
    silent while /_ping and the list of containers were answered. /info also runs `docker-init
    --version` and `runc --version`: where the engine has such a child, it waits for that.
    """
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    silence = _silence(daemon, info)
    waits = bool(silence) and containers is not None and not _waits_for_version(daemon, processes)
    process = daemon.processes.stopped_containerd
    if process is None and waits:
        process = daemon.processes.containerd
    if process is not None:
        yield _hung_finding(process, daemon, silence)


def _waits_for_version(daemon: Daemon, processes: Processes | None) -> bool:
    """Whether the engine waits for a child that should print its version, as /info shows it."""
    engine = daemon.processes.engine
    return engine is not None and any(
        process.ppid == engine.pid and process.comm in VERSIONED and not process.is_zombie
        for process in processes or ()
    )


def _silence(daemon: Daemon, info: Info | Unavailable) -> dict[str, Json]:
    """The answers that show that only requests to containerd are silent, as evidence.

    Empty where /info was answered.
    """
    is_silent = isinstance(info, Unavailable) and info.reason == "timed out" and daemon.answers
    return {"GET /info": str(info), "GET /_ping": "answered"} if is_silent else {}


def _hung_finding(process: ProcessDetail, daemon: Daemon, silence: dict[str, Json]) -> Finding:
    pid = str(process.pid)
    variables = {"pid": pid, "unit": "docker" if daemon.processes.managed else "containerd"}
    state = "does not answer the engine"
    if process.is_stopped:
        state = f"is stopped by a signal (state {process.state})"
        variables["stopped"] = pid
    return Finding(
        subject=DAEMON,
        summary=f"containerd (pid {pid}) {state}: {NOTHING_STARTS}",
        evidence={**process.evidence, **silence, **_shim_evidence(daemon)},
        variables=variables,
    )
