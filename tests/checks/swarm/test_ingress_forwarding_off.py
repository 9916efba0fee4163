"""The namespace of a node's routing mesh."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.swarm.ingress_sandbox import IngressSandbox, ingress_sandbox
from diagnose.model import Failed, Unavailable
from tests.checks.swarm.evidence import swarm_of, task_on
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge

_OFF = IngressSandbox(is_there=True, forwards=False)


def _port(mode: str) -> dict[str, Any]:
    port = {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": mode}
    return {"EndpointSpec": {"Mode": "vip", "Ports": [port]}}


@pytest.mark.parametrize(
    ("sandbox", "spec", "networks", "services"),
    [
        (_OFF, _port("ingress"), [], ["web"]),
        (_OFF, _port("host"), [], None),
        (_OFF, {}, ["ingress"], ["web"]),
        (_OFF, {}, ["shop"], None),
        (IngressSandbox(is_there=True, forwards=True), _port("ingress"), ["ingress"], None),
        (IngressSandbox(), _port("ingress"), ["ingress"], None),
    ],
    ids=[
        "a port of the mesh",
        "a port in host mode",
        "a task on a worker",
        "a task without a port",
        "it forwards",
        "no namespace yet",
    ],
)
def test_calls_that_are_not_led_on(
    sandbox: IngressSandbox, spec: dict[str, Any], networks: list[str], services: list[str] | None
) -> None:
    result = judge(
        "swarm.ingress-forwarding-off",
        swarm=swarm_of(spec, []),
        sandbox=sandbox,
        containers=of(task_on(*networks)),
    )
    found = [finding.evidence["services"] for finding in result.findings]
    assert found == ([services] if services else [])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"forwards": False}, _OFF),
        (Failed("missing", "no namespace"), IngressSandbox()),
        (Failed("forbidden", "run as root"), Unavailable("forbidden", "run as root")),
    ],
    ids=["read", "not there", "refused"],
)
def test_what_the_namespace_says(answer: Any, expected: IngressSandbox | Unavailable) -> None:
    found = ingress_sandbox(Made({"netns.named": answer}), swarm_of({}, []))
    assert found == expected
