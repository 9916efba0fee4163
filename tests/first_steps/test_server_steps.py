"""What a line leads to in the server that it is about.

diagnose/first_steps/rows/server_steps.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.rows.server_steps import server_of
from tests.inspected import container

ON = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.0.0.3"}}}}
QUEUE = "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'orders' in vhost '/'"
EXTENSION = "Error: No vector extension found. Available extensions: vchord, vector"
OFFSET = "arroyo.errors.OffsetOutOfRange: KafkaError{code=_AUTO_OFFSET_RESET}"
CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, str]]] = {
    "a queue": (QUEUE, "rabbitmq:3.12", {}, {"broker": "server", "queue": "orders", "vhost": "/"}),
    "an exchange": (QUEUE.replace("queue", "exchange"), "rabbitmq:3.12", {}, {}),
    "another server": (QUEUE, "redis:7", {}, {}),
    "a group in the command": (
        OFFSET,
        "confluentinc/cp-kafka:7.6",
        {"Cmd": ["consumer", "--consumer-group", "billing"]},
        {"streams": "server", "consumer_group": "billing"},
    ),
    "an extension": (EXTENSION, "tensorchord/pgvecto-rs:pg14", {}, {"extensions": "server"}),
    "an extension of another server": (EXTENSION, "mysql:8", {}, {}),
    "a group that is not known": (OFFSET, "confluentinc/cp-kafka:7.6", {}, {"streams": "server"}),
}


@pytest.mark.parametrize(("line", "image", "config", "expected"), CASES.values(), ids=CASES)
def test_server_of(line: str, image: str, config: dict[str, Any], expected: dict[str, str]) -> None:
    caller = container("app", Config={"Env": ["SERVER=server:1234"], **config}, **ON)
    server = container("server", Config={"Image": image}, **ON)
    containers = Containers([caller, server])
    assert server_of(caller, LogTail((line,)).failure, containers) == expected
