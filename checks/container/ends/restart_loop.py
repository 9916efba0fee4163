"""container.restart-loop: a container exits and is restarted, over and over."""

import itertools
from collections.abc import Sequence

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.helpers import EndOutcome
from diagnose.evidence.containers.ends.loops import LoopLimits, loops
from diagnose.evidence.containers.ends.recent_exits import SERIES_GAP_S, RecentExits, recent_exits
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.line_kinds import is_served, tells_of_work
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.own_calls import OwnCalls, own_calls
from diagnose.evidence.containers.programs.closed_input import is_bare_shell
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.containers.run_evidence import log_evidence, meaning, tail_of, took
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.evidence.run.focus import Focus
from diagnose.evidence.swarm.churning_slots import churning_slots, was_replaced
from diagnose.first_steps.failed_run import FailedRun, failed_run
from diagnose.first_steps.failed_run_steps import further_steps
from diagnose.first_steps.setting_steps import setting_variables
from diagnose.model import ON_ALL, CheckResult, EvidenceGroup, Finding, PageVariables, Severity
from diagnose.model.units import Count, Seconds
from diagnose.phrases import duration, how_often, sentence
from diagnose.programs.exit_codes import described
from diagnose.registry import check

_PAST_S = 10.0
"""Seconds of a run after which a container that waited for another one is past its failure."""


class EndRecords(EvidenceGroup, frozen=True):
    """The sources that record that containers ended, and at whose request."""

    events: Events | None
    log: DaemonLog | None
    stops: Stops | None


class LoopReasons(EvidenceGroup, frozen=True):
    """Evidence that may say why a container ends again and again."""

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

    The check judges from the engine's count, its times and its events, never by waiting. A high
    count with a long run since is history and stays silent.

    A swarm replaces containers, so its tasks are counted by their slot, without those that it ended
    itself for an update. Where health checks have pushed the events out, the daemon's log has the
    exits. Where that is lost too, the engine's back-off shows them: the pause before the last start
    is as long as after three short runs (100 ms, doubled each time). Where nothing else explains
    the exits, the kernel's counters show calls to its own container that were refused.

    A container that crashes less often than three times in the window is not seen. One that works
    for `steady` or longer, or whose log reports work, ends with exit code 0 and is started again,
    as workers do that recycle themselves or take one job a run, is advice. A container that failed
    until the service that it calls was up, and now runs longer than any run before, is advice too.
    """
    limits = LoopLimits(restarts, window, steady)
    for container in (focus or ON_ALL).of(containers):
        exits = recent_exits(container, records.events, records.log, clock, window)
        if container.restarts_always and loops(container, exits, clock, records.events, limits):
            is_up = container.state.status != "restarting"
            run = failed_run(container, containers, reasons.context, before=is_up)
            if _is_past_failure(run, exits, clock):
                yield _past_failure_finding(run, exits, clock)
                continue
            to_itself = own_calls(container, reasons.losses, reasons.namespaces, containers)
            yield _finding(
                run, exits, to_itself=to_itself, clock=clock, containers=containers, steady=steady
            )
    asked_to_end = records.stops.by_id if records.stops is not None else {}
    ended = [container for container in containers if container.state.status == "exited"]
    failed_tasks = [container for container in ended if not was_replaced(container, asked_to_end)]
    for slot, failed in churning_slots(failed_tasks, containers, clock, limits).items():
        yield _churning_task_finding(slot, failed, clock, reasons.log_tails)


def _finding(
    run: FailedRun,
    exits: RecentExits,
    to_itself: OwnCalls | None,
    clock: Clock,
    containers: Containers,
    steady: float,
) -> Finding:
    """The finding about a container in a restart loop.

    to_itself: its refused calls to itself, which count where nothing else explains the loop.
    """
    container = run.container
    outcome = _outcome(container, exits, steady, did_work=_did_work(container, run.tail))
    cause = (
        run.unserved_peer_clause
        or run.unknown_host_clause
        or run.meaning_clause
        or run.complaint_clause
    )
    steps = _cure(run, exits) | further_steps(run) | _complaint(run)
    evidence: dict[str, object] = {
        **run.evidence(containers, clock),
        "State": str(container.state),
        "RestartCount": container.restart_count,
    }
    if exits.at:
        span = duration(clock.wall - exits.at[0])
        evidence[exits.source] = f"{len(exits.at)} in the last {span}, none requested by a user"
    evidence["HostConfig.RestartPolicy"] = container.host_config.restart_policy.name
    if to_itself is not None and not cause and not run.callees:
        cause = to_itself.text
        steps |= to_itself.steps
        evidence = to_itself.evidence | evidence
    return Finding.about(
        container,
        sentence(f"{container} {outcome.what}", cause),
        evidence,
        severity=outcome.severity,
        calls=run.callees,
        signs=run.tail.signs,
        onset=exits.series_began if exits.at else container.finished_at,
        variables={"looping": container.name, **steps},
    )


def _is_past_failure(run: FailedRun, exits: RecentExits, clock: Clock) -> bool:
    """Whether what the container called is up again, and it runs longer than any run before.

    A run is shorter than the time between two exits.
    """
    if run.container.state.status != "running" or not run.calls.are_back:
        return False
    up = clock.age(run.container.started_at) or 0.0
    pauses = [later - earlier for earlier, later in itertools.pairwise(exits.at)]
    return bool(pauses) and up >= _PAST_S and up > 2 * max(pauses)


def _past_failure_finding(run: FailedRun, exits: RecentExits, clock: Clock) -> Finding:
    """The advice about a container that failed until what it calls was up."""
    container = run.container
    failed = f"failed {how_often(len(exits.at))} until what it calls was up"
    up = duration(clock.age(container.started_at) or 0.0)
    return Finding.about(
        container,
        f"{container} {failed}, and has run for {up} since",
        {**log_evidence(run.tail), "State": str(container.state)},
        severity=Severity.advice,
        onset=exits.series_began,
    )


def _complaint(run: FailedRun) -> PageVariables:
    """The page variables with the called server that complains, and the variable that it lacks."""
    complaint = run.complaint
    if complaint is None or not complaint.variable:
        return {}
    return {"complaining": complaint.peer.name, "unset_there": complaint.variable}


def _cure(run: FailedRun, exits: RecentExits) -> PageVariables:
    """The page variables of the remedy for the loop itself."""
    container = run.container
    tail = run.tail
    calls = run.calls
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
    return cure | ({"waiting": container.name} if calls.are_back else {})


def _did_work(container: Container, tail: LogTail) -> bool:
    """Whether a log reports work that succeeded, and no complaint: a worker takes one job in each
    run.

    A server has answered requests before it ended, and its callers miss it between two runs.
    """
    complains = tail.failure is not None or tail.has_complaint
    if complains or container.wanted_ports:
        return False
    return any(tells_of_work(line) and not is_served(line) for line in tail.lines)


def _outcome(
    container: Container, exits: RecentExits, steady: float, *, did_work: bool
) -> EndOutcome:
    """The severity of a restart loop, and a predicate that says how its runs end."""
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

    inspect has 0 while the container runs, whatever the code of the run before.
    """
    return container.state.exit_code if container.state.status == "restarting" else exits.code


def _churning_task_finding(
    slot: str, failed: Sequence[Container], clock: Clock, log_tails: LogTails | None
) -> Finding:
    last = failed[-1]
    tail = tail_of(log_tails, last)
    code = described(last.state.exit_code)
    span = duration(clock.age(failed[0].finished_at) or 0.0)
    failure = f'swarm task "{slot}" keeps failing: exit code {code}, replaced'
    return Finding.about(
        last,
        sentence(f"{failure} {how_often(len(failed))} in {span}", meaning(tail)),
        {
            **log_evidence(tail),
            "failed tasks": len(failed),
            "State": f"exited, exit code {last.state.exit_code} after {took(last.ran_for)}",
        },
        signs=tail.signs,
        onset=last.finished_at,
        variables={"service": last.swarm_service or slot},
    )
