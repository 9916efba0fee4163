"""The checks in checks/storage/leftovers.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Failed, Json, Severity
from tests.checks.storage.evidence import (
    GIB,
    NOW,
    OTHER,
    ROOT,
    UPPER,
    WALK,
    assert_found,
    assert_silent,
    disks,
    usage,
)


def store(kind: str) -> dict[str, Json]:
    return {"Driver": "overlayfs", "DockerRootDir": ROOT, "DriverStatus": [["driver-type", kind]]}


FOLDERS = [{"name": UPPER, "mtime": NOW - 9e5}, {"name": OTHER, "mtime": NOW - 9e5}]


def _full_by(by: dict[str, Json]) -> dict[str, Any]:
    """A full disk with these folders, of whose layers the engine knows one."""
    return {
        "fs__usage": disks(usage(used=97 * GIB, available=3 * GIB)),
        "fs__walk": WALK | {"by": by},
        "fs__layers": {"folders": FOLDERS, "referenced": [UPPER], "mentioned": []},
    }


FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "dangling": (
        "storage.volumes-unused",
        {"api__volumes": {"Volumes": [{"Name": "old"}]}},
        "volume:old",
        Severity.advice,
        "",
    ),
    "one layer lost": (
        "storage.overlay-orphans",
        {"fs__layers": {"folders": FOLDERS, "referenced": [UPPER], "mentioned": []}},
        "daemon:docker",
        Severity.advice,
        "1 of 2",
    ),
    "layers of nothing on a full disk": (
        "storage.overlay-orphans",
        _full_by({f"overlay2/{OTHER}": 60 * GIB, f"overlay2/{UPPER}": 10 * GIB}),
        "daemon:docker",
        Severity.warning,
        "1 of 2 layer folders in /var/lib/docker/overlay2 belong to no image and no container and hold 60.0 GiB",
    ),
    "a full disk on which images are larger": (
        "storage.overlay-orphans",
        _full_by({f"overlay2/{OTHER}": 10 * GIB, "overlay2/base": 60 * GIB}),
        "daemon:docker",
        Severity.advice,
        "hold 10.0 GiB",
    ),
    "a full disk on which logs are larger": (
        "storage.overlay-orphans",
        _full_by({f"overlay2/{OTHER}": 10 * GIB, f"containers/{OTHER}": 60 * GIB}),
        "daemon:docker",
        Severity.advice,
        "hold 10.0 GiB",
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
}


@pytest.mark.parametrize(
    ("id_", "answers", "subject", "severity", "said"), FIRES.values(), ids=FIRES
)
def test_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, said: str
) -> None:
    assert_found(id_, answers, subject, severity, said)


SILENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "all used": ("storage.volumes-unused", {}, "passed"),
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
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)
