"""container.worker-missing: programs that are known to need a worker beside them."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.programs.absent_workers import AbsentWorkers
from diagnose.evidence.containers.programs.known_workers import known_workers
from tests.inspected import container, of
from tests.judging import judge, rows

QUEUE = ["EXECUTIONS_MODE=queue"]
N8N = ("n8nio/n8n:1", "n8n start", QUEUE)
DIFY = ("langgenius/dify-api:1.2", "", ["MODE=api"])
Service = tuple[str, str, list[str]]
CASES: dict[str, tuple[list[Service], list[str]]] = {
    "n8n with a queue": ([N8N], ["0"]),
    "n8n from its own registry": ([("docker.n8n.io/n8nio/n8n", "", QUEUE)], ["0"]),
    "n8n without a queue": ([("n8nio/n8n:1", "n8n start", [])], []),
    "n8n and its worker": ([N8N, ("n8nio/n8n:1", "n8n worker", QUEUE)], []),
    "a worker of another build": ([N8N, ("shop-n8n", "worker --concurrency=5", QUEUE)], []),
    "both in one container": ([("n8nio/n8n:1", "sh -c 'n8n worker & n8n'", QUEUE)], []),
    "two processors of hooks": ([N8N, ("n8nio/n8n:1", "n8n webhook", QUEUE)], ["0"]),
    "another image with such a name": ([("shop/n8n-proxy:1", "", QUEUE)], []),
    "Airflow with Celery": (
        [("apache/airflow:2.9", "webserver", ["AIRFLOW__CORE__EXECUTOR=CeleryExecutor"])],
        ["0"],
    ),
    "Airflow alone": (
        [("apache/airflow:2.9", "webserver", ["AIRFLOW__CORE__EXECUTOR=LocalExecutor"])],
        [],
    ),
    "authentik": ([("ghcr.io/goauthentik/server:2025.2", "server", [])], ["0"]),
    "authentik in one": ([("ghcr.io/goauthentik/server:2025.2", "allinone", [])], []),
    "the worker of authentik alone": ([("ghcr.io/goauthentik/server:2025.2", "worker", [])], []),
    "Dify": ([DIFY], ["0"]),
    "Dify with its worker": ([DIFY, ("langgenius/dify-api:1.2", "", ["MODE=worker"])], []),
    "Langfuse": ([("langfuse/langfuse:3", "", [])], ["0"]),
    "Langfuse with its worker": (
        [("langfuse/langfuse:3", "", []), ("langfuse/langfuse-worker:3", "", [])],
        [],
    ),
    "an older Langfuse": ([("langfuse/langfuse:2", "", [])], []),
    "a job of Mastodon": ([("tootsuite/mastodon:v4", "rake db:migrate", [])], []),
    "Mastodon": ([("tootsuite/mastodon:v4", "bundle exec puma -C config/puma.rb", [])], ["0"]),
}


def _container(name: str, service: Service, state: str = "running") -> Container:
    image, command, env = service
    marks = {"com.docker.compose.project": "shop", "com.docker.compose.service": f"s{name}"}
    config = {"Image": image, "Cmd": command.split(), "Env": env, "Labels": marks}
    return container(name, Config=config, State={"Status": state, "Running": state == "running"})


def _judge(*containers: Container) -> Any:
    return judge(
        "container.worker-missing",
        absent_workers=AbsentWorkers(()),
        known_workers=known_workers(of(*containers)),
    )


@pytest.mark.parametrize(("services", "expected"), CASES.values(), ids=CASES)
def test_programs(services: list[Service], expected: list[str]) -> None:
    result = _judge(*(_container(str(at), service) for at, service in enumerate(services)))
    assert rows(result) == [("advice", name) for name in expected]


def test_a_worker_that_is_stopped() -> None:
    worker = _container("work", ("n8nio/n8n:1", "n8n worker", QUEUE), "exited")
    assert rows(_judge(_container("n8n", N8N), worker)) == []


def test_what_the_page_is_given() -> None:
    (finding,) = _judge(_container("n8n", N8N)).findings
    assert finding.variables["alone"] == "EXECUTIONS_MODE=regular"
    assert not finding.is_quiet
    assert finding.variables["worker_command"] == "n8n worker"
    (finding,) = _judge(_container("dify", DIFY)).findings
    assert "alone" not in finding.variables
    assert finding.variables["worker_setting"] == "MODE=worker"
