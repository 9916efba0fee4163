"""The checks in checks/container/mounts/mount_unwritable.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTail, LogTails
from diagnose.evidence.containers.mounts.bind_mounts import PathStatus
from diagnose.evidence.containers.mounts.file_access import HostUser
from diagnose.evidence.containers.mounts.mount_access import DeniedMount, MountAccess
from tests.checks.container.evidence import CLOCK, container_in
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("kind", "container", "lines", "severity"),
    [
        ("socket", container_in("running", age=9000), (), "warning"),
        ("folder", container_in("running", age=9000), (), "advice"),
        (
            "folder",
            container_in("running", age=9000, State={"Health": {"Status": "unhealthy"}}),
            (),
            "warning",
        ),
        ("folder", container_in("running", age=5, RestartCount=3), (), "warning"),
        ("folder", container_in("running", age=5, RestartCount=3), ("no key: db.url",), "advice"),
    ],
)
def test_a_mount_that_its_user_cannot_use(
    kind: str, container: Container, lines: tuple[str, ...], severity: str
):
    source = PathStatus(type=kind, mode=0o660 if kind == "socket" else 0o755)
    denied = DeniedMount(
        container, Mount(source="/s", destination="/d"), source, HostUser("1000", "1000:1000", 1000)
    )
    tails = LogTails({container.id: LogTail(lines)}, {})
    access = MountAccess((denied,))
    result = judge("container.mount-unwritable", mount_access=access, log_tails=tails, clock=CLOCK)
    assert rows(result) == [(severity, "web")]
