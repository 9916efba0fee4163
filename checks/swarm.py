"""Swarm: nodes that are down, managers without a majority, services with fewer tasks than wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.swarm import Swarm
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckItem, Finding, Seconds, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check

TASK_CAUSES = (
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.exec-format",
    "container.interpreter-missing",
    "container.mount-source-missing",
    "container.oom-killed",
    "container.restart-loop",
    "container.runtime-limit-hit",
    "container.start-refused",
)
"""What keeps a task from running on this node."""
NOT_USED = "this engine is in no swarm"
NO_MANAGER = "this node is no manager: only managers know"


@check("swarm.quorum-lost", severity=Severity.critical, caused_by=["daemon.clock-skewed"])
def quorum_lost(swarm: Swarm) -> Iterator[CheckItem] | Skipped:
    """The managers of the swarm have lost their majority.

    Seen on engines 20.10.24, 26.1.5 and 28.5.2: /nodes answers 503 "The swarm does not have a leader"; running tasks go on.
    A swarm that elects a new leader says the same for some seconds.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    return _quorum(swarm)


def _quorum(swarm: Swarm) -> Iterator[CheckItem]:
    words = swarm.nodes.detail if isinstance(swarm.nodes, Unavailable) else swarm.error
    if "does not have a leader" in words or "without a leader" in words:
        yield Finding(
            DAEMON,
            f"the swarm has no leader: too few of its {swarm.managers or 'managers'} managers can be reached",
            {"GET /nodes": words, "Swarm.LocalNodeState": swarm.state, "Swarm.Managers": swarm.managers},
            signs=signs(words),
        )


@check("swarm.node-down", severity=Severity.critical, caused_by=["swarm.quorum-lost"])
def node_down(swarm: Swarm) -> Iterator[CheckItem] | Skipped | Unavailable:
    """A node of the swarm is down.

    A node that was drained before it was taken down is left alone. A manager learns of a dead node after some heartbeats
    (15 s by default).
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if swarm.state in ("error", "locked") or (swarm.state == "pending" and swarm.error):
        return iter((_this_node(swarm),))
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if isinstance(swarm.nodes, Unavailable):
        return swarm.nodes
    return _nodes(swarm)


def _this_node(swarm: Swarm) -> Finding:
    why = swarm.error or swarm.state
    if swarm.state == "locked":
        why = "it is locked since its engine was restarted, until `docker swarm unlock` gives it the key"
    return Finding(
        DAEMON,
        f"this node cannot take part in its swarm: {why}",
        {"Swarm.LocalNodeState": swarm.state, "Swarm.Error": swarm.error},
        {"node": "self"},
        discriminator="self",
        signs=signs(swarm.error),
    )


def _nodes(swarm: Swarm) -> Iterator[CheckItem]:
    for node in () if isinstance(swarm.nodes, Unavailable) else swarm.nodes:
        if node.is_down and not node.is_drained:
            manager = " (a manager)" if node.manager_status else ""
            yield Finding(
                Subject("host", node.name),
                f"node {node.name}{manager} is {node.status.state}: {node.status.message or 'no heartbeat'}",
                {
                    "Status.State": node.status.state,
                    "Status.Message": node.status.message,
                    "Status.Addr": node.status.addr,
                    "Spec.Availability": node.spec.availability,
                },
                {"node": node.name},
                discriminator=node.id[:12],
            )


@check(
    "swarm.service-underreplicated",
    severity=Severity.critical,
    caused_by=["swarm.node-down", "swarm.quorum-lost", *TASK_CAUSES],
)
def service_underreplicated(
    swarm: Swarm, clock: Clock, containers: Containers | Unavailable, *, settle_s: Seconds = Seconds(120)
) -> Iterator[CheckItem] | Skipped | Unavailable:
    """A swarm service runs fewer tasks than it should.

    A service that was changed within settle_s is left alone: it may still be starting. Jobs are left alone too, and tasks
    that ended well and are not to be started again count as running.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if isinstance(swarm.services, Unavailable):
        return swarm.services
    return _services(swarm, clock, () if isinstance(containers, Unavailable) else tuple(containers), settle_s)


def _services(swarm: Swarm, clock: Clock, containers: tuple[Container, ...], settle_s: float) -> Iterator[CheckItem]:
    for service in () if isinstance(swarm.services, Unavailable) else swarm.services:
        status, age = service.service_status, clock.age(service.changed_at)
        if status is None or service.is_job or (age is not None and age < settle_s):
            continue
        done = _completed(swarm, service.id) if service.may_complete else 0
        if status.running_tasks + done >= status.desired_tasks:
            continue
        errors = _errors(swarm, service.id)
        first = f": {errors[0]}" if errors else ""
        update = service.update_status
        mine = [each for each in containers if each.service == f"swarm {service.spec.name}"]
        newest = sorted(mine, key=lambda each: each.created_at or 0.0)[-1:]
        held = {"UpdateStatus": f"{update.state}: {update.message}"} if update and update.is_held else {}
        yield Finding(
            DAEMON,
            f"service {service.spec.name} runs {status.running_tasks} of {status.desired_tasks} tasks{first}",
            {
                "ServiceStatus.RunningTasks": status.running_tasks,
                "ServiceStatus.DesiredTasks": status.desired_tasks,
                "task errors": errors[:3],
                **held,
            },
            {"service": service.spec.name},
            discriminator=service.spec.name,
            severity=Severity.critical if status.running_tasks == 0 else Severity.warning,
            touches=tuple(each.subject for each in newest),
            signs=signs(*errors),
            service=f"swarm {service.spec.name}",
        )


def _completed(swarm: Swarm, service: str) -> int:
    tasks = () if isinstance(swarm.tasks, Unavailable) else swarm.tasks
    return sum(1 for task in tasks if task.service_id == service and task.status.state == "complete")


def _errors(swarm: Swarm, service: str) -> list[str]:
    """What the service's unhappy tasks say, the most frequent first."""
    tasks = () if isinstance(swarm.tasks, Unavailable) else swarm.tasks
    said = Counter(task.status.err for task in tasks if task.service_id == service and task.status.err)
    return [text for text, _ in said.most_common()]
