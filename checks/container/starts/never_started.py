"""container.never-started: compose created a container, and gave up before it started it."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import by_key
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.phrases import agree, joined, named, unix
from diagnose.registry import check

TOGETHER_S = 120.0
"""Compose starts what a container waits for so shortly after it has created all of them."""
_HEALTHY = "service_healthy"
_COMPLETED = "service_completed_successfully"


class _Wait(msgspec.Struct, frozen=True):
    """Another container of the project, and the state that this one waited for."""

    other: Container
    condition: str
    healthy_since: float | None = None
    """Unix time since which the engine calls it healthy at the latest; None if it did not say."""

    @property
    def is_met(self) -> bool:
        state = self.other.state
        if self.condition == _COMPLETED:
            return state.status == "exited" and state.exit_code == 0
        if self.condition == _HEALTHY:
            return self.other.is_running and self.other.is_healthy
        return self.other.is_running

    @property
    def met_at(self) -> float:
        """Unix time since which it has been met, as far back as the engine knows.

        The engine keeps the last five probes, which cover only some seconds where they come
        often. Its last 256 events go back further, unless many containers have probes.
        """
        if self.condition == _COMPLETED:
            return self.other.finished_at or 0.0
        began = self.other.started_at or 0.0
        health = self.other.state.health
        if self.condition != _HEALTHY or health is None:
            return began
        times = [] if self.healthy_since is None else [self.healthy_since]
        for probe in reversed(health.log or ()):
            if probe.exit_code != 0:
                break
            times.append(unix(probe.start) or 0.0)
        return max(began, min(times, default=began))

    def was_kept_from(self, container: Container) -> bool:
        """Whether compose had to wait: the other one was made, or became ready, with it or later.

        One that runs since before may have been ready when the container was created.
        """
        made = container.created_at or 0.0
        log = (self.other.state.health.log or ()) if self.other.state.health else ()
        failed = any(probe.exit_code != 0 and (unix(probe.start) or 0.0) >= made for probe in log)
        times = (self.other.created_at, self.other.started_at, self.other.finished_at)
        is_of_run = any(time is not None and abs(time - made) <= TOGETHER_S for time in times)
        return failed or is_of_run

    def __str__(self) -> str:
        health = self.other.state.health
        state = health.status if self.condition == _HEALTHY and health else str(self.other.state)
        return f'{self.condition} of "{self.other.name}", now {state}'


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
    services in the same run. Projects of which nothing was started are left alone.
    """
    services = by_key(
        ((other.compose_project, other.compose_service), other)
        for other in containers
        if other.compose_project and not other.is_one_off
    )
    for container in containers.never_started:
        waits = list(_waits(container, services, events))
        ready_s = _ready_s(container, waits, clock)
        gave_up = any(_was_called_unhealthy(wait, container, events) for wait in waits)
        if ready_s is not None and (gave_up or ready_s >= grace):
            yield _finding(container, waits, clock)
        if container.compose_project and not container.is_one_off and not waits:
            yield from _left_behind_findings(
                container, services, written_projects, clock, interrupted
            )


def _left_behind_findings(
    container: Container,
    services: Mapping[tuple[str, str], Sequence[Container]],
    written_projects: WrittenProjects | None,
    clock: Clock,
    interrupted: float,
) -> Iterator[Finding]:
    """A container that waits for no other one, and that the same run of compose left behind."""
    begin = f"{container} was created {clock.ago(container.created_at)} and never started"
    copied = _refused_copies(container, written_projects)
    if copied:
        yield Finding.about(
            container,
            f"{begin}: compose cannot copy {named('config', copied)} into it, because its service is "
            "read_only",
            {"State.Status": container.state.status, "configs with content": joined(copied)},
            onset=container.created_at,
            copied=copied[0],
        )
        return
    others = [
        other
        for (project, _), members in services.items()
        for other in members
        if project == container.compose_project and _was_started_in_its_run(other, container)
    ]
    if others and clock.has_passed(container.created_at, interrupted):
        yield Finding.about(
            container,
            f"{begin}: compose was interrupted, or met an error, after it had started "
            f"{named('container', [other.name for other in others])}",
            {"State.Status": container.state.status},
            severity=Severity.warning,
            onset=container.created_at,
            ready=container.name,
        ).with_variables(compose_variables(container))


def _refused_copies(
    container: Container, written_projects: WrittenProjects | None
) -> Sequence[str]:
    """The configs that compose copies into a container of a service that is read-only."""
    for project in written_projects or ():
        service = project.of(container) if container in project.containers else None
        if service is not None and service.is_read_only:
            return service.contents
    return ()


def _was_started_in_its_run(other: Container, container: Container) -> bool:
    """Whether compose made both in one run, and started the other one."""
    made, others, started = container.created_at, other.created_at, other.started_at
    if made is None or others is None or started is None or not other.is_running:
        return False
    return abs(others - made) <= TOGETHER_S and made <= started <= made + TOGETHER_S


def _ready_s(container: Container, waits: Sequence[_Wait], clock: Clock) -> float | None:
    """For how long compose could have started the container.

    None where it waits for nothing, where that is not ready, or where compose never began.
    """
    is_held_back = any(wait.condition in (_HEALTHY, _COMPLETED) for wait in waits)
    if not is_held_back or not all(wait.is_met for wait in waits):
        return None
    if not all(_was_started_with(wait.other, container) for wait in waits):
        return None
    return clock.age(max(container.created_at or 0.0, *(wait.met_at for wait in waits)))


def _finding(container: Container, waits: Sequence[_Wait], clock: Clock) -> Finding:
    others = named("container", [wait.other.name for wait in waits])
    are = agree(waits, "is", "are")
    waited = any(wait.was_kept_from(container) for wait in waits)
    why = f"compose gave up waiting for {others}, which {are} ready now"
    if not waited:
        why = f"compose was interrupted or only created it, and {others} {are} ready"
    return Finding.about(
        container,
        f"{container} was created {clock.ago(container.created_at)} and never started: {why}",
        {
            "State.Status": container.state.status,
            "it waited for": joined([str(wait) for wait in waits]),
        },
        severity=None if waited else Severity.advice,
        onset=container.created_at,
        ready=container.name,
    ).with_variables(compose_variables(container))


def _waits(
    container: Container,
    services: Mapping[tuple[str, str], Sequence[Container]],
    events: Events | None,
) -> Iterator[_Wait]:
    """The containers of its project for which compose had it wait, as far as they are there.

    services: the containers of each project's services.
    """
    project = container.compose_project
    if not project or container.is_one_off:
        return
    for service, condition in container.compose_dependencies.items():
        for other in services.get((project, service), ()):
            if condition:
                yield _Wait(other, condition, _healthy_since(other, events))


def _healthy_since(container: Container, events: Events | None) -> float | None:
    """When the engine last changed its health to healthy, or since when it has not changed it."""
    if events is None:
        return None
    changes = events.of(container.id, "health_status")
    if not changes:
        return events.complete_since
    return changes[-1].at if changes[-1].detail == "healthy" else None


def _was_called_unhealthy(wait: _Wait, container: Container, events: Events | None) -> bool:
    """Whether the engine has called the other one unhealthy since this one was made.

    Compose ends with its first probe that says so: it does not wait until the other one recovers.
    """
    if events is None or wait.condition != _HEALTHY:
        return False
    changes = events.of(wait.other.id, "health_status")
    made = container.created_at or 0.0
    return any(change.detail == "unhealthy" and change.at >= made for change in changes)


def _was_started_with(other: Container, container: Container) -> bool:
    """Whether compose started the other one in the run that created this one, or before it.

    One that has ended before was started again since: when it was started first is not known.
    """
    created, started = container.created_at, other.started_at
    if created is None or started is None:
        return False
    ran_before = other.finished_at is not None and other.is_running
    return ran_before or started - created <= TOGETHER_S
