"""`diagnose mcp` beside a live engine: the SDK's own client asks about a fault, by a process in the
box."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.engines import Engine
from tests.lab.runner import baseline

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("mcp") is None, reason="the SDK is missing: pip install 'mcp>=2'"
    ),
    pytest.mark.timeout(300),
]

CANARY = "Zk8vQ2mX9pLr4TnB"
CALLS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("list_checks", {"checks": ["container"]}),
    ("diagnose", {}),
    ("diagnose", {"checks": ["container.oom-killed"]}),
    ("explain", {"page": "container.oom-killed", "here": True}),
    ("path", {"begin": "asked", "end": "internet"}),
    ("path", {"begin": "asked", "end": "$(reboot):80"}),
    ("timeline", {"since": "1h"}),
)


def answers(box: Box) -> list[tuple[bool, str]]:
    """Whether each answer is an error, and its text, from a server in the box."""
    from mcp import Client, StdioServerParameters

    argv = [sys.executable, "-P", "-m", "diagnose", "mcp", "--budget=10"]
    env = {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{PROJECT}"}
    command, environment = box.command(argv, cwd=str(PROJECT), env=env)
    server = StdioServerParameters(command=command[0], args=command[1:], env=environment)

    async def talk() -> list[tuple[bool, str]]:
        given = []
        async with Client(server, read_timeout_seconds=90) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert names == {name for name, _ in CALLS}
            for name, arguments in CALLS:
                result = await client.call_tool(name, dict(arguments))
                text = "\n".join(getattr(part, "text", "") for part in result.content)
                given.append((bool(result.is_error), text))
        return given

    return asyncio.run(talk())


def test_an_assistant_asks_a_live_host(engine: Engine) -> None:
    with Box(engine) as box:
        box.start_engine()
        baseline(box)
        image = box.image("bb:1.36")
        serve = ["httpd", "-f", "-p", "8080"]
        box.docker("run", "-d", "--name=asked", f"--env=API_TOKEN={CANARY}", image, *serve)
        hungry = ["run", "-d", "--name=hungry", "-m", "8m", "--memory-swap", "8m"]
        box.docker(*hungry, image, "tail", "/dev/zero")
        box.wait_state("hungry", "exited")
        before = box.api("/containers/json?all=1")
        given = answers(box)
        texts = [text for _, text in given]
        assert [failed for failed, _ in given] == [False, False, False, False, False, True, False]
        assert all(CANARY not in text for text in texts)
        assert "container.oom-killed" in texts[1]
        assert "hungry" in texts[2]
        assert "docker update" in texts[3]
        assert "hungry" in texts[6]
        after = box.api("/containers/json?all=1")
        assert json.dumps([row["State"] for row in after]) == json.dumps(
            [row["State"] for row in before]
        )
