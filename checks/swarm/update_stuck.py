"""Updates that are stuck."""

from __future__ import annotations

from checks.swarm.helpers import (
    TASK_CAUSES,
    ending_or_stalled,
    missing_image,
    reason_without_services,
)
from diagnose.error_signatures import signs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.swarm.services import PlacedService
from diagnose.evidence.swarm.swarm import Swarm, UpdateStatus
from diagnose.mappings import present
from diagnose.model import (
    DAEMON,
    CheckResult,
    Finding,
    PageVariables,
    Seconds,
    Severity,
    Unavailable,
)
from diagnose.phrases import sentence
from diagnose.registry import check


@check("swarm.update-stuck", severity=Severity.warning, caused_by=[*TASK_CAUSES], observed=True)
def update_stuck(swarm: Swarm, clock: Clock, *, settle_s: Seconds = Seconds(120)) -> CheckResult:
    """The update of a swarm service is stuck: its former tasks still run.

    Swarm pauses an update whose tasks fail, and waits without end for a node that can take the next
    task. The number of tasks is right, so that nothing looks wrong. With the order start-first, a
    task that takes a port of its node waits for the one that it is to replace. An update that began
    within settle_s is left alone.
    """
    without = reason_without_services(swarm)
    if without is not None:
        return without
    for service in swarm.known_services:
        placed, update = PlacedService(swarm, service), service.update_status
        is_settled = clock.has_passed(service.changed_at, settle_s)
        if update is None or placed.lacks_tasks or not is_settled:
            continue
        if update.state == "updating":
            if isinstance(swarm.tasks, Unavailable):
                return swarm.tasks
            if placed.obstacles:
                yield _finding(placed, update)
        elif update.state in ("paused", "rollback_paused"):
            yield _finding(placed, update)
    return None


def _finding(placed: PlacedService, update: UpdateStatus) -> Finding:
    name = placed.service.spec.name
    errors = placed.obstacles or placed.blamed
    why = errors[0] if errors else update.message or update.state
    state = "was paused and does not go on"
    if update.state == "updating":
        state = "is stuck, and its former tasks still run"
    own_port = ""
    if placed.waits_for_own_port:
        own_port = (
            "its old task holds the port, and ends only after the new one has started (start-first)"
        )
    return Finding(
        subject=DAEMON,
        summary=sentence(f'the update of service "{name}" {state}: {why}', own_port),
        evidence={
            "UpdateStatus": f"{update.state}: {update.message}",
            "task errors": errors[:3],
            **present({"UpdateConfig.Order": "start-first" if own_port else ""}),
        },
        variables={
            "service": name,
            **_what_holds_it_up(placed, update),
            **ending_or_stalled(name, errors),
        },
        discriminator=name,
        touches=missing_image(errors),
        signs=signs(*errors),
        service=f"swarm {name}",
    )


def _what_holds_it_up(placed: PlacedService, update: UpdateStatus) -> PageVariables:
    """What holds the update up, as a variable of the page."""
    name = placed.service.spec.name
    if placed.waits_for_own_port:
        return {"port_holder": name}
    return {"held": name} if update.state == "paused" else {}
