"""What was changed before a problem: said only where a person would ask, and never what came
after."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.judgement import changes_before
from diagnose.model import (
    DAEMON,
    HOST,
    CauseLink,
    Check,
    Finding,
    HostProfile,
    RecentChange,
    RecentChanges,
    Reported,
    Severity,
    Subject,
    container,
)

NOW = 10_000.0
WEB, DB = container("web"), container("db")
FILE = RecentChange(NOW - 100, "web.conf", "file", WEB)
OF_DB = RecentChange(NOW - 90, "db.conf", "file", DB)
PACKAGES = RecentChange(NOW - 200, "package docker-ce", "packages")
RESOLV = RecentChange(NOW - 50, "/etc/resolv.conf", "file", HOST, "dns")
ALL = (PACKAGES, FILE, OF_DB, RESOLV)


def problem(
    id: str = "container.restart-loop",
    subject: Subject = WEB,
    severity: Severity = Severity.critical,
    causes: tuple[str, ...] = ("storage.disk-full",),
    linked: bool = False,
    **parts: object,
) -> Reported:
    aloud = parts.pop("aloud", None)
    check = Check(
        id,
        "T.",
        severity,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=causes,
        causes=(),
        posture=False,
        aloud=aloud,
    )
    evidence = parts.pop("evidence", {})
    finding = Finding(subject, "s", evidence, **parts)
    links = (CauseLink("storage.disk-full@filesystem:/", "key", "same disk"),) if linked else ()
    return Reported("key", check, severity, finding, causes=links)


CASES: dict[str, tuple[Reported, list[RecentChange]]] = {
    "its own first, then the host's": (problem(), [FILE, PACKAGES]),
    "of whom it calls, too": (problem(calls=(DB,)), [OF_DB, FILE, PACKAGES]),
    "not what came after its begin": (problem(onset=NOW - 150), [PACKAGES]),
    "the clocks may differ a little": (problem(onset=NOW - 101), [FILE, PACKAGES]),
    "not what is long ago": (problem(onset=NOW - 97 + 3600), []),
    "resolv.conf matters to DNS alone": (
        problem("dns.upstream-unreachable"),
        [FILE, RESOLV, PACKAGES],
    ),
    "the server outside knows no container": (
        problem("dns.service-on-other-network", touches=(DB,)),
        [FILE, PACKAGES],
    ),
    "its log says why: only its own": (
        problem(evidence={"log": "FATAL: password authentication failed"}),
        [FILE],
    ),
    "a full disk has no such cause": (problem("storage.inodes-full", HOST), []),
    "no advice": (problem(severity=Severity.advice), []),
    "its cause is known": (problem(linked=True), []),
    "it is a cause itself": (problem(causes=()), []),
    "a complaint that nothing explains": (
        problem(severity=Severity.advice, causes=(), aloud=("errs", "err")),
        [FILE, PACKAGES],
    ),
    "an engine that is down": (problem("daemon.not-running", DAEMON, causes=()), [PACKAGES]),
}


@pytest.mark.parametrize("name", CASES)
def test_changes_before_a_problem(name: str):
    finding, expected = CASES[name]
    (told,) = changes_before.with_changes([finding], ALL, NOW)
    assert list(told.changes) == expected


def test_three_at_most():
    many = [RecentChange(NOW - number, str(number), "file", WEB) for number in range(9)]
    (told,) = changes_before.with_changes([problem()], many, NOW)
    assert [change.text for change in told.changes] == ["0", "1", "2"]


def test_a_file_that_two_containers_share_is_named_once():
    shared = [replace(FILE, subject=subject) for subject in (WEB, DB)]
    (changed,) = changes_before.with_changes([problem(calls=(DB,))], shared, NOW)
    assert [change.text for change in changed.changes] == ["web.conf"]


def test_files_that_steer_the_host_are_known_by_the_profile():
    profile = HostProfile(changed={"/etc/docker/daemon.json": 5.0, "/etc/resolv.conf": 6.0})
    known = changes_before.known_changes(
        {HostProfile: profile, RecentChanges: RecentChanges((FILE,))}
    )
    assert known == (
        FILE,
        RecentChange(5.0, "/etc/docker/daemon.json", "file", HOST, "daemon"),
        RecentChange(6.0, "/etc/resolv.conf", "file", HOST, "dns"),
    )
    assert changes_before.known_changes({}) == ()
