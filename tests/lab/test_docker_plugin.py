"""`docker diagnose` and its hook in the clients of the lab's engines."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diagnose.version import __version__

from .box import Box
from .engines import Engine

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("plugin")]
PLUGIN = Path(__file__).parents[2] / "diagnose" / "setup" / "docker-diagnose.sh"
HOOKS_SINCE = 26
"""The first client that asks plugins for a next step."""
TEXT_SINCE = 28
"""The first client that hands over the error of `docker run`."""
CONFIG = {"plugins": {"diagnose": {"hooks": "run,pull"}}, "features": {"hooks": "true"}}


@pytest.fixture
def box(engine: Engine) -> Iterator[Box]:
    """An engine, and the plugin with the tool of this tree behind it."""
    with Box(engine) as box:
        box.start_engine()
        box.write("/root/tool", '#!/bin/sh\necho "tool: $*"\n', 0o755)
        script = (
            PLUGIN.read_text().replace("@VERSION@", __version__).replace("@PROGRAM@", "/root/tool")
        )
        box.write("/root/.docker/cli-plugins/docker-diagnose", script, 0o755)
        box.write("/root/.docker/config.json", json.dumps(CONFIG))
        box.docker("run", "-d", "--name=holder", "-p", "8080:80", "shop:1.4", "sleep", "1000")
        yield box


def on_a_terminal(box: Box, command: str) -> str:
    """What a client shows on a terminal, where alone it asks for a next step."""
    return box.run(["script", "-qec", command, "/dev/null"], check=False, timeout=60).stdout


def test_plugin_and_hook(box: Box, engine: Engine, say: Callable[[str], None]) -> None:
    assert box.docker("diagnose", "check", "dns", "-v").stdout == "tool: check dns -v\n"
    assert "diagnose*" in box.docker("help").stdout.replace(" *", "*")
    passed = box.docker("--host", "unix:///var/run/docker.sock", "diagnose", "all").stdout
    assert passed == "tool: all --host unix:///var/run/docker.sock\n"
    began = time.monotonic()
    shown = on_a_terminal(box, "docker run --rm -p 8080:80 shop:1.4 true")
    took = time.monotonic() - began
    assert "port is already allocated" in shown, shown
    quiet = on_a_terminal(box, "docker run --rm shop:1.4 true")
    assert "diagnose" not in quiet
    if engine.major < HOOKS_SINCE:
        assert "docker diagnose check" not in shown
        say(f"plugin in the client of {engine.name}: works; this client has no hooks")
        return
    hint = re.search(r"diagnose: (.*)", shown)
    assert hint, shown
    by_text = r"port 8080 is held by (holder|another container) - docker diagnose check network.port-allocated"
    without_text = "the engine did not start the container - docker diagnose check container"
    assert re.match(by_text if engine.major >= TEXT_SINCE else without_text, hint[1])
    box.write("/root/.docker/config.json", "{}")
    without = on_a_terminal(box, "docker run --rm -p 8080:80 shop:1.4 true")
    assert "docker diagnose check" not in without
    say(
        f"plugin and hook in the client of {engine.name}: {hint[1].strip()!r}, {took:.2f} s for the whole command"
    )
