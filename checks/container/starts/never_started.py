"""container.never-started: compose created a container, and gave up before it started it."""

import math
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.start_waits import (
    SlowHealth,
    StartWait,
    ready_s,
    slow_health,
    waits_of,
    was_called_unhealthy,
    was_started_in_its_run,
)
from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import by_key
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.phrases import agree, duration, joined, named
from diagnose.registry import check

SPARE = 2
"""The start period that a health check should allow, as a multiple of the time that a start took.
"""


@check("container.never-started", severity=Severity.critical)
def never_started(
    containers: Containers,
    clock: Clock,
    events: Events | None,
    written_projects: WrittenProjects | None,
    *,
    grace: Seconds = Seconds(30),
    interrupted: Seconds = Seconds(120),
) -> CheckResult:
    """Compose created a container, and gave up before it started it.

    `docker compose up` starts a service whose `depends_on` has the condition `service_healthy` or
    `service_completed_successfully` once the other service meets it. Where that one was called
    unhealthy first, or the command was interrupted, compose gives up, and nothing ever starts the
    container: a restart policy counts from the first start on. While the other service is not
    ready, its own finding names those that wait for it. Where the engine's events have it as
    unhealthy since, compose has given up for certain, and nothing is waited for. It is advice where
    the other service ran before, for `docker compose create` leaves a container so on purpose.

    A container that waits for nothing counts where compose cannot copy a config into it, because
    its file system is read-only, and after `interrupted` seconds where compose has started other
    services in the same run. Projects of which nothing was started are left out.
    """
    services = by_key(
        ((other.compose_project, other.compose_service), other)
        for other in containers
        if other.compose_project and not other.is_one_off
    )
    for container in containers.never_started:
        waits = list(waits_of(container, services, events))
        ready_for = ready_s(container, waits, clock)
        gave_up = any(was_called_unhealthy(wait, container, events) for wait in waits)
        if ready_for is not None and (gave_up or ready_for >= grace):
            yield _finding(container, waits, clock, slow_health(waits, events))
        if container.compose_project and not container.is_one_off and not waits:
            neighbours = containers.in_project_of(container)
            yield from _left_behind_findings(
                container, neighbours, written_projects, clock, interrupted
            )


def _left_behind_findings(
    container: Container,
    neighbours: Iterable[Container],
    written_projects: WrittenProjects | None,
    clock: Clock,
    interrupted: float,
) -> Iterator[Finding]:
    """Findings about containers that wait for no other one, and that a run of compose left behind.

    neighbours: the running containers of its project.
    """
    begin = f"{container} was created {clock.ago(container.created_at)} and never started"
    copied = _refused_copies(container, written_projects)
    if copied:
        yield Finding.about(
            container,
            f"{begin}: compose cannot copy {named('config', copied)} into it, because its service is "
            "read_only",
            {"State.Status": container.state.status, "configs with content": joined(copied)},
            onset=container.created_at,
            variables={"copied": copied[0]},
        )
        return
    others = [
        other
        for other in neighbours
        if not other.is_one_off and was_started_in_its_run(other, container)
    ]
    if others and clock.has_passed(container.created_at, interrupted):
        yield Finding.about(
            container,
            f"{begin}: compose was interrupted, or met an error, after it had started "
            f"{named('container', [other.name for other in others])}",
            {"State.Status": container.state.status},
            severity=Severity.warning,
            onset=container.created_at,
            variables={"ready": container.name, **compose_variables(container)},
        )


def _refused_copies(
    container: Container, written_projects: WrittenProjects | None
) -> Sequence[str]:
    """The configs that compose copies into a container, of a service that is read-only."""
    for project in written_projects or ():
        service = project.of(container) if container in project.containers else None
        if service is not None and service.is_read_only:
            return service.contents
    return ()


def _finding(
    container: Container, waits: Sequence[StartWait], clock: Clock, slow: SlowHealth | None
) -> Finding:
    """The finding about a container that was never started.

    slow: the awaited container that its health check called unhealthy too early.
    """
    held_by = [wait.other.name for wait in waits if wait.holds_back]
    others = named("container", held_by)
    are = agree(held_by, "is", "are")
    waited = any(wait.was_kept_from(container) for wait in waits)
    reason = f"compose gave up waiting for {others}, which {are} ready now"
    if not waited:
        reason = f"compose was interrupted or only created it, and {others} {are} ready"
    finding = Finding.about(
        container,
        f"{container} was created {clock.ago(container.created_at)} and never started: {reason}",
        {
            "State.Status": container.state.status,
            "it waited for": joined([str(wait) for wait in waits]),
        },
        severity=None if waited else Severity.advice,
        onset=container.created_at,
        variables={"ready": container.name, **compose_variables(container)},
    )
    return _with_slow_health(finding, slow) if slow is not None and waited else finding


def _with_slow_health(finding: Finding, slow: SlowHealth) -> Finding:
    """The finding with the reason why the next run of compose fails too."""
    row = f'health check of "{slow.other.name}"'
    took = f"healthy {duration(slow.healthy_after)} after its start"
    reason = f"called unhealthy {duration(slow.unhealthy_after)} after its start"
    finding = replace(finding, evidence={**finding.evidence, row: f"{reason}, {took}"})
    needs = math.ceil(slow.healthy_after * SPARE)
    return finding.with_variables({"slow": slow.other.name, "needs": f"{needs}s"})
