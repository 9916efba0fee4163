"""container.worker-settings-differ: keys that a worker shares with its program."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.programs_of_workers import programs_of_workers
from diagnose.evidence.containers.workers.shared_keys import shared_keys
from diagnose.evidence.containers.workers.worker_settings import WorkerDifferences
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

A = "<redacted:key:aa11>"
B = "<redacted:key:bb22>"
FOUND = [("warning", "worker")]
HINT = [("advice", "worker")]
SECRET = "AIRFLOW__WEBSERVER__SECRET_KEY"
N8N = "N8N_ENCRYPTION_KEY"
CASES: dict[str, tuple[list[str], list[str], list[tuple[str, str]]]] = {
    "another key of Airflow": ([f"{SECRET}={A}"], [f"{SECRET}={B}"], FOUND),
    "the same key": ([f"{SECRET}={A}"], [f"{SECRET}={A}"], []),
    "the same key of another kind": ([f"{SECRET}={A}"], [f"{SECRET}=<redacted:hex:aa11>"], []),
    "keys that are shown": ([f"{SECRET}=one"], [f"{SECRET}=two"], FOUND),
    "no key": ([f"{SECRET}={A}"], [], FOUND),
    "an empty key": ([f"{SECRET}={A}"], [f"{SECRET}="], FOUND),
    "a key in a file": ([f"{SECRET}={A}"], [f"{SECRET}_CMD=cat /run/key"], []),
    "a key that the program lacks": ([], [f"{SECRET}={A}"], []),
    "no key of one that works without": ([f"AUTHENTIK_SECRET_KEY={A}"], [], []),
    "another key of n8n": ([f"{N8N}={A}"], [f"{N8N}={B}"], FOUND),
    "another key of Django": ([f"SECRET_KEY={A}"], [f"SECRET_KEY={B}"], HINT),
    "another key of Rails": ([f"SECRET_KEY_BASE={A}"], [f"SECRET_KEY_BASE={B}"], HINT),
    "a key of a framework that it lacks": ([f"SECRET_KEY={A}"], [], []),
    "keys of a service elsewhere": ([f"S3_ACCESS_KEY={A}"], [f"S3_ACCESS_KEY={B}"], []),
}
MADE = ["EXECUTIONS_MODE=queue"]
HOME = {"Type": "volume", "Name": "n8n", "Source": "/v/n8n", "Destination": "/home/node/.n8n"}
OTHER_HOME = {**HOME, "Name": "work", "Source": "/v/work"}


def _service(
    name: str, env: list[str], *, command: str = "", mounts: tuple[dict[str, Any], ...] = ()
) -> Container:
    marks = {"com.docker.compose.project": "shop", "com.docker.compose.service": name}
    config = {"Env": env, "Cmd": [command or name], "Labels": marks, "Image": "shop:1"}
    return container(name, Image="sha256:1", Config=config, Mounts=list(mounts))


def _judge(*services: Container) -> Any:
    keys = shared_keys(programs_of_workers(Made({}), of(*services)))
    return judge(
        "container.worker-settings-differ",
        worker_differences=WorkerDifferences(()),
        shared_keys=keys,
    )


@pytest.mark.parametrize(("web", "worker", "expected"), CASES.values(), ids=CASES)
def test_keys(web: list[str], worker: list[str], expected: list[tuple[str, str]]) -> None:
    assert rows(_judge(_service("web", web), _service("worker", worker))) == expected


def test_a_second_program_with_the_same_key() -> None:
    services = [_service("web", [f"{N8N}={A}"]), _service("worker", [f"{N8N}={B}"])]
    assert rows(_judge(*services, _service("hooks", [f"{N8N}={B}"]))) == []


def test_a_scheduler_without_the_key_of_logs() -> None:
    web = _service("web", [f"{SECRET}={A}"])
    assert rows(_judge(web, _service("beat", [], command="scheduler"))) == []


@pytest.mark.parametrize(
    ("program", "worker", "expected"),
    [((HOME,), (), FOUND), ((HOME,), (OTHER_HOME,), FOUND), ((HOME,), (HOME,), []), ((), (), [])],
    ids=["the program keeps it", "each keeps one", "one folder", "nobody keeps it"],
)
def test_keys_that_n8n_made(
    program: tuple[dict[str, Any], ...],
    worker: tuple[dict[str, Any], ...],
    expected: list[tuple[str, str]],
) -> None:
    pair = (_service("n8n", MADE, mounts=program), _service("worker", MADE, mounts=worker))
    assert rows(_judge(*pair)) == expected


def test_what_the_page_is_given() -> None:
    web = _service("web", [f"{N8N}={A}"])
    (finding,) = _judge(web, _service("worker", [f"{N8N}={B}"])).findings
    assert finding.variables["equalled"] == N8N
    assert finding.variables["example"] == "web"
    made = (_service("n8n", MADE, mounts=(HOME,)), _service("worker", MADE))
    (finding,) = _judge(*made).findings
    assert finding.variables["key_holder"] == "n8n"
