"""Quotas that are used up while the disk has room."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import LogLine
from diagnose.evidence.engine.said_errors import SaidError, SaidErrors
from diagnose.evidence.storage.backing_devices import Backing, Behind
from diagnose.evidence.storage.mounts import Mounted, Mounts
from tests.inspected import bind, container, of
from tests.judging import judge, rows

SAID = "dd: error writing '/data/wal': Disk quota exceeded"
NAMELESS = "PANIC: could not write to file pg_wal/xlogtemp.1: Disk quota exceeded"


def mounted(fstype: str, options: str = "rw") -> Mounted:
    return Mounted("/srv/db", fstype, "/dev/sdb1", "/", "8:17", "rw", options)


@pytest.mark.parametrize(
    ("line", "disk", "variables"),
    [
        (SAID, mounted("btrfs"), {"btrfs": "/srv/db/pg"}),
        (NAMELESS, mounted("btrfs"), {"btrfs": "/srv/db/pg"}),
        (SAID, mounted("xfs", "rw,prjquota"), {"xfs": "/srv/db"}),
        (SAID, mounted("ext4", "rw,usrquota"), {"ext4": "/srv/db"}),
        (SAID, mounted("nfs4"), {}),
        (SAID, mounted("ext4"), None),
        ("No space left on device: /data/wal", mounted("btrfs"), None),
    ],
)
def test_quota_exceeded(line: str, disk: Mounted, variables: dict[str, str] | None) -> None:
    failed = container("db", **bind("/srv/db/pg", Destination="/data"))
    assert failed.mounts
    result = judge(
        "storage.quota-exceeded",
        containers=of(failed),
        log_tails=LogTails({failed.id: LogTail((line,))}, unread={}, unexamined=()),
        backing=Backing((Behind(failed, failed.mounts[0], disk),)),
    )
    if variables is None:
        assert result.verdict == "passed"
    else:
        assert rows(result) == [("critical", "db")]
        assert result.findings[0].variables == {"container": "db"} | variables


def test_the_size_of_a_layer_is_a_quota_too() -> None:
    limited: dict[str, Any] = {"HostConfig": {"StorageOpt": {"size": "1G"}}}
    failed = container("web", **limited)
    tails = LogTails(
        {failed.id: LogTail(("write error: Disk quota exceeded",))}, unread={}, unexamined=()
    )
    result = judge(
        "storage.quota-exceeded", containers=of(failed), log_tails=tails, backing=Backing(())
    )
    assert rows(result) == [("critical", "web")]


ROOT = Mounts((Mounted("/", "ext4", dev="8:1"), Mounted("/var/lib/docker", "btrfs", dev="0:40")))
CREATE = "Handler for POST /v1.51/containers/create returned error: "
COPY = "Handler for PUT /v1.51/containers/web/archive returned error: "
MKDIR = f"{CREATE}mkdir /var/lib/docker/overlay2/5-init: disk quota exceeded"
OVER = container("newer", State={"Status": "created"}, Created="2026-01-02T03:20:00Z")
OLD = container("older", Created="2026-01-02T03:00:00Z")
AT = 1767323400.0
"""2026-01-02 03:10:00."""
TOLD = {
    "a layer": (MKDIR, OLD, ROOT, [("critical", "docker")]),
    "no path": (f"{CREATE}disk quota exceeded", OLD, ROOT, [("critical", "docker")]),
    "a pull": (
        "failed to register layer: write /usr/lib/libLLVM.so: disk quota exceeded",
        OLD,
        ROOT,
        [("critical", "docker")],
    ),
    "a container was created since": (MKDIR, OVER, ROOT, []),
    "another disk": (f"{CREATE}mkdir /srv/nas/app: disk quota exceeded", OLD, ROOT, []),
    "no quotas there": (MKDIR, OLD, Mounts((Mounted("/", "ext4", dev="8:1"),)), []),
    "the layer of a container, by docker cp": (
        f"{COPY}write /wal: disk quota exceeded",
        OLD,
        ROOT,
        [],
    ),
    "kernel keys": (f"{CREATE}create session key: disk quota exceeded", OLD, ROOT, []),
}


@pytest.mark.parametrize(("text", "newest", "disks", "expected"), TOLD.values(), ids=TOLD)
def test_quota_of_the_data_root(
    text: str, newest: Container, disks: Mounts, expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "storage.quota-exceeded",
        containers=of(newest),
        log_tails=LogTails(by_id={}, unread={}, unexamined=()),
        backing=Backing(()),
        info=Info(docker_root_dir="/var/lib/docker"),
        mounts=disks,
        said_errors=SaidErrors((SaidError(LogLine(AT, "error", text), 1, AT),)),
    )
    assert rows(result) == expected
