"""storage.disk-not-mounted: a container works on the folder beneath a disk that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.data.data_root_candidates import PlannedMount
from diagnose.evidence.storage.unmounted_disks import UnmountedDisk, UnmountedDisks
from tests.inspected import bind, container
from tests.judging import judge, rows

DOWN: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 0}}
RESTARTING: dict[str, Any] = {"State": {"Status": "restarting", "Pid": 0, "ExitCode": 1}}


PLANNED = PlannedMount("/srv/media", "UUID=1", "/etc/fstab")


@pytest.mark.parametrize(
    ("parts", "entries", "expected"),
    [
        pytest.param({}, 0, [("critical", "/srv/media")], id="a container runs on the folder"),
        pytest.param(RESTARTING, 1, [("critical", "/srv/media")], id="its container is restarted"),
        pytest.param(DOWN, None, [("warning", "/srv/media")], id="its container is down"),
    ],
)
def test_disk_not_mounted(parts: dict[str, Any], entries: int | None, expected: object) -> None:
    user = container("media", **bind("/srv/media/films"), **parts)
    disks = UnmountedDisks((UnmountedDisk(PLANNED, (user,), entries),))
    result = judge("storage.disk-not-mounted", disks=disks)
    assert rows(result) == expected
    assert result.findings[0].variables == {"point": "/srv/media", "container": "media"}


def test_no_disk_is_missed() -> None:
    assert judge("storage.disk-not-mounted", disks=UnmountedDisks(())).verdict == "passed"
