"""Settings of the engine that are wrong, lost or unusual."""

from __future__ import annotations

import json

from tests.lab import Box, fault, healthy
from tests.lab.box import LOG
from tests.lab.runner import BASE_CONFIG, healthy_container
from tests.lab.scenarios.engine_wounds.helpers import CONFIG, DAEMON

# -- daemon.json ----------------------------------------


@fault("daemon.config-invalid", subject=DAEMON, exit_code=1)
def texts_for_other_types(box: Box) -> None:
    """Three settings of a running engine are in quotes: one finding, whose edits the engine
    takes."""
    box.write(CONFIG, {**BASE_CONFIG, "icc": "false", "debug": "true", "mtu": "1500"})
    (finding,) = box.diagnose("check", "daemon.config-invalid", "--format", "json").findings
    assert sum(" line " in key for key in finding["evidence"]) == 3
    assert box.engine.major >= 23 or finding["evidence"]["checked against engine"].startswith(
        "20.10"
    )
    box.sh(f"cp {CONFIG} /root/kept")
    box.sh(finding["fix"][0]["command"])
    assert (json.loads(box.read(CONFIG))["icc"], json.loads(box.read(CONFIG))["mtu"]) == (
        False,
        1500,
    )
    assert box.diagnose("check", "daemon.config-invalid", "--format", "json").findings == []
    box.sh(f"cp /root/kept {CONFIG}")


UNUSUAL = {
    "default-shm-size": "128M",
    "default-address-pools": [{"base": "10.200.0.0/16", "size": 24}],
    "features": {"buildkit": True},
    "labels": ["site=lab", "rack=4"],
    "max-concurrent-downloads": 2,
    "max-download-attempts": 3,
    "node-generic-resources": ["gpu=1"],
    "registry-mirrors": ["https://mirror.lab.test"],
    "shutdown-timeout": 5,
    "userland-proxy": False,
}


@healthy(engine_started=False, baseline=False)
def unusual_settings(box: Box) -> None:
    """A long daemon.json of settings that few hosts have."""
    box.start_engine(config={**BASE_CONFIG, **UNUSUAL})
    healthy_container(box, "web", 8080)


@healthy(engine_started=False, baseline=False)
def log_that_says_little(box: Box) -> None:
    """The engine logs errors only: its log has no word of any start."""
    box.start_engine(config={**BASE_CONFIG, "log-level": "error"})
    healthy_container(box, "web", 8080)
    box.stop_engine()
    box.start_engine()
    box.docker("start", "web")
    assert "Starting up" not in box.read(LOG)
