"""Containers from the files of the engine."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.from_disk import container_of
from tests.checks.daemon.evidence import ID

OWN: dict[str, Any] = {
    "ID": ID, "Name": "/web", "Created": "2026-01-02T03:04:05Z", "RestartCount": 2, "Config": {"Image": "shop:1.4"},
    "State": {"Running": True, "Pid": 812, "StartedAt": "2026-01-02T03:04:05Z", "ExitCode": 0},
    "MountPoints": {"/data": {"Type": "bind", "Source": "/srv", "Destination": "/data", "RW": False}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("state", "pid", "status"),
    [
        pytest.param({}, 900, "running", id="its process lives"),
        pytest.param({}, 0, "exited", id="the file says running, and it is dead"),
        pytest.param({}, None, "running", id="processes cannot be seen"),
        pytest.param({"Paused": True}, 900, "paused", id="paused"),
        pytest.param(
            {"Running": True, "Restarting": True}, 0, "restarting", id="between two lives"
        ),
        pytest.param(
            {"Running": False, "StartedAt": "0001-01-01T00:00:00Z"},
            0,
            "created",
            id="never started",
        ),
        pytest.param({"Running": False, "Dead": True}, 0, "dead", id="half removed"),
    ],
)
def test_container_from_its_files(state: dict[str, Any], pid: int | None, status: str) -> None:
    container = container_of({**OWN, "State": {**OWN["State"], **state}}, {"Memory": 64}, pid)
    assert container.state.status == status
    assert (container.name, container.restart_count, container.host_config.memory) == ("web", 2, 64)
    assert [(mount.source, mount.rw) for mount in container.mounts or ()] == [("/srv", False)]
