"""container.restart-loop: a container exits and is restarted, over and over."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.ends.failed_run import FailedRun, failed_run
from checks.container.ends.failed_run_steps import further_steps
from checks.container.ends.own_calls import OwnCalls, own_calls
from checks.container.first_steps.setting_steps import setting_variables
from checks.container.helpers import EndOutcome, log_evidence, meaning, tail_of, took
from diagnose.evidence.containers.ends.recent_exits import SERIES_GAP_S, RecentExits, recent_exits
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.line_kinds import is_served, tells_of_work
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.closed_input import is_bare_shell
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.evidence.run.focus import Focus
from diagnose.mappings import by_key
from diagnose.model import ON_ALL, CheckResult, EvidenceGroup, Finding, PageVariables, Severity
from diagnose.model.units import Count, Seconds
from diagnose.phrases import duration, how_often, sentence
from diagnose.programs.exit_codes import described
from diagnose.registry import check

BY_SIGNAL = (130, 137, 143)
"""Exit codes of programs that were asked to end: SIGINT, SIGKILL, SIGTERM."""


class EndRecords(EvidenceGroup, frozen=True):
    """Who remembers that containers ended, and at whose request."""

    events: Events | None
    log: DaemonLog | None
    stops: Stops | None


class LoopReasons(EvidenceGroup, frozen=True):
    """What may say why a container ends again and again."""

    context: RunContext | None
    losses: NetworkLosses | None

    @property
    def log_tails(self) -> LogTails | None:
        return self.context.log_tails if self.context is not None else None

    @property
    def namespaces(self) -> Namespaces | None:
        return self.context.namespaces if self.context is not None else None


@check(
    "container.restart-loop",
    severity=Severity.critical,
    caused_by=[
        *APPLICATION_CAUSES,
        *PEER_CAUSES,
        "container.daemonized",
        "container.exits-at-start",
    ],
    observed=True,
)
def restart_loop(
    containers: Containers,
    clock: Clock,
    records: EndRecords,
    reasons: LoopReasons,
    focus: Focus | None,
    *,
    restarts: Count = Count(3),
    window: Seconds = Seconds(3600),
    steady: Seconds = Seconds(60),
) -> CheckResult:
    """A container exits and is restarted, over and over.

    Judged from the engine's count, its times and its events, never by waiting. A high count with
    a long run since is history and stays silent. A swarm replaces containers, so its tasks are
    counted by their slot, without those that it ended itself for an update. Where health checks
    have pushed the events out, the daemon's log has the exits. Where that is lost too, the
    engine's back-off shows them: the pause before the last start is as long as after three short
    runs (100 ms, doubled each time). A container that crashes less often than three times in the
    window is not seen. Where nothing else explains the exits, the kernel's counters show calls to
    its own container that were refused. One that works for `steady` or longer, or whose log
    reports work, ends with exit code 0 and is started again, as workers do that recycle
    themselves or take one job a run, is advice.
    """
    limits = _Limits(restarts, window, steady)
    for container in (focus or ON_ALL).of(containers):
        exits = recent_exits(container, records.events, records.log, clock, window)
        if container.restarts_always and _loops(container, exits, clock, records.events, limits):
            is_up = container.state.status != "restarting"
            run = failed_run(container, containers, reasons.context, before=is_up)
            to_itself = own_calls(container, reasons.losses, reasons.namespaces, containers)
            yield _finding(
                run, exits, to_itself=to_itself, clock=clock, containers=containers, steady=steady
            )
    asked_to_end = records.stops.by_id if records.stops is not None else {}
    ended = [container for container in containers if container.state.status == "exited"]
    failed_tasks = [container for container in ended if not _was_replaced(container, asked_to_end)]
    for slot, failed in _churning_slots(failed_tasks, containers, clock, limits).items():
        yield _churning_task_finding(slot, failed, clock, reasons.log_tails)


class _Limits(msgspec.Struct, frozen=True):
    """What makes ends a loop."""

    restarts: int
    """The number of exits from which on it is a loop."""
    window: float
    """The seconds within which these exits happen."""
    steady: float
    """A run of this many seconds or more ends the loop."""


def _loops(
    container: Container, exits: RecentExits, clock: Clock, events: Events | None, limits: _Limits
) -> bool:
    """Whether a container exits again and again, and its present run is too short to end that."""
    steady = limits.steady
    if container.restart_count < limits.restarts:
        return False
    if container.state.status != "running":
        return container.state.status == "restarting"
    up = clock.age(container.started_at) or 0.0
    if len(exits.at) >= limits.restarts:
        return up < max(steady, 2 * exits.pause)
    has_all_events = events is not None and (events.complete_since or 0.0) < clock.wall - 2 * steady
    return up < steady and not has_all_events and _was_held_back(container, steady)


def _was_held_back(container: Container, steady: float) -> bool:
    """Whether a container's last start came after the engine's back-off for three short runs."""
    ended, started = container.finished_at, container.started_at
    return ended is not None and started is not None and 0.7 <= started - ended <= steady + 5


def _finding(
    run: FailedRun,
    exits: RecentExits,
    to_itself: OwnCalls | None,
    clock: Clock,
    containers: Containers,
    steady: float,
) -> Finding:
    """to_itself: its refused calls to itself, which count where nothing else explains the loop."""
    container = run.container
    outcome = _outcome(container, exits, steady, did_work=_did_work(container, run.tail))
    why = (
        run.unserved_peer_clause
        or run.unknown_host_clause
        or run.meaning_clause
        or run.complaint_clause
    )
    own = to_itself if not why and not run.callees else None
    evidence = {
        **run.evidence(containers, clock),
        "State": str(container.state),
        "RestartCount": container.restart_count,
    }
    if exits.at:
        span = duration(clock.wall - exits.at[0])
        evidence[exits.source] = f"{len(exits.at)} in the last {span}, none requested by a user"
    evidence["HostConfig.RestartPolicy"] = container.host_config.restart_policy.name
    finding = Finding.about(
        container,
        sentence(f"{container} {outcome.what}", own.text if own is not None else why),
        evidence if own is None else own.evidence | evidence,
        severity=outcome.severity,
        calls=run.callees,
        signs=run.tail.signs,
        onset=exits.series_began if exits.at else container.finished_at,
        looping=container.name,
    )
    steps = _cure(run, exits) | further_steps(run) | _complaint(run)
    return finding.with_variables(steps | (own.steps if own is not None else {}))


def _complaint(run: FailedRun) -> PageVariables:
    """The variable that the server which it calls misses, as variables of the page."""
    complaint = run.complaint
    if complaint is None or not complaint.variable:
        return {}
    return {"complaining": complaint.peer.name, "unset_there": complaint.variable}


def _cure(run: FailedRun, exits: RecentExits) -> PageVariables:
    """The variables of the page that name what heals the loop itself."""
    container, tail, calls = run.container, run.tail, run.calls
    code = _code(container, exits)
    if is_bare_shell(container) and not code:
        return {"shell": container.name}
    ended_well = code == 0 and tail.telling is None and tail.failure is None
    if ended_well:
        # a job needs another policy
        return {"job": container.name}
    cure = setting_variables(container, tail, run.setting, may_pass=calls.are_back)
    cure |= calls.variables
    # what it called runs now: it need not wait for the engine's next attempt
    return cure | ({"policy": _policy(container)} if calls.are_back else {})


def _did_work(container: Container, tail: LogTail) -> bool:
    """Whether a log reports work that went well, and complains of nothing: a worker takes one job
    in each run.

    A server has answered requests before it ended, and its callers miss it between two runs.
    """
    complains = tail.failure is not None or tail.has_complaint
    if complains or container.wanted_ports:
        return False
    return any(tells_of_work(line) and not is_served(line) for line in tail.lines)


def _outcome(
    container: Container, exits: RecentExits, steady: float, *, did_work: bool
) -> EndOutcome:
    """How bad the loop is, and how its runs end."""
    is_restarting = container.state.status == "restarting"
    code = _code(container, exits)
    run = container.ran_for if is_restarting else None
    lasted = f" after {took(run)}" if run is not None else ""
    if code == 0:
        lasts = (exits.pause if run is None and exits.at else run or 0.0) >= steady
        restarted = f"is restarted, {how_often(container.restart_count)} so far"
        severity = Severity.advice if lasts or did_work else Severity.warning
        return EndOutcome(severity, f"exits with code 0{lasted} and {restarted}")
    keeps_failing = "does not stay up"
    if code is not None:
        keeps_failing = f"keeps failing: exit code {described(code)}{lasted}"
    # where its exit codes are lost, it may be a worker that recycles itself
    limit = steady if code is None else SERIES_GAP_S
    is_slow = not is_restarting and len(exits.at) > 1 and exits.pause > limit
    severity = Severity.warning if is_slow else Severity.critical
    return EndOutcome(severity, f"{keeps_failing}, restarted {how_often(container.restart_count)}")


def _code(container: Container, exits: RecentExits) -> int | None:
    """The last exit code.

    inspect says 0 while the container runs, whatever the run before ended with.
    """
    return container.state.exit_code if container.state.status == "restarting" else exits.code


def _policy(container: Container) -> str:
    """The restart policy as `docker update --restart` takes it."""
    policy = container.host_config.restart_policy
    most = policy.maximum_retry_count
    return f"{policy.name}:{most}" if most else policy.name


def _service_and_slot(container: Container) -> str:
    """Service and slot of a swarm task (api.1), which every container of that task shares.

    Empty for others.
    """
    return container.labels.get("com.docker.swarm.task.name", "").rpartition(".")[0]


def _was_replaced(container: Container, asked_to_end: Mapping[str, bool]) -> bool:
    """Whether a container's end was requested.

    Where no source remembers, whether it ended as by a signal to end.
    """
    by_signal = container.state.exit_code in BY_SIGNAL and not container.state.oom_killed
    return asked_to_end.get(container.id, by_signal)


def _churning_slots(
    ended: Iterable[Container], containers: Containers, clock: Clock, limits: _Limits
) -> dict[str, list[Container]]:
    """The slots of swarm that no task serves, with those that failed recently, oldest first."""
    failed = [task for task in ended if _service_and_slot(task) and task.state.exit_code]
    lately = [task for task in failed if clock.is_within(task.finished_at, limits.window)]
    slots = by_key((_service_and_slot(task), task) for task in lately)
    served = _served_slots(containers, clock, limits)
    return {
        slot: sorted(tasks, key=lambda task: task.finished_at or 0.0)
        for slot, tasks in slots.items()
        if len(tasks) >= limits.restarts
        and slot not in served
        and not _is_changed_since(slot, tasks, containers)
    }


def _is_changed_since(slot: str, failed: Iterable[Container], containers: Containers) -> bool:
    """Whether a slot's present task is of another definition: an update was rolled back, or mended.

    The failed ones say nothing about it.
    """
    made_of = {_definition(task) for task in failed}
    present = [task for task in containers.running if _service_and_slot(task) == slot]
    return bool(present) and all(_definition(task) not in made_of for task in present)


def _definition(task: Container) -> tuple[object, ...]:
    """What the service of a task says of its program."""
    config = task.config
    return config.image, task.path, tuple(task.args or ()), tuple(config.env or ())


def _served_slots(containers: Containers, clock: Clock, limits: _Limits) -> set[str]:
    """The slots of swarm with a task that runs long enough."""
    return {
        _service_and_slot(container)
        for container in containers.running
        if clock.has_passed(container.started_at, limits.steady)
    }


def _churning_task_finding(
    slot: str, failed: Sequence[Container], clock: Clock, log_tails: LogTails | None
) -> Finding:
    last = failed[-1]
    tail = tail_of(log_tails, last)
    code = described(last.state.exit_code)
    span = duration(clock.age(failed[0].finished_at) or 0.0)
    what = f'swarm task "{slot}" keeps failing: exit code {code}, replaced'
    return Finding.about(
        last,
        sentence(f"{what} {how_often(len(failed))} in {span}", meaning(tail)),
        {
            **log_evidence(tail),
            "failed tasks": len(failed),
            "State": f"exited, exit code {last.state.exit_code} after {took(last.ran_for)}",
        },
        signs=tail.signs,
        onset=last.finished_at,
        service=last.swarm_service or slot,
    )
