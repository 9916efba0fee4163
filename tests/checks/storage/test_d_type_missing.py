"""The check in checks/storage/d_type_missing.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Severity
from tests.checks.storage.evidence import ROOT, assert_found, assert_silent

FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
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
    )
}


@pytest.mark.parametrize(
    ("id_", "answers", "subject", "severity", "said"), FIRES.values(), ids=FIRES
)
def test_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, said: str
) -> None:
    assert_found(id_, answers, subject, severity, said)


SILENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "d_type": ("storage.d-type-missing", {}, "passed"),
    "no overlay": ("storage.d-type-missing", {"api__info": {"Driver": "btrfs"}}, "skipped"),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)
