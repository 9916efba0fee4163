"""A clock, services and tasks, for tests of several checks."""

from __future__ import annotations

from typing import Any

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.swarm.swarm import Service, Swarm, Task
from tests.inspected import container

CLOCK = Clock(wall=1.8e9, booted=1.7e9)
FAILED = {"ServiceID": "s", "Status": {"State": "failed", "Err": "task: non-zero exit (7)"}}


def swarm_of(spec: dict[str, Any], tasks: list[dict[str, Any]]) -> Swarm:
    row = {
        "ID": "s",
        "Spec": {"Name": "web", **spec},
        "ServiceStatus": {"RunningTasks": 0, "DesiredTasks": 1},
    }
    return Swarm(
        "active", manager=True, managers=1, services=(msgspec.convert(row, Service),), tasks=msgspec.convert(tasks, tuple[Task, ...])
    )  # fmt: skip


def task_on(*networks: str) -> Container:
    """A running task of the service web on these networks."""
    return container(
        "web.1",
        Config={"Labels": {"com.docker.swarm.service.name": "web"}},
        NetworkSettings={"Networks": {network: {} for network in networks}},
    )
