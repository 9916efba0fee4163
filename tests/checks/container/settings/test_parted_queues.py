"""container.worker-settings-differ: brokers and queues of containers of different images."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.parted_queues import parted_queues
from diagnose.evidence.containers.workers.queue_names import other_queue_names
from diagnose.evidence.containers.workers.worker_settings import WorkerDifferences
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.sockets import ListCallers, Socket
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

FOUND = [("advice", "worker")]
_NUMBERS = {"cache": 2, "queue": 3, "web": 4, "worker": 5, "other": 6}


def _service(name: str, image: str, *env: str, command: str = "serve", **parts: Any) -> Container:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": name}
    networks = {"shop_default": {"NetworkID": "n", "IPAddress": f"10.1.0.{_NUMBERS[name]}"}}
    state = {"Status": "running", "Pid": _NUMBERS[name], "StartedAt": "2026-01-02T03:04:05Z"}
    config = {"Env": list(env), "Cmd": command.split(), "Labels": labels, "Image": image}
    settings = {"Networks": networks, **parts}
    return container(
        name,
        Image=image,
        Config=config,
        State=state,
        NetworkSettings=settings,
        HostConfig={"NetworkMode": "shop_default"},
    )


def _found(services: list[Container], calls: dict[str, str]) -> Any:
    """The findings. calls: the broker that a container is connected to."""

    def callers(question: Question[object]) -> Json:
        assert isinstance(question, ListCallers)
        called = next(name for name, number in _NUMBERS.items() if number == question.pid)
        callers = (caller for caller, broker in calls.items() if broker == called)
        return {f"10.1.0.{_NUMBERS[caller]}": 1 for caller in callers}

    spaces = {
        service.id: ContainerNetns(
            service, 1, links=(), addresses=(), routes=(), listeners=(Socket("tcp", "0.0.0.0", 6379),)
        )
        for service in services
    }  # fmt: skip
    return parted_queues(Made({"netns.callers": callers}), of(*services), Namespaces(spaces))


def _judge(parted: Any, names: Any) -> Any:
    return judge(
        "container.worker-settings-differ",
        worker_differences=WorkerDifferences(),
        worker_folders=None,
        parted_queues=parted,
        other_queue_names=names,
    )


CACHE = _service("cache", "redis:7")
QUEUE = _service("queue", "redis:7")
WEB = _service("web", "web:1", "REDIS_URL=redis://cache:6379/0")
WORKER = _service("worker", "job:1", "REDIS_URL=redis://queue:6379/0", command="rq worker default")
APART = {"web": "cache", "worker": "queue"}
OPEN = {"6379/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6379"}]}
CASES: dict[str, tuple[list[Container], dict[str, str], list[tuple[str, str]]]] = {
    "two brokers": ([CACHE, QUEUE, WEB, WORKER], APART, FOUND),
    "without connections": ([CACHE, QUEUE, WEB, WORKER], {}, FOUND),
    "without variables": (
        [CACHE, QUEUE, _service("web", "web:1"), _service("worker", "job:1", command="rq worker")],
        APART,
        FOUND,
    ),
    "the web server names both": (
        [CACHE, QUEUE, _service("web", "web:1", "CACHE=cache", "JOBS=redis://queue"), WORKER],
        APART,
        [],
    ),
    "the web server calls both": ([CACHE, QUEUE, WEB, WORKER], {**APART, "web": "queue"}, []),
    "the worker names both": (
        [CACHE, QUEUE, WEB, _service("worker", "job:1", "A=queue", "B=cache", command="rq worker")],
        APART,
        [],
    ),
    "a second program calls the queue": (
        [CACHE, QUEUE, WEB, WORKER, _service("other", "x:1")],
        {**APART, "other": "queue"},
        [],
    ),
    "a worker that makes its jobs": (
        [
            CACHE,
            QUEUE,
            WEB,
            _service("worker", "job:1", "R=redis://queue", command="celery worker -B"),
        ],
        APART,
        [],
    ),
    "a broker for other machines": (
        [CACHE, _service("queue", "redis:7", Ports=OPEN), WEB, WORKER],
        APART,
        [],
    ),
    "one image": (
        [CACHE, QUEUE, _service("web", "job:1", "REDIS_URL=redis://cache:6379/0"), WORKER],
        APART,
        [],
    ),
    "one broker": ([QUEUE, WEB, WORKER], APART, []),
}


@pytest.mark.parametrize(("services", "calls", "expected"), CASES.values(), ids=CASES)
def test_brokers(
    services: list[Container], calls: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert rows(_judge(_found(services, calls), None)) == expected


NAMES: dict[str, tuple[list[Container], list[tuple[str, str]]]] = {
    "another name": (
        [_service("web", "web:1", "QUEUE_NAME=orders"), _service("worker", "job:1", "QUEUE_NAME=order-jobs")],
        FOUND,
    ),
    "the same name": (
        [_service("web", "web:1", "QUEUE_NAME=orders"), _service("worker", "job:1", "QUEUE_NAME=orders")], [],
    ),
    "somebody else fills it": (
        [
            _service("web", "web:1", "QUEUE_NAME=orders"), _service("worker", "job:1", "QUEUE_NAME=mails"),
            _service("other", "x:1", "OUT=mails"),
        ],
        [],
    ),
    "somebody else reads that of the program": (
        [
            _service("web", "web:1", "QUEUE_NAME=orders"), _service("worker", "job:1", "QUEUE_NAME=mails"),
            _service("other", "x:1", "IN=orders", command="celery worker"),
        ],
        [],
    ),
    "an address": (
        [_service("web", "web:1", "QUEUE=redis://a"), _service("worker", "job:1", "QUEUE=redis://b")], [],
    ),
    "queues of their own for what failed": (
        [_service("web", "web:1", "DEAD_LETTER_QUEUE=web"), _service("worker", "job:1", "DEAD_LETTER_QUEUE=jobs")],
        [],
    ),
    "queues of their own for results": (
        [_service("web", "web:1", "RESULT_QUEUE=done"), _service("worker", "job:1", "RESULT_QUEUE=ready")], [],
    ),
    "a switch": ([_service("web", "web:1", "QUEUE=true"), _service("worker", "job:1", "QUEUE=false")], []),
}  # fmt: skip


@pytest.mark.parametrize(("services", "expected"), NAMES.values(), ids=NAMES)
def test_names(services: list[Container], expected: list[tuple[str, str]]) -> None:
    assert rows(_judge(None, other_queue_names(of(*services)))) == expected
