"""container.restarts-exhausted: a container failed as often as its restart policy allows."""

from checks.container.causes import causes_without
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.containers.run_evidence import took
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.focus import Focus
from diagnose.first_steps.failed_run import FailedRun, failed_run
from diagnose.first_steps.failed_run_steps import steps_of
from diagnose.model import ON_ALL, CheckResult, Finding, Seconds, Severity
from diagnose.phrases import count, duration, sentence
from diagnose.programs.exit_codes import described
from diagnose.registry import check


@check(
    "container.restarts-exhausted",
    severity=Severity.critical,
    caused_by=causes_without(
        "container.crashed", "container.restarts-exhausted", "container.start-refused"
    ),
    observed=True,
)
def restarts_exhausted(
    containers: Containers,
    clock: Clock,
    events: Events | None,
    context: RunContext | None,
    focus: Focus | None,
    *,
    forgotten: Seconds = Seconds(604800),
) -> CheckResult:
    """A container failed as often as its restart policy allows, and stays down.

    Its policy is on-failure with a maximum that RestartCount has reached. One that was stopped by
    hand is silent as long as the engine remembers it. One that has been down for longer than
    `forgotten` is advice.
    """
    for container in (focus or ON_ALL).of(containers):
        if not _has_used_up_its_restarts(container):
            continue
        if events is not None and events.was_stopped(container.id):
            continue
        age = clock.age(container.finished_at)
        is_old = age is None or age > forgotten
        severity = Severity.advice if is_old else Severity.critical
        yield _finding(failed_run(container, containers, context), severity, containers, clock)


def _has_used_up_its_restarts(container: Container) -> bool:
    """Whether the policy on-failure allows no further restart of a container that has failed."""
    policy = container.host_config.restart_policy
    state = container.state
    most = policy.maximum_retry_count
    is_limited = policy.name == "on-failure" and most > 0
    has_failed = state.status == "exited" and state.exit_code != 0
    return is_limited and has_failed and container.restart_count >= most


def _finding(run: FailedRun, severity: Severity, containers: Containers, clock: Clock) -> Finding:
    container = run.container
    most = container.host_config.restart_policy.maximum_retry_count
    age = clock.age(container.finished_at)
    age_clause = f" {duration(age)} ago" if age is not None else ""
    code = described(container.state.exit_code)
    end_clause = (
        f"{container} stays down: the engine gave up{age_clause} after {count(most, 'restart')}, "
        f"exit code {code} after {took(container.ran_for)}"
    )
    return Finding.about(
        container,
        sentence(end_clause, run.cause_clause),
        {
            **run.evidence(containers, clock),
            "State": str(container.state),
            "RestartCount": container.restart_count,
            "HostConfig.RestartPolicy": f"on-failure:{most}",
        },
        severity=severity,
        calls=run.callees,
        signs=run.tail.signs,
        onset=container.finished_at,
        variables=steps_of(run),
    )
