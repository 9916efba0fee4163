"""Updates of services that do not go on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from diagnose.evidence.run.options import Options
from diagnose.evidence.swarm.swarm import Service, Swarm, Task, UpdateStatus
from diagnose.model import Unavailable
from tests.checks.swarm.evidence import CLOCK, FAILED
from tests.judging import judge

# -- updates that do not go on ----------------------------------------

PORT = {"Ports": [{"Protocol": "tcp", "PublishedPort": 80, "PublishMode": "host"}]}
PENDING = {
    "ServiceID": "s",
    "Status": {
        "State": "pending",
        "Err": "no suitable node (host-mode port already in use on 1 node)",
    },
}
START_FIRST = {"EndpointSpec": PORT, "UpdateConfig": {"Order": "start-first"}}
LATER = {"ServiceID": "s", "Status": {"State": "running"}}


def _updated(
    spec: dict[str, Any],
    state: str,
    tasks: list[dict[str, Any]],
    age: float = 600,
    running: int = 1,
) -> Swarm:
    """A service whose last update is in this state, and began so many seconds ago."""
    row = {
        "ID": "s",
        "Spec": {"Name": "web", **spec},
        "ServiceStatus": {"RunningTasks": running, "DesiredTasks": 1},
        "UpdateStatus": {"State": state, "Message": "as swarm says it"},
        "UpdatedAt": datetime.fromtimestamp(CLOCK.wall - age, UTC).isoformat(),
    }
    services = (msgspec.convert(row, Service),)
    return Swarm(
        "active", manager=True, services=services, tasks=msgspec.convert(tasks, tuple[Task, ...])
    )


def _failed(age: float) -> dict[str, Any]:
    """A task that ended with an error so many seconds ago; swarm keeps some of them."""
    at = datetime.fromtimestamp(CLOCK.wall - age, UTC).isoformat()
    status = {"State": "failed", "Err": "task: non-zero exit (1)", "Timestamp": at}
    return {"ServiceID": "s", "DesiredState": "shutdown", "Status": status}


UPDATES = {
    "it waits for its own port": (
        _updated(START_FIRST, "updating", [PENDING, LATER]),
        {"port_holder": "web", "stalled": "web"},
    ),
    "it waits for a node": (_updated({}, "updating", [PENDING, LATER]), {"stalled": "web"}),
    "paused": (_updated({}, "paused", [FAILED, LATER]), {"held": "web", "stalled": "web"}),
    "paused a moment ago": (
        _updated({}, "paused", [FAILED, LATER], age=3), {"held": "web", "stalled": "web"},
    ),
    "its way back is paused": (_updated({}, "rollback_paused", [LATER]), {"stalled": "web"}),
    "under way": (_updated({}, "updating", [LATER]), None),
    "under way, and a task ended long ago": (
        _updated({}, "updating", [_failed(900), LATER]), None,
    ),
    "under way, and one task failed since": (
        _updated({}, "updating", [_failed(60), LATER]), None,
    ),
    "its tasks fail again and again": (
        _updated({}, "updating", [*(_failed(age) for age in (60, 120, 180)), LATER]),
        {"ending": "web"},
    ),
    "it began a moment ago": (_updated(START_FIRST, "updating", [PENDING], age=30), None),
    "completed": (_updated({}, "completed", [FAILED, LATER]), None),
    "tasks are missing": (_updated({}, "paused", [FAILED], running=0), None),
}  # fmt: skip


@pytest.mark.parametrize(("swarm", "variables"), UPDATES.values(), ids=UPDATES)
def test_updates_that_do_not_go_on(swarm: Swarm, variables: dict[str, str] | None) -> None:
    findings = judge("swarm.update-stuck", swarm=swarm, clock=CLOCK, options=Options()).findings
    expected = [] if variables is None else [{"service": "web", **variables}]
    assert [finding.variables for finding in findings] == expected


def test_an_update_whose_tasks_are_not_known_is_no_pass() -> None:
    swarm = msgspec.structs.replace(
        _updated({}, "updating", []), tasks=Unavailable("timed out", "the tasks")
    )
    assert (
        judge("swarm.update-stuck", swarm=swarm, clock=CLOCK, options=Options()).verdict.value
        == "unknown"
    )


def test_a_paused_update_is_laid_to_the_task_that_swarm_names() -> None:
    old = _failed(9000)
    new = {**_failed(300), "ID": "t9", "Status": {"State": "failed", "Err": "no such image"}}
    swarm = _updated({}, "paused", [old, old, new, LATER])
    (service,) = swarm.known_services
    said = UpdateStatus("paused", "update paused due to failure or early termination of task t9")
    swarm = msgspec.structs.replace(
        swarm, services=(msgspec.structs.replace(service, update_status=said),)
    )
    (finding,) = judge("swarm.update-stuck", swarm=swarm, clock=CLOCK, options=Options()).findings
    assert finding.evidence["task errors"] == ["no such image"]
    assert "former tasks" not in finding.summary


# -- updates that swarm took back ----------------------------------------


def _undone(age: float, tasks: list[dict[str, Any]], running: int = 1) -> Swarm:
    """A service whose update was taken back so many seconds ago."""
    image = {"ContainerSpec": {"Image": "shop:1.4@sha256:00"}}
    swarm = _updated({"TaskTemplate": image}, "rollback_completed", tasks, running=running)
    (service,) = swarm.known_services
    at = datetime.fromtimestamp(CLOCK.wall - age, UTC).isoformat()
    said = UpdateStatus("rollback_completed", "rollback completed", at)
    return msgspec.structs.replace(
        swarm, services=(msgspec.structs.replace(service, update_status=said),)
    )


NEWER = {**_failed(300), "ID": "t9", "Spec": {"ContainerSpec": {"Image": "shop:1.5"}}}
NEWER["Status"] = {**NEWER["Status"], "ContainerStatus": {"ContainerID": "c9"}}
REFUSED = {**_failed(300), "ID": "t8", "Spec": {"ContainerSpec": {"Image": "shop:1.5"}}}
_WHY = (
    'the update of service "web" to image shop:1.5 was rolled back 4 min ago, and its previous version '
    "is running; a new task failed (task: non-zero exit (1))"
)
UNDONE = {
    "its new task failed": (
        _undone(240, [LATER, _failed(900), NEWER]),
        [
            (
                _WHY,
                {"service": "web", "undone": "web", "failed_task": "t9"},
            )
        ],
    ),
    "its new task was refused, and has no log": (
        _undone(240, [LATER, REFUSED]),
        [
            (
                _WHY,
                {"service": "web", "undone": "web"},
            )
        ],
    ),
    "swarm keeps no failed task": (
        _undone(240, [LATER]),
        [
            (
                ('the update of service "web" was rolled back 4 min ago, and its previous version '
                'is running'),
                {"service": "web", "undone": "web"},
            )
        ],
    ),
    "two days ago": (_undone(2 * 86400, [LATER, NEWER]), []),
    "its previous version does not run either": (_undone(240, [NEWER], running=0), []),
}  # fmt: skip


@pytest.mark.parametrize(("swarm", "expected"), UNDONE.values(), ids=UNDONE)
def test_updates_that_were_taken_back(
    swarm: Swarm, expected: list[tuple[str, dict[str, str]]]
) -> None:
    findings = judge("swarm.update-stuck", swarm=swarm, clock=CLOCK, options=Options()).findings
    assert [(finding.summary, finding.variables) for finding in findings] == expected


def test_a_way_back_that_somebody_asked_for_is_no_news() -> None:
    """Swarm keeps the specification that was left then, and forgets it when it goes back alone."""
    swarm = _undone(240, [LATER, NEWER])
    (service,) = swarm.known_services
    asked = msgspec.structs.replace(service, previous_spec=service.spec)
    swarm = msgspec.structs.replace(swarm, services=(asked,))
    findings = judge("swarm.update-stuck", swarm=swarm, clock=CLOCK, options=Options()).findings
    assert findings == ()
