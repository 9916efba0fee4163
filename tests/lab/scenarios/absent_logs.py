"""Collectors of logs with and without the files that their settings name."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.storage.helpers import SAFE

_SETTINGS = "scrape_configs:\n- static_configs:\n  - labels:\n      __path__: /logs/*.log\n"


def _collector(box: Box, name: str, *mounts: str) -> None:
    """A stand-in for Promtail with these mounts beside its settings."""
    load(box, "promtail:3.0", Recipe())
    box.write(f"/srv/{name}/config.yml", _SETTINGS)
    settings = f"/srv/{name}/config.yml:/etc/promtail/config.yml:ro"
    volumes = [f"--volume={mount}" for mount in (settings, *mounts)]
    box.docker(*SAFE, f"--name={name}", *volumes, "promtail:3.0", "sleep", "1000")
    box.wait_state(name, "running")


@fault("container.logs-absent", subject="container:tail51", exit_code=0)
def logs_that_are_not_mounted(box: Box) -> None:
    """The settings name the folder of the host, and only the settings are mounted."""
    box.write("/logs/access.log", "GET /\n")
    _collector(box, "tail51")


@healthy()
def logs_that_are_mounted(box: Box) -> None:
    """The folder is mounted at that place."""
    box.write("/logs/access.log", "GET /\n")
    _collector(box, "tail52", "/logs:/logs:ro")


@healthy()
def logs_in_a_volume_of_their_program(box: Box) -> None:
    """The program and the collector share a volume."""
    writes = "echo up >/logs/app.log; exec sleep 1000"
    box.docker(*SAFE, "--name=app53", "-v", "logs53:/logs", "bb:1.36", "sh", "-c", writes)
    box.wait_for(lambda: "app" in box.docker("exec", "app53", "ls", "/logs").stdout, what="a log")
    _collector(box, "tail53", "logs53:/logs:ro")
