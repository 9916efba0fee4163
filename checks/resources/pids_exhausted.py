"""Processes: a container, or the host, that can start no more of them."""

import math
from collections.abc import Iterator

from msgspec.structs import replace

from checks.resources.helpers import reaches
from diagnose.error_signatures import signs
from diagnose.evidence.containers.cgroups import Cgroups, Pids
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.refused_programs import REFUSED
from diagnose.evidence.containers.ulimits import Ulimit, ulimit
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.limits.host_limits import HostLimits
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, present
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Severity, Unavailable
from diagnose.model.subjects import DAEMON, HOST
from diagnose.model.units import Percent
from diagnose.phrases import how_often, quoted, sentence, shortened
from diagnose.registry import check

LARGEST_PID_MAX = "4194304"
"""The largest value that a 64-bit kernel accepts."""
LEAST_SESSIONS = 5
"""A few sessions at once are people, or health checks."""
SHOWN = 60
_NAME = LazyPattern(r"[\w-]{1,15}")
SHIM_TASKS = 15
"""The threads of a shim and of runc, which a start of a container needs (10 to 13 on 20.10.24 and
28.5.2)."""
NO_FORK = frozenset({"no-fork"})
_FORK_FRAME = LazyPattern(r"\bos\.fork\(\)|\b_fork_exec\(|\bos\.posix_spawn")
"""Python's calls that start a process, as a traceback shows them."""


class ForkRecords(EvidenceGroup, frozen=True):
    """Evidence that a container could start no more processes."""

    events: Events | None
    log_tails: LogTails | None
    config: DaemonConfig | None


@check(
    "resources.pids-exhausted",
    severity=Severity.critical,
    caused_by=["container.zombies"],
    causes=["container.start-refused"],
)
def pids_exhausted(
    containers: Containers,
    clock: Clock,
    options: Options,
    cgroups: Cgroups | None,
    records: ForkRecords,
    host_limits: HostLimits | Unavailable,
    processes: Processes | None,
    *,
    near: Percent = Percent(90),
) -> CheckResult:
    """A container, or the host, cannot start more processes.

    Running: at `near` percent of its pids limit, or the kernel has refused it a fork (a counter of
    this run, whose moment is not known: advice when the run is older than the looked-at time).
    Ended: its last lines show it and it has a limit; its cgroup is gone by then. The host: tasks
    against kernel.pid_max and threads-max. The engine: the tasks of the cgroup in which it runs
    with its shims (TasksMax of its unit). Zombies count.
    """
    for container in containers:
        group = cgroups.of(container) if cgroups is not None else None
        is_recent = (clock.age(container.started_at) or 0.0) <= options.since_s
        if group is not None:
            sessions = _sessions(container, processes)
            first = processes.by_pid.get(container.state.pid) if processes else None
            first_comm = first.comm if first is not None else ""
            events = records.events
            running = _running_findings(container, group.pids, events, near, is_recent=is_recent)
            for finding in running:
                yield _sessions_finding(finding, group.pids, sessions, first_comm)
        elif records.log_tails is not None:
            line = _refused_fork(records.log_tails.of(container))
            yield from _ended_findings(container, line, records.config) if line else ()
    if isinstance(host_limits, Unavailable):
        return host_limits
    engine_tasks = host_limits.engine_tasks
    if engine_tasks.max and _lacks_room(engine_tasks, near):
        yield _engine_finding(engine_tasks, host_limits.engine_tasks_file)
    if reaches(near, host_limits.tasks, host_limits.tasks_max):
        yield _host_finding(host_limits, _most_tasks(containers, cgroups))


def _sessions(container: Container, processes: Processes | None) -> list[Process]:
    """The processes that `docker exec` and health checks have started in a container, and that have
    not ended.

    Their parent is the shim, as of the first process. They go on where the client was killed.
    """
    if processes is None:
        return []
    shim = processes.shims.get(container.id)
    if shim is None:
        return []
    inside = processes.inside(container.id)
    return [
        process
        for process in inside
        if process.ppid == shim.pid and process.pid != container.state.pid
    ]


def _sessions_finding(
    finding: Finding, pids: Pids, sessions: list[Process], first_comm: str
) -> Finding:
    """The finding about leftover processes of `docker exec`, where they are a good part of the
    total.

    pkill takes a name as a pattern, and would end a first process that has the same one.
    """
    if len(sessions) < LEAST_SESSIONS or len(sessions) * 2 < (pids.current or 0):
        return finding
    by_name = by_key((session.comm, session) for session in sessions)
    comm, same = max(by_name.items(), key=lambda entry: len(entry[1]))
    words = shortened(" ".join(same[0].cmdline or [comm]), SHOWN)
    can_end = _NAME.fullmatch(comm) is not None and comm != first_comm
    ended = {"shim": str(sessions[0].ppid), "left_program": comm} if can_end else {}
    # a greater limit would be used up in the same way
    left_out = ("pids_of_running",) if can_end else ()
    variables = {name: value for name, value in finding.variables.items() if name not in left_out}
    return replace(
        finding,
        variables=variables,
        summary=sentence(
            finding.summary,
            f"{len(sessions)} of them were started by `docker exec` and have not ended: a client "
            "that is killed leaves its program behind",
        ),
        evidence={**finding.evidence, "left by docker exec": f"{len(same)} times {words}"},
    ).with_variables(ended)


def _host_finding(limits: HostLimits, largest: dict[str, str]) -> Finding:
    return Finding(
        subject=HOST,
        summary=f"the host runs {limits.tasks} of the {limits.tasks_max} processes and threads that "
        "its kernel allows: no program can start another one",
        evidence={
            "/proc/loadavg": f"{limits.tasks} tasks",
            "lower of kernel.pid_max, kernel.threads-max": limits.tasks_max,
        },
        variables={"pid_max": LARGEST_PID_MAX, **largest},
    )


def _lacks_room(tasks: Pids, near: float) -> bool:
    """Whether the engine is near its limit, or was refused a task and has no room for a shim."""
    room = (tasks.max or 0) - (tasks.current or 0)
    return reaches(near, tasks.current, tasks.max) or (bool(tasks.events_max) and room < SHIM_TASKS)


def _engine_finding(tasks: Pids, limit_file: str) -> Finding:
    """The finding about the engine's limit: its containers' shims share it, and each container
    takes some ten tasks."""
    refused = tasks.events_max or 0
    return Finding(
        subject=DAEMON,
        summary=(
            f"no container can start: the engine and its helpers (shims) run {tasks.current} of the "
            f"{tasks.max} processes and threads that their control group allows"
        ),
        evidence={"pids.current": tasks.current, "pids.max": tasks.max, "pids.events max": refused},
        variables={"unit": "docker.service", **present({"limit_file": limit_file})},
        severity=Severity.critical if refused else Severity.warning,
        signs=NO_FORK,
        touches=(DAEMON,),
    )


def _got_a_greater_limit(container: Container, events: Events | None) -> bool:
    """Whether a container's limits were changed after its last start.

    The counter of refusals may be older than that.
    """
    changes = events.of(container.id, "start", "update") if events is not None else ()
    return bool(changes) and changes[-1].action == "update"


def _running_findings(
    container: Container, pids: Pids, events: Events | None, near: float, *, is_recent: bool
) -> Iterator[Finding]:
    """Findings about containers that are near their limit, or have met it. is_recent: in the
    examined time."""
    current = pids.current or 0
    limit = pids.max or 0
    refused = pids.events_max or 0
    if limit <= 0:
        return
    if reaches(near, current, limit):
        predicate = f"runs {current} of the {limit} processes that it may have"
        severity = Severity.critical if refused else Severity.warning
    elif refused > 0 and not _got_a_greater_limit(container, events):
        predicate = f"was refused a process {how_often(refused)} at its limit of {limit}"
        severity = Severity.warning if is_recent else Severity.advice
    else:
        return
    yield Finding.about(
        container,
        f"{container} {predicate}",
        {"pids.current": current, "pids.max": limit, "pids.events max": refused},
        severity=severity,
        signs=NO_FORK,
        # a limit that was lowered since may be below what runs by now
        variables={"pids_of_running": str(2 * max(limit, current))},
    )


def _refused_fork(tail: LogTail) -> str:
    """The last line about a process that could not be started.

    A program that is refused to run at all meets a limit of its user. Python names the call in the
    frame above its error.
    """
    line = next((line for line in reversed(tail.lines) if "no-fork" in signs(line)), "")
    is_in_fork = any(_FORK_FRAME.search(text) for text in tail.lines)
    line = line or (tail.find("resource temporarily unavailable") if is_in_fork else "")
    return "" if REFUSED.search(line) else line


def _ended_findings(
    container: Container, line: str, config: DaemonConfig | None
) -> Iterator[Finding]:
    limit = container.host_config.pids_limit or 0
    # the kernel does not hold root to the limit of a user
    of_user = None if container.config.starts_as_root else ulimit(container, "nproc", config)
    is_of_user = of_user is not None and 0 < of_user.soft < (limit if limit > 0 else math.inf)
    if of_user is not None and is_of_user:
        yield _user_limit_finding(container, line, of_user)
    elif limit > 0:
        yield _own_limit_finding(container, line, limit)


def _user_limit_finding(container: Container, line: str, limit: Ulimit) -> Finding:
    user = container.config.user.partition(":")[0]
    return Finding.about(
        container,
        f"{container} ended because user {user} may have no more than {limit.soft} processes on "
        "this host, those of other containers included (ulimit nproc)",
        {"log": quoted(line), f"{limit.source} nproc": limit.soft},
        signs=NO_FORK,
        onset=container.failed_first,
        variables={"unlimited": "--ulimit=nproc=-1:-1"},
    )


def _own_limit_finding(container: Container, line: str, limit: int) -> Finding:
    return Finding.about(
        container,
        f"{container} ended because it could start no more than {limit} processes",
        {"log": quoted(line), "HostConfig.PidsLimit": limit},
        signs=NO_FORK,
        onset=container.failed_first,
        variables={"pids": str(limit * 2)},
    )


def _most_tasks(containers: Containers, cgroups: Cgroups | None) -> PageVariables:
    """The page variables that limit the busiest container to its present number of tasks, where the
    host as a whole has too many."""
    if cgroups is None:
        return {}
    groups = [(container, cgroups.of(container)) for container in containers.running]
    counts = [
        (group.pids.current or 0, container.name)
        for container, group in groups
        if group is not None
    ]
    most, name = max(counts, default=(0, ""))
    return {"busiest": name, "held": str(most)} if name else {}
