"""The checks about single disks: inodes-exhausted, read-only, network-volume-stale, shm-full."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Failed, Severity
from tests.checks.storage.evidence import (
    ROOT,
    assert_found,
    assert_silent,
    disks,
    inspect_with,
    mount,
    usage,
    usage_at,
)


def dead(path: str = "srv/share", failed: Failed | None = None) -> dict[str, Any]:
    """A container's mount on NFS; answered unless it failed."""
    return {
        "api__container": inspect_with(
            Mounts=[{"Type": "bind", "Source": f"/{path}", "Destination": "/data"}]
        ),
        "mounts": [
            mount("/", "ext4"),
            mount(ROOT, "ext4"),
            mount(f"/{path}", "nfs4", source="nas:/export"),
        ],
        "fs__usage": disks(usage(), **{path: failed or usage(point=f"/{path}", fstype="nfs4")}),
    }


FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "no inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(inodes_free=3))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "room for 3 more files",
    ),
    "xfs may make no more inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(fstype="xfs", inodes_free=3))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "room for 3 more files",
    ),
    "few inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(inodes_free=70))},
        f"filesystem:{ROOT}",
        Severity.warning,
        "room for 70 more files",
    ),
    "remounted": (
        "storage.read-only",
        {"mounts": [mount("/", "ext4"), mount(ROOT, "ext4", "ro,errors=remount-ro")]},
        f"filesystem:{ROOT}",
        Severity.critical,
        "is read-only: it is mounted with option ro",
    ),
    "bound read-only": (
        "storage.read-only",
        {
            "mounts": [
                mount("/", "ext4"),
                mount(ROOT, "ext4"),
                mount(ROOT, "ext4") | {"options": "ro"},
            ]
        },
        f"filesystem:{ROOT}",
        Severity.critical,
        "is read-only: it is mounted with option ro",
    ),
    "a folder of the engine's own, bound read-only": (
        "storage.read-only",
        {
            "mounts": [
                mount("/", "ext4"),
                mount(ROOT, "ext4"),
                mount(f"{ROOT}/image/overlay2", "ext4") | {"options": "ro"},
            ]
        },
        f"filesystem:{ROOT}/image/overlay2",
        Severity.critical,
        "is read-only: it is mounted with option ro",
    ),
    "ext4 of Linux 6.15 after an error": (
        "storage.read-only",
        {"mounts": [mount("/", "ext4"), mount(ROOT, "ext4", "rw,emergency_ro")]},
        f"filesystem:{ROOT}",
        Severity.critical,
        "emergency_ro",
    ),
    "hangs": (
        "storage.network-volume-stale",
        dead(failed=Failed("timed out", "pid 9")),
        "filesystem:/srv/share",
        Severity.critical,
        'container "web" uses it',
    ),
    "stale handle": (
        "storage.network-volume-stale",
        dead(f"{ROOT[1:]}/volumes/share/_data", Failed("refused", "[Errno 116] Stale file handle")),
        "volume:share",
        Severity.critical,
        "gives errors only",
    ),
    "shm": (
        "storage.shm-full",
        {
            "fs__usages": {
                "/proc/77/root/dev/shm": usage(size=64 << 20, used=64 << 20, free=0, available=0)
            }
        },
        "container:web",
        Severity.warning,
        "64.0 MiB",
    ),
    "a full shm without inodes": (
        "storage.shm-full",
        {
            "fs__usages": {
                "/proc/77/root/dev/shm": usage(
                    size=64 << 20, used=64 << 20, free=0, available=0, inodes=100, inodes_free=0
                )
            }
        },
        "container:web",
        Severity.warning,
        "64.0 MiB of 64.0 MiB",
    ),
    "shm without inodes": (
        "storage.shm-full",
        {"fs__usages": {"/proc/77/root/dev/shm": usage(inodes=100, inodes_free=1)}},
        "container:web",
        Severity.warning,
        "99 of 100 inodes",
    ),
}


@pytest.mark.parametrize(
    ("id_", "answers", "subject", "severity", "said"), FIRES.values(), ids=FIRES
)
def test_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, said: str
) -> None:
    assert_found(id_, answers, subject, severity, said)


SILENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "btrfs has no inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(inodes=0, inodes_free=0))},
        "passed",
    ),
    "xfs is full and counts its inodes by that": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage_at(99) | {"fstype": "xfs", "inodes_free": 3})},
        "passed",
    ),
    "a service that may write nothing": (
        "storage.read-only",
        {
            "mounts": [
                mount("/", "ext4") | {"options": "ro"},
                mount(ROOT, "ext4") | {"options": "ro"},
            ]
        },
        "passed",
    ),
    "a volume that is read-only": (
        "storage.read-only",
        {
            "mounts": [
                mount("/", "ext4"),
                mount(ROOT, "ext4"),
                mount(f"{ROOT}/volumes/films/_data", "ext4") | {"options": "ro"},
            ]
        },
        "passed",
    ),
    "another disk is read-only": (
        "storage.read-only",
        {"mounts": [mount("/", "ext4"), mount(ROOT, "ext4"), mount("/mnt", "ext4", "ro")]},
        "passed",
    ),
    "no network disk": ("storage.network-volume-stale", {}, "skipped"),
    "nfs answers": ("storage.network-volume-stale", dead(), "passed"),
    "nfs forbidden": (
        "storage.network-volume-stale",
        dead(failed=Failed("forbidden", "fuse")),
        "unknown",
    ),
    "shm free": ("storage.shm-full", {}, "passed"),
    "shm of the host": (
        "storage.shm-full",
        {"api__container": inspect_with(HostConfig={"IpcMode": "host"})},
        "passed",
    ),
    "shm forbidden": (
        "storage.shm-full",
        {"fs__usages": {"/proc/77/root/dev/shm": {"failed": "forbidden"}}},
        "unknown",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)
