"""The checks in checks/logging/files.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Severity
from tests.checks.storage.evidence import ID, LOG, OTHER, ROOT, assert_found, assert_silent, stats

FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "log renamed": (
        "logging.file-missing",
        {"open_under": {"paths": [f"{LOG}.1", f"{ROOT}/containers/{OTHER}/{OTHER}-json.log"]}},
        "container:web",
        Severity.warning,
        f"{ID}-json.log.1, a file that was renamed",
    ),
    "log removed": (
        "logging.file-missing",
        {"file__stats": stats({})},
        "container:web",
        Severity.warning,
        "does not exist",
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
    "log there": ("logging.file-missing", {}, "passed"),
    "log being rotated": (
        "logging.file-missing",
        {"open_under": {"paths": [LOG, f"{LOG}.1"]}},
        "passed",
    ),
    "log hidden": (
        "logging.file-missing",
        {"file__stats": {LOG: {"failed": "forbidden"}}},
        "unknown",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)
