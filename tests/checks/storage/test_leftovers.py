"""The checks in checks/storage/leftovers.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Failed, Json, Severity
from tests.checks.storage.evidence import (
    GIB,
    ID,
    LOG,
    NOW,
    OTHER,
    ROOT,
    UPPER,
    WALK,
    assert_found,
    assert_silent,
    disks,
    inspect_with,
    report_of,
    usage,
)


def store(kind: str) -> dict[str, Json]:
    return {"Driver": "overlayfs", "DockerRootDir": ROOT, "DriverStatus": [["driver-type", kind]]}


FOLDERS = [{"name": UPPER, "mtime": NOW - 9e5}, {"name": OTHER, "mtime": NOW - 9e5}]


HELD = {
    "pid": 77,
    "fd": 3,
    "path": "/data/x",
    "bytes": 30 * GIB,
    "dev": "8:17",
    "fstype": "ext4",
    "comm": "java",
    "container": ID,
}


FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "held": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD]}},
        "container:web",
        Severity.warning,
        "30.0 GiB",
    ),
    "a log that the engine holds": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"path": LOG, "container": None, "comm": "dockerd"}]}},
        "container:web",
        Severity.warning,
        "dockerd (pid 77)",
    ),
    "held is more than what is left": (
        "storage.deleted-files-held",
        {
            "deleted_files": {"files": [HELD | {"bytes": 1 << 30}]},
            "fs__usage": disks(usage(available=GIB // 2)),
        },
        "container:web",
        Severity.warning,
        "1.0 GiB",
    ),
    "held on overlay": (
        "storage.deleted-files-held",
        {
            "deleted_files": {
                "files": [HELD | {"dev": "0:99", "fstype": "overlay", "container": None}]
            }
        },
        f"filesystem:{ROOT}",
        Severity.warning,
        "java (pid 77)",
    ),
    "dangling": (
        "storage.volumes-unused",
        {"api__volumes": {"Volumes": [{"Name": "old"}]}},
        "volume:old",
        Severity.advice,
        "",
    ),
    "10 GiB in a layer": (
        "storage.writable-layer-large",
        {},
        "container:web",
        Severity.warning,
        "10.0 GiB",
    ),
    "one layer lost": (
        "storage.overlay-orphans",
        {"fs__layers": {"folders": FOLDERS, "referenced": [UPPER], "mentioned": []}},
        "daemon:docker",
        Severity.advice,
        "1 of 2",
    ),
    "old store": (
        "storage.store-leftover",
        {
            "api__info": store("io.containerd.snapshotter.v1"),
            "fs__layers": {"folders": FOLDERS, "referenced": [], "mentioned": []},
        },
        "daemon:docker",
        Severity.advice,
        "2 layer folders",
    ),
    "ftype=0": (
        "storage.d-type-missing",
        {
            "api__info": {
                "Driver": "overlay2",
                "DockerRootDir": ROOT,
                "DriverStatus": [["Backing Filesystem", "xfs"], ["Supports d_type", "false"]],
            }
        },
        "daemon:docker",
        Severity.warning,
        "xfs without d_type",
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
    "small file held": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"bytes": 20 << 20}]}},
        "passed",
    ),
    "little held on a roomy disk": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"bytes": 1 << 30}]}},
        "passed",
    ),
    "held elsewhere": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"dev": "0:5", "fstype": "xfs"}]}},
        "passed",
    ),
    "may not look": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [], "unseen": 40}},
        "unknown",
    ),
    "hidden processes": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [], "hidden": True}},
        "unknown",
    ),
    "all used": ("storage.volumes-unused", {}, "passed"),
    "not measured": (
        "storage.writable-layer-large",
        {"options": {"wanted": ["storage.writable-layer-large", "dns.host-broken"]}},
        "skipped",
    ),
    "small layer": (
        "storage.writable-layer-large",
        {
            "options": {"wanted": ["storage.writable-layer-large"]},
            "fs__walk": WALK | {"by": {f"overlay2/{UPPER}": 4096}},
        },
        "passed",
    ),
    "layer not seen": (
        "storage.writable-layer-large",
        {
            "options": {"wanted": ["storage.writable-layer-large"]},
            "fs__walk": WALK | {"by": {}, "complete": False},
        },
        "unknown",
    ),
    "a pull in progress": (
        "storage.overlay-orphans",
        {
            "fs__layers": {
                "folders": [{"name": OTHER, "mtime": NOW - 60}],
                "referenced": [],
                "mentioned": [],
            }
        },
        "passed",
    ),
    "build cache": (
        "storage.overlay-orphans",
        {"fs__layers": {"folders": FOLDERS, "referenced": [UPPER], "mentioned": [OTHER]}},
        "passed",
    ),
    "init layer": (
        "storage.overlay-orphans",
        {
            "fs__layers": {
                "folders": [{"name": f"{UPPER}-init", "mtime": 1.0}],
                "referenced": [UPPER],
                "mentioned": [],
            }
        },
        "passed",
    ),
    "another driver": (
        "storage.overlay-orphans",
        {"api__info": store("x"), "fs__layers": Failed("missing")},
        "skipped",
    ),
    "own store": ("storage.store-leftover", {}, "skipped"),
    "nothing left": (
        "storage.store-leftover",
        {"api__info": store("io.containerd.snapshotter.v1"), "fs__layers": Failed("missing")},
        "passed",
    ),
    "d_type": ("storage.d-type-missing", {}, "passed"),
    "no overlay": ("storage.d-type-missing", {"api__info": {"Driver": "btrfs"}}, "skipped"),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)


def test_layers_of_a_silent_engine_are_found_by_its_database() -> None:
    layers = {"folders": FOLDERS, "referenced": [UPPER], "mentioned": [], "mounts": {ID: UPPER}}
    shown = inspect_with(GraphDriver=None)
    asked = {
        "options": {"wanted": ["storage.writable-layer-large"]},
        "fs__layers": layers,
        "api__container": shown,
    }
    report = report_of("storage.writable-layer-large", **asked)
    assert [str(finding.subject) for finding in report.findings] == ["container:web"]
