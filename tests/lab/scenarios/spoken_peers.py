"""Programs that say which kind of server refuses them, and do not name it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

_BROKER = Recipe({}, ('CMD ["sh", "-c", "while :; do nc -l -p 1883 </dev/null; done"]',))
_CLIENT = """
while :; do
    nc -w 1 broker 1883 </dev/null || echo "error: MQTT failed to connect, exiting... (connect ECONNREFUSED)"
    sleep 1
done
"""


@fault("container.errors-in-log", subject="container:gateway81", also=["container.stopped"])
def only_broker_is_stopped(box: Box) -> None:
    """The only broker on the networks of a program was stopped, and its log names none."""
    _broker_and_client(box)
    box.docker("stop", "--time=0", "broker81")
    box.wait_for(lambda: "MQTT failed" in logs(box, "gateway81"), what="it to fail")
    box.sh("sleep 6")
    command = first_command(box, "container.errors-in-log", "gateway81")
    assert command == "docker start broker81", command


@healthy()
def broker_that_is_stopped_beside_one_that_runs(box: Box) -> None:
    """A program calls one of two brokers, and the other one is stopped."""
    _broker_and_client(box)
    run(box, "old81", *GOOD, "--network=mqtt81", "eclipse-mosquitto:2")
    box.docker("stop", "--time=0", "old81")


def _broker_and_client(box: Box) -> None:
    load(box, "eclipse-mosquitto:2", _BROKER)
    box.docker("network", "create", "mqtt81")
    alias = "--network-alias=broker"
    run(box, "broker81", *GOOD, "--network=mqtt81", alias, "eclipse-mosquitto:2")
    run(box, "gateway81", *GOOD, "--network=mqtt81", "bb:1.36", "sh", "-c", _CLIENT)
