"""A program that is run once with nothing around it: `first_steps/plain_run.py`."""

from __future__ import annotations

import pytest

from diagnose.first_steps.plain_run import plain_run_steps
from tests.inspected import container

COMMANDS = {
    "a program": (["/run.sh"], ["--port", "8080"], "/run.sh --port 8080"),
    "a script in its words": (["sh", "-c"], ["sleep 9"], ""),
    "a secret": (["/run.sh"], ["--token=<redacted:token:1a2b>"], ""),
    "lines": (["sh", "-c"], ["a\nb"], ""),
    "nothing": ([], [], ""),
}


@pytest.mark.parametrize(("entrypoint", "command", "shown"), COMMANDS.values(), ids=COMMANDS)
def test_the_command_that_is_typed(entrypoint: list[str], command: list[str], shown: str) -> None:
    config = {"Image": "shop:1.4", "Entrypoint": entrypoint, "Cmd": command}
    steps = plain_run_steps(container("app", Config=config))
    expected = {"plain_image": "shop:1.4", "plain_command": shown}
    assert steps == (expected if shown else {})
