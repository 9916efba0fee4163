"""network.port-not-published: what `docker compose run` leaves unpublished."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.one_off_ports import one_offs
from diagnose.questions.sockets import Socket
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

ONE_OFF = {"project": "shop", "service": "web", "oneoff": "True", "project.config_files": "/c.yaml"}
SERVICE = {**ONE_OFF, "oneoff": "False"}


def _of_compose(name: str, labels: dict[str, str], **parts: Any) -> Container:
    config = {"Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()}}
    return container(name, Config={**config, **parts.pop("Config", {})}, **parts)


BOUND = {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}}
RUNS = {
    "serves a port of its service": ([_of_compose("run", ONE_OFF)], ["80:8080/tcp"], True),
    "serves another port": ([_of_compose("run", ONE_OFF)], ["80:81"], False),
    "with its ports": ([_of_compose("run", ONE_OFF, HostConfig=BOUND)], ["80:8080"], False),
    "beside the service": (
        [_of_compose("run", ONE_OFF), _of_compose("web", SERVICE)],
        ["80:8080"],
        False,
    ),
    "no ports in the file": ([_of_compose("run", ONE_OFF)], [], False),
    "the service itself": ([_of_compose("web", SERVICE)], ["80:8080"], False),
}


@pytest.mark.parametrize(("listed", "ports", "fires"), RUNS.values(), ids=RUNS)
def test_compose_run_publishes_nothing(
    listed: list[Container], ports: list[str], fires: bool
) -> None:
    containers = Containers(tuple(listed))
    serves = (Socket("tcp", "0.0.0.0", 8080),)
    inside = {
        member.id: ContainerNetns(member, 1, links=(), addresses=(), routes=(), listeners=serves)
        for member in listed
    }
    host = Made({"file.compose-service": {"ports": ports}})
    result = judge(
        "network.port-not-published",
        containers=containers,
        listeners=Listeners(()),
        one_offs=one_offs(host, containers, Namespaces(inside)),
    )
    assert rows(result) == ([("warning", "run")] if fires else [])
