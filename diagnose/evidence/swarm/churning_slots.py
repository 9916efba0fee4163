"""Slots of swarm services whose tasks fail one after the other. Pure."""

from collections.abc import Iterable, Mapping

from diagnose.evidence.containers.ends.loops import LoopLimits
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import by_key

BY_SIGNAL = (130, 137, 143)
"""Exit codes of programs that were asked to end: SIGINT, SIGKILL, SIGTERM."""


def service_and_slot(container: Container) -> str:
    """Service and slot of a swarm task (api.1), which every container of that task shares.

    Empty for others.
    """
    return container.labels.get("com.docker.swarm.task.name", "").rpartition(".")[0]


def was_replaced(container: Container, asked_to_end: Mapping[str, bool]) -> bool:
    """Whether a container's end was requested.

    Where no source remembers, whether it ended as by a signal to end.
    """
    by_signal = container.state.exit_code in BY_SIGNAL and not container.state.oom_killed
    return asked_to_end.get(container.id, by_signal)


def churning_slots(
    ended: Iterable[Container], containers: Containers, clock: Clock, limits: LoopLimits
) -> dict[str, list[Container]]:
    """The slots of swarm that no task serves, with those that failed recently, oldest first."""
    failed = [task for task in ended if service_and_slot(task) and task.state.exit_code]
    lately = [task for task in failed if clock.is_within(task.finished_at, limits.window)]
    slots = by_key((service_and_slot(task), task) for task in lately)
    served = _served_slots(containers, clock, limits)
    return {
        slot: sorted(tasks, key=lambda task: task.finished_at or 0.0)
        for slot, tasks in slots.items()
        if len(tasks) >= limits.restarts
        and slot not in served
        and not _is_changed_since(slot, tasks, containers)
    }


def _is_changed_since(slot: str, failed: Iterable[Container], containers: Containers) -> bool:
    """Whether a slot's present task has another definition: an update was rolled back, or repaired.

    The failed ones say nothing about it.
    """
    made_of = {_definition(task) for task in failed}
    present = [task for task in containers.running if service_and_slot(task) == slot]
    return bool(present) and all(_definition(task) not in made_of for task in present)


def _definition(task: Container) -> tuple[object, ...]:
    """The image, program, arguments and variables that a service defines for a task."""
    config = task.config
    return config.image, task.path, tuple(task.args or ()), tuple(config.env or ())


def _served_slots(containers: Containers, clock: Clock, limits: LoopLimits) -> set[str]:
    """The slots of swarm with a task that runs long enough."""
    return {
        service_and_slot(container)
        for container in containers.running
        if clock.has_passed(container.started_at, limits.steady)
    }
