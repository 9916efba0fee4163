"""Pulls that hang: the registry keeps the connection and sends nothing more."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy, registry
from tests.lab.runner import PATIENT
from tests.lab.scenarios.image.helpers import QUIET, STORE

DAEMON = "daemon:docker"


def _begin(box: Box, image: str, seconds: int, **config: object) -> None:
    """Pull in the background, for a tool that takes so many seconds of silence for a stall."""
    box.write("/etc/diagnose/lab.toml", f'[thresholds."image.pull-stalled"]\nidle = {seconds}\n')
    host = registry.start(box)
    box.start_engine(config={**QUIET, **config, "insecure-registries": [host]})
    box.spawn(["docker", "pull", f"{host}/{image}"], log="/var/log/pull.log")


def _goes_on(box: Box) -> bool:
    return "docker pull" in box.sh("ps -eo args")


@fault("image.pull-stalled", subject=DAEMON, engine_started=False, args=PATIENT)
def registry_that_sends_half_a_layer(box: Box) -> None:
    """Half of a layer came, and nothing since; the pull neither continues nor fails."""
    _begin(box, "slow/app:1", 2)
    box.sh("sleep 5")
    assert _goes_on(box), box.read("/var/log/pull.log")


@fault(
    "image.pull-stalled",
    subject=DAEMON,
    engine_started=False,
    args=PATIENT,
    engines=Engines(since=26),
)
def half_a_layer_in_the_store_of_containerd(box: Box) -> None:
    """The same where containerd keeps the images, as in fresh installs from engine 29 on."""
    _begin(box, "slow/app:1", 2, **STORE)
    box.sh("sleep 5")
    assert _goes_on(box), box.read("/var/log/pull.log")


@healthy(engine_started=False, args=PATIENT)
def pull_that_has_only_begun(box: Box) -> None:
    """The same registry, a moment after the pull has begun."""
    _begin(box, "slow/app:1", 120)
    box.sh("sleep 2")
    assert _goes_on(box), box.read("/var/log/pull.log")
