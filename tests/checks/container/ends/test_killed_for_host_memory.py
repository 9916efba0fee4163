"""The check in checks/container/ends/killed_for_host_memory.py, and its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.oom_daemons import EarlyKills, early_kills
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import CLOCK, NOW, OPTIONS, container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

OOMD, EARLYOOM = "systemd-oomd.service", "earlyoom.service"
KILLED = container_in(
    "exited", code=137, age=60.0, name="indexer", Path="/usr/bin/java", Args=["-jar"]
)
OF_CGROUP = f"Killed /system.slice/docker-{KILLED.id}.scope due to memory used (3102191616)"
OF_PROCESS = 'sending SIGTERM to process 4242 uid 0 "java": oom_score 901, VmRSS 2790 MiB'
CRITICAL = [("critical", "indexer")]


def said(message: str, age: float = 61.0) -> list[dict[str, Any]]:
    return [{"at": NOW - age, "message": message}]


def host(journals: dict[str, list[dict[str, Any]]]) -> Made:
    def journal(question: AnyQuestion) -> Json | Failed:
        unit = str(question.args["unit"])
        return {"entries": journals[unit]} if unit in journals else Failed("missing", unit)

    return Made({"journal": journal})


OTHER = container_in("exited", code=137, age=60.0, name="other", Path="/bin/redis-server")
BY_KERNEL = container_in("exited", code=137, age=60.0, name="indexer", State={"OOMKilled": True})
ENDED = container_in("exited", code=1, age=60.0, name="indexer")
CASES: dict[str, tuple[Container, dict[str, list[dict[str, Any]]], list[tuple[str, str]]]] = {
    "systemd-oomd names the cgroup": (KILLED, {OOMD: said(OF_CGROUP)}, CRITICAL),
    "earlyoom names the program": (KILLED, {EARLYOOM: said(OF_PROCESS)}, CRITICAL),
    "earlyoom names another one": (OTHER, {EARLYOOM: said(OF_PROCESS)}, []),
    "an hour before": (KILLED, {EARLYOOM: said(OF_PROCESS, 3600.0)}, []),
    "the kernel did": (BY_KERNEL, {OOMD: said(OF_CGROUP)}, []),
    "it ended by itself": (ENDED, {OOMD: said(OF_CGROUP)}, []),
    "neither is installed": (KILLED, {}, []),
}


@pytest.mark.parametrize(("container", "journals", "expected"), CASES.values(), ids=CASES)
def test_killed_before_the_kernel_does(
    container: Container, journals: dict[str, list[dict[str, Any]]], expected: list[tuple[str, str]]
) -> None:
    containers = of(container)
    kills = early_kills(host(journals), containers)
    assert isinstance(kills, EarlyKills)
    result = judge(
        "container.killed-for-host-memory",
        containers=containers,
        kills=kills,
        clock=CLOCK,
        options=OPTIONS,
    )
    assert rows(result) == expected


def test_two_containers_of_one_program_are_left_alone() -> None:
    twin = container_in("exited", code=137, age=60.0, name="twin", Path="/usr/bin/java")
    kills = early_kills(host({EARLYOOM: said(OF_PROCESS)}), of(KILLED, twin))
    assert isinstance(kills, EarlyKills)
    assert kills.by_id == {}
