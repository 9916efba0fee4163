"""Advice that becomes a warning where nothing explains it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.judgement.lone_failures import with_warnings
from diagnose.model import HOST, CauseLink, Check, Finding, Reported, Severity, Subject, container

API, DB = container("api"), container("db")
NETWORK = Subject("network", "shop")


def found(
    subject: Subject,
    severity: Severity = Severity.critical,
    *,
    lone: bool = False,
    linked: bool = False,
    posture: bool = False,
    calls: tuple[Subject, ...] = (),
) -> Reported:
    check = Check(
        "x.y",
        "T.",
        severity,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=(),
        causes=(),
        posture=posture,
    )
    finding = Finding(subject, "s", {}, calls=calls, does_nothing_else=lone)
    links = (CauseLink("x.y@db", "key", "it is called"),) if linked else ()
    return Reported(f"{subject}{severity}", check, severity, finding, causes=links)


LONE = found(API, Severity.advice, lone=True)
OTHERS: dict[str, tuple[list[Reported], bool]] = {
    "nothing else": ([], True),
    "advice about it": ([found(API, Severity.advice)], True),
    "another container fails": ([found(DB)], True),
    "the container fails": ([found(API)], False),
    "a container that calls it fails": ([found(DB, calls=(API,))], False),
    "a problem of the host": ([found(HOST)], False),
    "a problem of a network": ([found(NETWORK, Severity.warning)], False),
    "a setting of the host": ([found(HOST, Severity.warning, posture=True)], True),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_lone_failure_is_a_warning_where_nothing_may_explain_it(name: str) -> None:
    others, expected = OTHERS[name]
    severities = [
        finding.severity
        for finding in with_warnings([*others, LONE])
        if finding.finding.does_nothing_else
    ]
    assert severities == [Severity.warning if expected else Severity.advice]


@pytest.mark.parametrize(
    ("check", "expected"),
    [("dns.host-broken", True), ("firewall.forward-dropped", True), ("storage.disk-full", False)],
)
def test_no_broken_way_explains_a_fault_of_what_a_program_has(check: str, expected: bool) -> None:
    problem = found(HOST)
    problem = replace(problem, check=replace(problem.check, id=check))
    own = replace(LONE, finding=replace(LONE.finding, is_own_fault=True))
    called = found(DB, Severity.advice, lone=True)
    severities = {
        finding.subject: finding.severity for finding in with_warnings([problem, own, called])
    }
    assert severities[API] == (Severity.warning if expected else Severity.advice)
    assert severities[DB] == Severity.advice


def test_what_has_a_cause_stays_as_it_is() -> None:
    linked = found(API, Severity.advice, lone=True, linked=True)
    assert [finding.severity for finding in with_warnings([linked])] == [Severity.advice]


def test_the_worst_stays_first() -> None:
    advice = found(DB, Severity.advice)
    assert [finding.severity.name for finding in with_warnings([found(DB), advice, LONE])] == [
        "critical",
        "warning",
        "advice",
    ]
