"""The server that a line is about without its name, where the only one of its kind is down."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.peers.spoken_peers import spoken_peer
from tests.inspected import container
from tests.judging import judge

LINE = "ERROR Failed to connect to MQTT server due to exception: [Errno 111] Connection refused"


def on(network: str, name: str, image: str, *, is_running: bool = True) -> Container:
    state: dict[str, Any] = {"Status": "running", "Pid": 7} if is_running else {"Status": "exited"}
    networks = {"Networks": {network: {}}}
    return container(name, Config={"Image": image}, State=state, NetworkSettings=networks)


HOME = on("dev", "home", "homeassistant")
BROKER = on("dev", "mqtt", "eclipse-mosquitto:2", is_running=False)
CASES = {
    "the only one is down": (LINE, [BROKER], "mqtt"),
    "one runs": (LINE, [BROKER, on("dev", "other", "emqx/emqx:5")], None),
    "two are down": (LINE, [BROKER, on("dev", "old", "emqx/emqx:5", is_running=False)], None),
    "another kind": (LINE.replace("MQTT", "Redis"), [BROKER], None),
    "on another network": (LINE, [on("lab", "mqtt", "eclipse-mosquitto:2", is_running=False)], None),
    "a registry of that name": (LINE, [on("dev", "x", "mosquitto.example/x:2", is_running=False)], None),
}  # fmt: skip


@pytest.mark.parametrize(("line", "others", "name"), CASES.values(), ids=CASES)
def test_the_server_that_is_meant(line: str, others: list[Container], name: str | None) -> None:
    found = spoken_peer(line, HOME, Containers((HOME, *others)))
    assert (found and found.container.name) == name


def test_on_the_default_network_nobody_is_called_by_name() -> None:
    home, broker = on("bridge", "home", "x"), on("bridge", "m", "mosquitto", is_running=False)
    assert spoken_peer(LINE, home, Containers((home, broker))) is None


def test_the_command_starts_it() -> None:
    logs = RecentLogs({HOME.id: (RecentLine(5.0, LINE),) * 4})
    containers = Containers((HOME, BROKER))
    errors = repeated_errors(containers, logs)
    (finding,) = judge(
        "container.errors-in-log", repeated_errors=errors, containers=containers
    ).findings
    assert finding.variables["down_server"] == "mqtt"
