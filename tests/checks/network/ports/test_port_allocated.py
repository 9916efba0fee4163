"""The holder of a port that is left over from a service with another name."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.questions.compose import ComposeProject, WrittenService
from tests.checks.network.evidence import PUBLISHED, container, refused_start
from tests.judging import judge

TAKEN = "Bind for 0.0.0.0:8080 failed: port is already allocated"
WANTS = {"NetworkMode": "shop", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}
CASES: dict[str, tuple[list[str], bool, str]] = {
    "its service is gone": (["web"], False, "left_over"),
    "its service is still there": (["web", "old"], False, "holder"),
    "more services come from other files": (["web"], True, "holder"),
}


def _of_project(service: str) -> dict[str, Any]:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": service}
    return {"Config": {"Labels": labels}}


@pytest.mark.parametrize(("services", "includes", "variable"), CASES.values(), ids=CASES)
def test_a_holder_of_a_service_that_the_file_no_longer_has(
    services: list[str], includes: bool, variable: str
) -> None:
    networks = {"Networks": {"shop": {}}}
    blocked = refused_start(
        "b", TAKEN, HostConfig=WANTS, NetworkSettings=networks, **_of_project("web")
    )
    holder = container("a", NetworkSettings=PUBLISHED, **_of_project("old"))
    (finding,) = judge(
        "network.port-allocated",
        containers=Containers((blocked, holder)),
        written_projects=_project(services, (blocked, holder), includes=includes),
    ).findings
    assert finding.variables[variable] == "a"
    assert ("left over from service" in finding.summary) is (variable == "left_over")


def _project(
    services: list[str], members: tuple[Container, ...], *, includes: bool
) -> WrittenProjects:
    written = ComposeProject([WrittenService(name) for name in services], includes=includes)
    file = "/srv/shop/docker-compose.yml"
    return WrittenProjects((WrittenProject("shop", "/srv/shop", (file,), written, members),))
