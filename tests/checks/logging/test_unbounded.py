"""The checks in checks/logging/unbounded.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.log_config import LogConfig
from diagnose.model import Severity
from tests.checks.storage.evidence import (
    GIB,
    LOG,
    WALK,
    assert_found,
    assert_silent,
    disks,
    inspect_with,
    logging,
    stats,
    usage,
    usage_at,
)

FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "no limit": (
        "logging.unbounded",
        {"api__container": inspect_with(**logging("json-file"))},
        "container:web",
        Severity.advice,
        "no size limit (max-size)",
    ),
    "max-file alone limits nothing": (
        "logging.unbounded",
        {"api__container": inspect_with(**logging("json-file", **{"max-file": "3"}))},
        "container:web",
        Severity.advice,
        "",
    ),
    "300 MB": (
        "logging.unbounded",
        {
            "api__container": inspect_with(**logging("json-file")),
            "file__stats": stats({LOG: 300_000_000}),
        },
        "container:web",
        Severity.warning,
        "286 MiB",
    ),
    "more than is left": (
        "logging.unbounded",
        {
            "api__container": inspect_with(**logging("json-file")),
            "file__stats": stats({LOG: 90_000_000}),
            "fs__usage": disks(usage(used=99 * GIB, free=GIB, available=80_000_000)),
            "fs__walk": WALK | {"by": {"volumes/orders": 99 * GIB}},
        },
        "container:web",
        Severity.warning,
        "",
    ),
    "small on a disk that others filled": (
        "logging.unbounded",
        {
            "api__container": inspect_with(**logging("json-file")),
            "fs__usage": disks(usage(used=100 * GIB, free=0, available=0)),
        },
        "container:web",
        Severity.advice,
        "",
    ),
    "logs fill the disk": (
        "logging.unbounded",
        {
            "api__container": inspect_with(**logging("json-file")),
            "file__stats": stats({LOG: 60 * GIB}),
            "fs__usage": disks(usage_at(97)),
        },
        "container:web",
        Severity.critical,
        "97 % full",
    ),
    "a trifle on a disk that others filled": (
        "logging.unbounded",
        {
            "api__container": inspect_with(**logging("json-file")),
            "file__stats": stats({LOG: 6 * GIB}),
            "fs__usage": disks(usage_at(97)),
            "fs__walk": WALK | {"by": {}},
        },
        "container:web",
        Severity.warning,
        "6.0 GiB",
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
    "limited": ("logging.unbounded", {}, "passed"),
    "local rotates": (
        "logging.unbounded",
        {"api__container": inspect_with(**logging("local"))},
        "passed",
    ),
    "stopped and small": (
        "logging.unbounded",
        {"api__container": inspect_with(State={"Status": "exited"}, **logging("json-file"))},
        "passed",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)


LIMITS = {
    "json-file": ("json-file", {}, True),
    "json-file with a size": ("json-file", {"max-size": "10m"}, False),
    "local, whose default is a limit": ("local", {}, False),
    "local without it": ("local", {"max-size": "-1"}, True),
    "a driver without files": ("syslog", {"max-size": "-1"}, False),
}


@pytest.mark.parametrize(("driver", "options", "expected"), LIMITS.values(), ids=LIMITS)
def test_log_without_a_limit(driver: str, options: dict[str, str], expected: bool) -> None:
    assert LogConfig(driver, options).has_no_limit is expected
