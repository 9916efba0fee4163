"""The checks in checks/logging/opts_not_applied.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.model import Severity
from tests.checks.storage.evidence import assert_found, assert_silent, inspect_with, logging

DAEMON_JSON = {"text": '{"log-opts": {"max-size": "10m"}}', "mtime": 1.0}


FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "older than log-opts": (
        "logging.opts-not-applied",
        {"api__container": inspect_with(**logging("json-file")), "file__read": DAEMON_JSON},
        "container:web",
        Severity.advice,
        "max-size",
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
    "no defaults": (
        "logging.opts-not-applied",
        {"api__container": inspect_with(**logging("json-file"))},
        "skipped",
    ),
    "chosen otherwise": (
        "logging.opts-not-applied",
        {
            "api__container": inspect_with(**logging("json-file", **{"max-size": "50m"})),
            "file__read": DAEMON_JSON,
        },
        "passed",
    ),
    "another log driver": (
        "logging.opts-not-applied",
        {"api__container": inspect_with(**logging("local")), "file__read": DAEMON_JSON},
        "passed",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)
