"""The check in checks/storage/volume_options_outdated.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.changed_volumes import changed_volumes
from diagnose.phrases import unix
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

FILE = "/srv/shop/compose.yaml"
MADE = "2026-01-02T03:04:05Z"
AT = unix(MADE) or 0.0
OLD = {"type": "none", "o": "bind", "device": "/srv/old"}
NEW = {**OLD, "device": "/srv/new"}
INSIDE = {"type": "tmpfs", "device": "tmpfs", "o": "size=10m"}
LABELS = {"com.docker.compose.project": "shop", "com.docker.compose.volume": "data"}
WEB = container(
    "shop-web-1",
    Config={
        "Labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": "web",
            "com.docker.compose.project.config_files": FILE,
            "com.docker.compose.project.working_dir": "/srv/shop",
        }
    },
    Mounts=[{"Type": "volume", "Name": "shop_data", "Source": "/v", "Destination": "/data"}],
)


def _found(options: Any, wanted: dict[str, Any], changed: float, name: str = "shop_data") -> Any:
    volume = {
        "Name": name, "Driver": "local", "Options": options, "CreatedAt": MADE, "Labels": LABELS
    }  # fmt: skip
    host = Made(
        {
            "api.volumes": {"Volumes": [volume]},
            "file.stats": {FILE: {"mtime": changed}},
            "file.compose-volumes": [{"key": "data", "path": FILE, **wanted}],
        }
    )
    changed_items = changed_volumes(host, of(WEB))
    return judge(
        "storage.volume-options-outdated", changed_volumes=changed_items, clock=Clock(AT + 9000, AT)
    ).findings


ROWS = {
    "another folder": (OLD, {"options": NEW}, 600.0, "project"),
    "options for one that had none": (None, {"options": NEW}, 600.0, "kept"),
    "its data would be lost": (INSIDE, {"options": {}}, 600.0, "kept"),
    "another driver": (OLD, {"options": OLD, "driver": "rclone"}, 600.0, "project"),
    "the engine's driver by its tag": (
        OLD,
        {"options": OLD, "driver": "local:latest"},
        600.0,
        None,
    ),
    "a relative path": (OLD, {"options": {**OLD, "device": "./old"}}, 600.0, None),
    "as before": (OLD, {"options": OLD}, 600.0, None),
    "made by the file": (OLD, {"options": NEW}, 1.0, None),
    "another name": (OLD, {"options": NEW, "name": "data2"}, 600.0, None),
    "a secret": (OLD, {"options": {**NEW, "o": "<redacted:ab>"}}, 600.0, None),
}


@pytest.mark.parametrize(("options", "wanted", "after", "variable"), ROWS.values(), ids=ROWS)
def test_volume_options_outdated(
    options: Any, wanted: dict[str, Any], after: float, variable: str | None
) -> None:
    findings = _found(options, wanted, AT + after)
    assert [finding.subject.name for finding in findings] == (["shop_data"] if variable else [])
    assert all(variable in finding.variables for finding in findings)
