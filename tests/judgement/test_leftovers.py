"""Containers that failed to start long ago, never ran, and that nobody misses."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.run.report_basis import report_basis
from diagnose.evidence.run.report_header import ReportHeader
from diagnose.judgement.report import Run, reported
from diagnose.model import (
    DAEMON,
    HOST,
    Check,
    Finding,
    HostFacts,
    ReportBasis,
    Result,
    Severity,
    Subject,
    Unavailable,
    Verdict,
)
from diagnose.phrases import unix
from tests.inspected import container, of

NOW = unix("2026-03-01T00:00:00Z") or 0.0
UNKNOWN = Unavailable("missing", "")
NEVER_RAN = {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z", "Pid": 0}
RAN = {"Status": "exited", "Pid": 0}
LONG_AGO, LATELY = "2026-02-01T00:00:00Z", "2026-02-27T00:00:00Z"
SERVICE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
LEFT: dict[str, tuple[dict[str, Any], bool]] = {
    "never ran, and is old": ({"State": NEVER_RAN, "Created": LONG_AGO}, True),
    "never ran, and is new": ({"State": NEVER_RAN, "Created": LATELY}, False),
    "ran once": ({"State": RAN, "Created": LONG_AGO}, False),
    "runs": ({"Created": LONG_AGO}, False),
    "a service of compose": (
        {"State": NEVER_RAN, "Created": LONG_AGO, "Config": {"Labels": SERVICE}},
        False,
    ),
    "is to be restarted": (
        {
            "State": NEVER_RAN,
            "Created": LONG_AGO,
            "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}},
        },
        False,
    ),
    "made before the clock was set": (
        {"State": NEVER_RAN, "Created": "1970-01-01T00:01:00Z"},
        False,
    ),
    "nobody knows when it was made": ({"State": NEVER_RAN, "Created": ""}, False),
}


@pytest.mark.parametrize(("parts", "is_left"), LEFT.values(), ids=LEFT)
def test_what_is_left_over(parts: dict[str, Any], is_left: bool) -> None:
    header = ReportHeader(HostFacts("h", kernel="", engine=None), NOW, "docker")
    basis = report_basis(header, UNKNOWN, of(container("old", **parts)), UNKNOWN)
    assert basis.leftovers == ({container("old").subject} if is_left else set())


OLD, WEB = container("old").subject, container("web").subject
ABOUT: dict[str, tuple[Subject, tuple[Subject, ...], Severity]] = {
    "it": (OLD, (), Severity.advice),
    "it, and who has its port": (OLD, (WEB,), Severity.advice),
    "another container": (WEB, (OLD,), Severity.critical),
    "the engine, for its sake": (DAEMON, (OLD,), Severity.advice),
    "the engine, for another one's sake too": (DAEMON, (OLD, WEB), Severity.critical),
    "the engine": (DAEMON, (), Severity.critical),
    "the engine, and every start": (DAEMON, (DAEMON, OLD), Severity.critical),
    "the engine, and its disk": (
        DAEMON,
        (OLD, Subject("filesystem", "/var/lib/docker")),
        Severity.critical,
    ),
    "the host": (HOST, (OLD,), Severity.critical),
}


@pytest.mark.parametrize(("subject", "touches", "expected"), ABOUT.values(), ids=ABOUT)
def test_how_bad_a_finding_is(
    subject: Subject, touches: tuple[Subject, ...], expected: Severity
) -> None:
    check = Check(
        "container.x",
        "A title.",
        Severity.critical,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=(),
        causes=(),
        posture=False,
    )
    result = Result(check, Verdict.FOUND, findings=(Finding(subject, "s", {}, touches=touches),))
    report = reported(
        [result], ReportBasis(leftovers=frozenset({OLD})), Run({check.id: check}, (check.id,))
    )
    assert [finding.severity for finding in report.findings] == [expected]
