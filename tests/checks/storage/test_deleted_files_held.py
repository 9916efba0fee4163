"""The check in checks/storage/deleted_files_held.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Severity
from tests.checks.storage.evidence import (
    GIB,
    ID,
    LOG,
    ROOT,
    assert_found,
    assert_silent,
    disks,
    usage,
)

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
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)
