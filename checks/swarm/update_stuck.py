"""Updates of services that did not go through."""

from checks.swarm.helpers import (
    TASK_CAUSES,
    ending_or_stalled,
    missing_image,
    reason_without_services,
)
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.evidence.swarm.services import PlacedService
from diagnose.evidence.swarm.swarm import Swarm, UpdateStatus
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.model.units import Seconds
from diagnose.phrases import sentence
from diagnose.registry import check


@check("swarm.update-stuck", severity=Severity.warning, caused_by=[*TASK_CAUSES], observed=True)
def update_stuck(
    swarm: Swarm,
    clock: Clock,
    options: Options,
    containers: Containers | None,
    *,
    settle_s: Seconds = Seconds(120),
) -> CheckResult:
    """The update of a swarm service did not go through: its former version runs.

    Swarm pauses an update whose tasks fail, or takes it back (`failure_action: rollback`), and
    waits without end for a node that can take the next task. The number of tasks is right, so that
    nothing looks wrong, and `docker stack deploy` has ended long before. With the order
    start-first, a task that takes a port of its node waits for the one that it should replace. An
    update that began within settle_s is left out while it continues, and one that was taken back
    counts for as long as the run looks back. An administrator who runs `docker service rollback`
    knows it.
    """
    without = reason_without_services(swarm)
    if without is not None:
        return without
    for service in swarm.known_services:
        placed = PlacedService(swarm, service)
        update = service.update_status
        if update is not None and service.was_taken_back:
            if clock.is_within(update.ended_at, options.since_s) and not placed.lacks_tasks:
                yield _undone_finding(placed, update, containers, clock)
            continue
        if update is None or placed.lacks_tasks:
            continue
        if not update.is_held and not clock.has_passed(service.changed_at, settle_s):
            continue
        if update.state == "updating":
            if isinstance(swarm.tasks, Unavailable):
                return swarm.tasks
            if placed.obstacles:
                yield _finding(placed, update)
        elif update.state in ("paused", "rollback_paused"):
            yield _finding(placed, update)


def _finding(placed: PlacedService, update: UpdateStatus) -> Finding:
    name = placed.service.spec.name
    errors = placed.obstacles or placed.blamed
    reason = errors[0] if errors else update.message or update.state
    state_clause = "was paused and has not continued"
    if update.state == "updating":
        state_clause = "is stuck, and its previous tasks still run"
    own_port = ""
    if placed.waits_for_own_port:
        own_port = (
            "its old task holds the port, and ends only after the new one has started (start-first)"
        )
    return Finding(
        subject=DAEMON,
        summary=sentence(f'the update of service "{name}" {state_clause}: {reason}', own_port),
        evidence={
            "UpdateStatus": f"{update.state}: {update.message}",
            "task errors": errors[:3],
            **present({"UpdateConfig.Order": "start-first" if own_port else ""}),
        },
        variables={
            "service": name,
            **_holder_variables(placed, update),
            **ending_or_stalled(name, errors),
        },
        discriminator=name,
        touches=missing_image(errors),
        signs=signs(*errors),
        service=f"swarm {name}",
    )


def _undone_finding(
    placed: PlacedService, update: UpdateStatus, containers: Containers | None, clock: Clock
) -> Finding:
    """The finding about an update that swarm took back; the newest failed task has the reason."""
    service = placed.service
    name = service.spec.name
    failed = [task for task in placed.tasks if task.has_failed]
    newest = max(failed, key=lambda task: task.changed_at or 0.0, default=None)
    to_image = error = ""
    variables = {"service": name, "undone": name}
    if newest is not None:
        error = newest.status.err
        is_other = newest.image not in ("", service.spec.image)
        to_image = f" to image {newest.image}" if is_other else ""
        variables |= present({"failed_task": newest.id if newest.container_id else ""})
    created_ids = {task.container_id for task in failed if task.container_id}
    return Finding(
        subject=DAEMON,
        summary=sentence(
            f'the update of service "{name}"{to_image} was rolled back '
            f"{clock.ago(update.ended_at)}, and its previous version is running",
            f"a new task failed ({error})" if error else "",
        ),
        evidence={
            "UpdateStatus": f"{update.state}: {update.message}",
            **present({"image that runs": service.spec.image, "task error": error}),
        },
        variables=variables,
        discriminator=name,
        touches=(
            *(container.subject for container in containers or () if container.id in created_ids),
            *missing_image([error]),
        ),
        signs=signs(error),
        onset=update.ended_at,
        service=f"swarm {name}",
    )


def _holder_variables(placed: PlacedService, update: UpdateStatus) -> PageVariables:
    """The page variable that names the service whose port or pause holds the update up."""
    name = placed.service.spec.name
    if placed.waits_for_own_port:
        return {"port_holder": name}
    return {"held": name} if update.state == "paused" else {}
