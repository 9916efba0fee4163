"""The swarm as this node sees it: its own state, and on a manager the nodes and services."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Json, Unavailable
from diagnose.phrases import unix
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

T = TypeVar("T")


class _NodeDescription(msgspec.Struct, frozen=True, rename="pascal"):
    hostname: str = ""


class _NodeSpec(msgspec.Struct, frozen=True, rename="pascal"):
    role: str = ""
    availability: str = ""


class _NodeStatus(msgspec.Struct, frozen=True, rename="pascal"):
    state: str = ""
    message: str = ""
    addr: str = ""


class _ManagerStatus(msgspec.Struct, frozen=True, rename="pascal"):
    leader: bool = False
    reachability: str = ""


class Node(msgspec.Struct, frozen=True, rename="pascal"):
    """One node as a manager lists it. status.state: ready, down, disconnected, unknown."""

    id: str = msgspec.field(name="ID", default="")
    description: _NodeDescription = _NodeDescription()
    spec: _NodeSpec = _NodeSpec()
    status: _NodeStatus = _NodeStatus()
    manager_status: _ManagerStatus | None = None
    updated_at: str = ""

    @property
    def name(self) -> str:
        return self.description.hostname or self.id

    @property
    def is_down(self) -> bool:
        return self.status.state in ("down", "disconnected")

    @property
    def is_drained(self) -> bool:
        """Taken out of service on purpose."""
        return self.spec.availability in ("drain", "pause")


class _RestartPolicy(msgspec.Struct, frozen=True, rename="pascal"):
    condition: str = "any"


class _TaskTemplate(msgspec.Struct, frozen=True, rename="pascal"):
    restart_policy: _RestartPolicy | None = None


class _ServiceSpec(msgspec.Struct, frozen=True, rename="pascal"):
    name: str = ""
    mode: dict[str, Json] | None = None
    task_template: _TaskTemplate = _TaskTemplate()


class _ServiceStatus(msgspec.Struct, frozen=True, rename="pascal"):
    running_tasks: int = 0
    desired_tasks: int = 0


class _UpdateStatus(msgspec.Struct, frozen=True, rename="pascal"):
    """state: updating, paused, completed, rollback_started, rollback_paused, rollback_completed."""

    state: str = ""
    message: str = ""

    @property
    def is_held(self) -> bool:
        """Whether its last update failed, and was stopped there or taken back."""
        return self.state in ("paused", "rollback_started", "rollback_paused", "rollback_completed")


class Service(msgspec.Struct, frozen=True, rename="pascal"):
    """One service with its counts (`?status=true`, API 1.41 on)."""

    id: str = msgspec.field(name="ID", default="")
    spec: _ServiceSpec = _ServiceSpec()
    service_status: _ServiceStatus | None = None
    update_status: _UpdateStatus | None = None
    created_at: str = ""
    updated_at: str = ""

    @property
    def is_job(self) -> bool:
        """Whether its tasks are to end (modes ReplicatedJob and GlobalJob, API 1.41 on)."""
        return bool({"ReplicatedJob", "GlobalJob"} & set(self.spec.mode or ()))

    @property
    def may_complete(self) -> bool:
        """Whether a task that ended well is not started again."""
        policy = self.spec.task_template.restart_policy
        return policy is not None and policy.condition in ("none", "on-failure")

    @property
    def changed_at(self) -> float | None:
        return unix(self.updated_at) or unix(self.created_at)


class _TaskStatus(msgspec.Struct, frozen=True, rename="pascal"):
    timestamp: str = ""
    state: str = ""
    message: str = ""
    err: str = ""


class Task(msgspec.Struct, frozen=True, rename="pascal"):
    """One task. status.state: pending, preparing, running, failed, rejected, ...; status.err: the scheduler's or container's words."""

    id: str = msgspec.field(name="ID", default="")
    service_id: str = msgspec.field(name="ServiceID", default="")
    desired_state: str = ""
    status: _TaskStatus = _TaskStatus()


class Swarm(msgspec.Struct, frozen=True):
    """state: LocalNodeState (inactive, pending, active, error, locked). error: the node's own words. manager: whether it is one.

    nodes, services, tasks: empty on a worker, and Unavailable where a manager could not say.
    """

    state: str
    error: str = ""
    manager: bool = False
    managers: int = 0
    nodes: tuple[Node, ...] | Unavailable = ()
    services: tuple[Service, ...] | Unavailable = ()
    tasks: tuple[Task, ...] | Unavailable = ()

    @property
    def is_used(self) -> bool:
        return self.state not in ("", "inactive")


class _Said(msgspec.Struct, rename="pascal"):
    local_node_state: str = "inactive"
    error: str = ""
    control_available: bool = False
    managers: int = 0


@evidence
def swarm(host: Host, info: Info) -> Swarm:
    """Nothing is asked of an engine that is in no swarm, and only managers are asked for lists."""
    said = convert(info.swarm or {}, _Said)
    if not said.control_available:
        return Swarm(said.local_node_state or "inactive", said.error, managers=said.managers)
    return Swarm(
        said.local_node_state,
        said.error,
        manager=True,
        managers=said.managers,
        nodes=_listed(host, "api.nodes", Node),
        services=_listed(host, "api.services", Service),
        tasks=_listed(host, "api.tasks", Task),
    )


def _listed(host: Host, kind: str, row: type[T]) -> tuple[T, ...] | Unavailable:
    answer = host.ask(question(kind))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return tuple(convert(each, row) for each in answer or ())
