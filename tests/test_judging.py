"""The helper that tests of checks stand on."""

from __future__ import annotations

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, EvidenceGroup, Finding, Need, Unavailable, Verdict
from diagnose.registry import _signature, _taking_each_need
from tests.inspected import container, of
from tests.judging import judge, rows


def test_findings_are_rows_of_severity_and_subject():
    paused = container("web", State={"Status": "paused", "Paused": True})
    assert rows(judge("container.paused", containers=of(paused), clock=CLOCK)) == [
        ("warning", "web")
    ]


def test_required_evidence_that_is_not_given_is_unknown():
    assert judge("container.paused").verdict is Verdict.UNKNOWN


def test_unknown_evidence_is_refused():
    with pytest.raises(TypeError, match="takes"):
        judge("container.paused", nonsense=1)


CLOCK = Clock(wall=1.8e9, booted=1.7e9)


class Colour:
    """Evidence of this test alone."""


def without_reason(colour: Colour | None) -> CheckResult:
    yield from ()


def with_reason(colour: Colour | Unavailable) -> CheckResult:
    yield from ()


def test_missing_evidence_arrives_as_none_unless_the_reason_is_read():
    missing = Unavailable("forbidden")
    (plain,), _ = _signature(without_reason)
    (reader,), _ = _signature(with_reason)
    assert plain == Need("colour", Colour, optional=True, reads_reason=False)
    assert reader == Need("colour", Colour, optional=True, reads_reason=True)
    assert plain.argument(missing) is None
    assert reader.argument(missing) is missing


class Surroundings(EvidenceGroup, frozen=True):
    """Evidence that the functions of a check take together."""

    colour: Colour | None
    clock: Clock


def in_surroundings(around: Surroundings) -> CheckResult:
    yield from (around.colour, around.clock)  # type: ignore[misc]


def test_each_field_of_a_group_is_a_need_of_its_own():
    needs, _ = _signature(in_surroundings)
    assert needs == (
        Need("colour", Colour, optional=True, reads_reason=False),
        Need("clock", Clock, optional=False, reads_reason=True),
    )


def test_a_group_is_put_together_from_its_needs():
    assert list(_taking_each_need(in_surroundings)(colour=None, clock=CLOCK)) == [None, CLOCK]


def test_a_finding_about_a_container_names_it():
    web = container(
        "web",
        Config={
            "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
        },
    )
    finding = Finding.about(web, 'container "web" fails', {}, variables={"port": "80"})
    assert finding.subject == web.subject
    assert finding.service == web.service
    assert finding.variables == {"container": "web", "port": "80"}
