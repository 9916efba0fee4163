"""The conditions of `depends_on` that a container waits for, and whether they are met. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.phrases import unix

TOGETHER_S = 120.0
"""Seconds within which compose starts the awaited containers after it has created all of them."""
_HEALTHY = "service_healthy"
_COMPLETED = "service_completed_successfully"


class StartWait(msgspec.Struct, frozen=True):
    """Another container of the project, and the state that this one waited for."""

    other: Container
    condition: str
    healthy_since: float | None = None
    """Unix time since which the container is healthy at the latest; None if the engine did not say.
    """

    @property
    def holds_back(self) -> bool:
        """Whether compose waits for more than that the other one was started."""
        return self.condition in (_HEALTHY, _COMPLETED)

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
        """Unix time since which the condition has been met, as far back as the engine knows.

        The engine keeps the last five probes, which cover only some seconds where they come often.
        Its last 256 events go back further, unless many containers have probes.
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
        """Whether compose had to wait: the other one was created, or became ready, no earlier.

        A container that was already running may have been ready at that time.
        """
        created_at = container.created_at or 0.0
        log = (self.other.state.health.log or ()) if self.other.state.health else ()
        failed = any(
            probe.exit_code != 0 and (unix(probe.start) or 0.0) >= created_at for probe in log
        )
        times = (self.other.created_at, self.other.started_at, self.other.finished_at)
        is_of_run = any(time is not None and abs(time - created_at) <= TOGETHER_S for time in times)
        return failed or is_of_run

    def __str__(self) -> str:
        health = self.other.state.health
        state = health.status if self.condition == _HEALTHY and health else str(self.other.state)
        return f'{self.condition} of "{self.other.name}", now {state}'


def waits_of(
    container: Container,
    services: Mapping[tuple[str, str], Sequence[Container]],
    events: Events | None,
) -> Iterator[StartWait]:
    """The containers of the project for which compose had this one wait, as far as they exist.

    services: the containers of each project's services.
    """
    project = container.compose_project
    if not project or container.is_one_off:
        return
    for service, condition in container.compose_dependencies.items():
        for other in services.get((project, service), ()):
            if condition:
                yield StartWait(other, condition, _healthy_since(other, events))


def ready_s(container: Container, waits: Sequence[StartWait], clock: Clock) -> float | None:
    """For how long compose could have started the container.

    None where it waits for nothing, where that is not ready, or where compose never began.
    """
    if not any(wait.holds_back for wait in waits) or not all(wait.is_met for wait in waits):
        return None
    if not all(_was_started_with(wait.other, container) for wait in waits):
        return None
    return clock.age(max(container.created_at or 0.0, *(wait.met_at for wait in waits)))


def was_started_in_its_run(other: Container, container: Container) -> bool:
    """Whether compose created both in one run, and started the other one."""
    created_at = container.created_at
    made_other = other.created_at
    started = other.started_at
    if created_at is None or made_other is None or started is None:
        return False
    return (
        other.is_running
        and abs(made_other - created_at) <= TOGETHER_S
        and created_at <= started <= created_at + TOGETHER_S
    )


def _healthy_since(container: Container, events: Events | None) -> float | None:
    """The time of the last change to healthy; the oldest known time without any change; or None."""
    if events is None:
        return None
    changes = events.of(container.id, "health_status")
    if not changes:
        return events.complete_since
    return changes[-1].at if changes[-1].detail == "healthy" else None


def was_called_unhealthy(wait: StartWait, container: Container, events: Events | None) -> bool:
    """Whether the engine has reported the other one unhealthy since this one was created.

    Compose ends with the first probe that says so: it does not wait for a recovery.
    """
    if events is None or wait.condition != _HEALTHY:
        return False
    changes = events.of(wait.other.id, "health_status")
    created_at = container.created_at or 0.0
    return any(change.detail == "unhealthy" and change.at >= created_at for change in changes)


class SlowHealth(msgspec.Struct, frozen=True):
    """A container that was called unhealthy while it was still starting. Seconds of its run."""

    other: Container
    unhealthy_after: float
    healthy_after: float


def slow_health(waits: Sequence[StartWait], events: Events | None) -> SlowHealth | None:
    """The first of the awaited containers whose health check gave it too little time to start."""
    for wait in waits:
        began = wait.other.started_at
        if events is None or began is None or wait.condition != _HEALTHY:
            continue
        changes = [
            change for change in events.of(wait.other.id, "health_status") if change.at >= began
        ]
        if [change.detail for change in changes] == ["unhealthy", "healthy"]:
            unhealthy, healthy = changes
            return SlowHealth(wait.other, unhealthy.at - began, healthy.at - began)
    return None


def _was_started_with(other: Container, container: Container) -> bool:
    """Whether compose started the other one in the run that created this one, or before it.

    A container that had ended was started again since: its first start is not known.
    """
    created = container.created_at
    started = other.started_at
    if created is None or started is None:
        return False
    ran_before = other.finished_at is not None and other.is_running
    return ran_before or started - created <= TOGETHER_S
