"""The check in checks/storage/writable_layer_large.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Severity
from tests.checks.storage.evidence import (
    ID,
    NOW,
    OTHER,
    UPPER,
    WALK,
    assert_found,
    assert_silent,
    inspect_with,
    report_of,
)

FOLDERS = [{"name": UPPER, "mtime": NOW - 9e5}, {"name": OTHER, "mtime": NOW - 9e5}]

FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "10 GiB in a layer": (
        "storage.writable-layer-large",
        {},
        "container:web",
        Severity.warning,
        "10.0 GiB",
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
