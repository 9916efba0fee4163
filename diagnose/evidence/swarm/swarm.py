"""The swarm as this node sees it: its own state, and on a manager the nodes and services."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host, Question
from diagnose.questions.engine import SwarmMembership
from diagnose.questions.swarm import (
    ListNodes,
    ListServices,
    ListTasks,
    Node,
    Resources,
    Service,
    Task,
    UpdateStatus,
)
from diagnose.registry import evidence

__all__ = ["Node", "Resources", "Service", "Swarm", "Task", "UpdateStatus", "swarm"]

Row = TypeVar("Row")


class PortHolder(msgspec.Struct, frozen=True):
    """A service that wants a port of each node, such as 8080/tcp."""

    port: str
    service: Service


class Swarm(msgspec.Struct, frozen=True):
    """The state of the swarm, as this node knows it."""

    state: str
    """LocalNodeState (inactive, pending, active, error, locked)."""
    error: str = ""
    """The node's own words."""
    manager: bool = False
    """Whether this node is a manager."""
    node_id: str = ""
    node_address: str = ""
    """The address that the other nodes know."""
    managers: int = 0
    other_managers: tuple[str, ...] = ()
    """The addresses of the managers beside this node."""
    nodes: tuple[Node, ...] | Unavailable = ()
    services: tuple[Service, ...] | Unavailable = ()
    tasks: tuple[Task, ...] | Unavailable = ()
    """nodes, services, tasks: empty on a worker, and Unavailable where a manager could not say."""

    @property
    def is_used(self) -> bool:
        return self.state not in ("", "inactive")

    @property
    def known_nodes(self) -> tuple[Node, ...]:
        """The nodes; none where they could not be had."""
        return self.nodes if isinstance(self.nodes, tuple) else ()

    @property
    def known_services(self) -> tuple[Service, ...]:
        """The services; none where they could not be had."""
        return self.services if isinstance(self.services, tuple) else ()

    def tasks_of(self, service: Service) -> list[Task]:
        """The tasks of a service; none where they could not be had."""
        tasks = self.tasks if isinstance(self.tasks, tuple) else ()
        return [task for task in tasks if task.service_id == service.id]

    def port_holders(self, service: Service) -> Iterator[PortHolder]:
        """The other services that need a port of each node which this one needs too."""
        for other in self.known_services:
            if other.id == service.id:
                continue
            for protocol, number in sorted(other.spec.host_ports & service.spec.host_ports):
                yield PortHolder(f"{number}/{protocol}", other)


@evidence
def swarm(host: Host, info: Info) -> Swarm:
    """The swarm of the engine.

    The collector asks nothing of an engine that is in no swarm, and only managers are asked for
    lists.
    """
    member = info.swarm or SwarmMembership()
    state = member.local_node_state or "inactive"
    if not member.control_available:
        return Swarm(
            state,
            member.error,
            node_address=member.node_addr,
            managers=member.managers,
            other_managers=tuple(member.other_managers),
        )
    return Swarm(
        state,
        member.error,
        manager=True,
        node_id=member.node_id,
        node_address=member.node_addr,
        managers=member.managers,
        other_managers=tuple(member.other_managers),
        nodes=_list_or_none(host, ListNodes()),
        services=_list_or_none(host, ListServices()),
        tasks=_list_or_none(host, ListTasks()),
    )


def _list_or_none(
    host: Host, question: Question[list[Row] | None]
) -> tuple[Row, ...] | Unavailable:
    """The rows of one list; an empty one is null."""
    answer = host.ask(question)
    return Unavailable.of(answer) if isinstance(answer, Failed) else tuple(answer or ())
