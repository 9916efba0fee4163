"""Why a finding is there, on the recorded broken host: its causes, what a cure changes, what clears
each other suspect."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from diagnose import registry
from diagnose.judgement.why_not import Explained, explanations
from diagnose.model import Report
from diagnose.questions.run import Options
from diagnose.render import here
from diagnose.session import diagnose

BROKEN = Path(__file__).parents[2] / "fixtures" / "broken_host.fifteen_faults@26.1"


@pytest.fixture(scope="module")
def report() -> Report:
    return diagnose(
        registry.load, None, Options(source=BROKEN, budget_s=60), began=time.monotonic()
    )


def about(report: Report, id: str, name: str) -> Explained:
    return next(
        finding for finding in explanations(id, report) if finding.finding.subject.name == name
    )


def test_a_silent_server_is_cleared_of_the_firewall_by_what_the_host_gets_from_it(report: Report):
    lost = about(report, "dns.upstream-unreachable", "lost")
    facts = {suspect.name: suspect.fact for suspect in lost.cleared}
    assert lost.causes == ()
    assert (
        facts["firewall.forwarding-off (host)"]
        == "the host itself gets no answer from 192.0.2.253 either"
    )
    assert "network.conntrack-full" in lost.absent


def test_a_cause_lists_what_its_cure_would_end(report: Report):
    off = about(report, "firewall.forwarding-off", "host")
    assert {(link.effect.partition("@")[0], link.jointly) for link in off.changes} == {
        ("dns.upstream-unreachable", True)
    }


def test_what_printed_something_else_clears_a_suspect(report: Report):
    legacy = about(report, "container.exits-at-start", "legacy")
    assert [link.cause.partition("@")[0] for link in legacy.causes] == ["container.exec-format"]
    fact = next(
        suspect.fact for suspect in legacy.cleared if suspect.name.startswith("storage.disk-full")
    )
    assert fact == "it brings errors of the kind no-space, and legacy shows exec-format"


def test_the_page_of_what_is_not_found_says_so(report: Report):
    shown = io.StringIO()
    here.render("swarm.quorum-lost", report, shown, color=False, width=100)
    assert "not found here (skipped" in shown.getvalue()
