"""Proof of causes on a made-up pack: a valve and a pump, and what flows."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace

from diagnose import registry
from diagnose.judgement import proof
from diagnose.judgement.judge import judge as judge_check
from diagnose.model import (
    HOST,
    ON_ALL,
    CauseLink,
    Check,
    CheckResult,
    Edit,
    Finding,
    Focus,
    Outcome,
    Reported,
    Result,
    Severity,
    Strength,
    Subject,
    Unexamined,
)
from tests.hosts import Made


class Valve(msgspec.Struct, frozen=True):
    """Whether the valve is open."""

    is_open: bool


class Pump(msgspec.Struct, frozen=True):
    """Whether the pump runs."""

    runs: bool


class Flow(msgspec.Struct, frozen=True):
    """What arrives, by the valve and the pump."""

    litres: int


def flow(valve: Valve, pump: Pump) -> Flow:
    return Flow(10 if valve.is_open and pump.runs else 0)


def dry(flow: Flow) -> CheckResult:
    """Nothing arrives."""
    if not flow.litres:
        yield Finding(HOST, "nothing arrives", {"litres": flow.litres})


def complaint(valve: Valve) -> CheckResult:
    """A user complains."""
    yield Finding(HOST, "a user complains", {"call": 1})


def opened() -> Edit:
    return {Valve: Valve(is_open=True)}


def running() -> Edit:
    return {Pump: Pump(runs=True)}


def hears(finding: Finding, flow: Flow) -> Outcome:
    if flow.litres:
        return Outcome(vanishes=True)
    return Outcome(vanishes=False, fact="nothing arrives")


SHUT = Subject("daemon", "valve")
OFF = Subject("daemon", "pump")


@pytest.fixture
def pack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    registry.import_edits()  # into the registry itself, and not into what is in its place here
    monkeypatch.setattr(registry, "_evidence", {**registry._evidence, Flow: flow})
    monkeypatch.setattr(registry, "_edits", {"test.shut": opened, "test.off": running})
    monkeypatch.setattr(registry, "_predictions", {})
    registry._stands_on.cache_clear()
    yield
    registry._stands_on.cache_clear()


OBSERVED = {"test.loop", "test.sick"}
"""Checks whose findings repeat what somebody met."""


def check(id: str, function: object = None) -> Check:
    needs = registry.needs_of(function) if callable(function) else ()
    plain = Check(
        id,
        "",
        Severity.critical,
        function,
        needs,
        thresholds=(),
        caused_by=(),
        causes=(),
        posture=False,
    )  # type: ignore[arg-type]
    return replace(plain, observed=id in OBSERVED)


DRY = check("test.dry", dry)


def cause(id: str, subject: Subject, severity: Severity = Severity.warning) -> Reported:
    return Reported(f"{id}@{subject}", check(id), severity, Finding(subject, id, {"x": 1}))


def effect(of: Check, *causes: Reported, is_specific: bool = False) -> Reported:
    key = f"{of.id}@{HOST}"
    links = tuple(CauseLink(cause.key, key, "same host", is_specific) for cause in causes)
    return Reported(key, of, Severity.critical, Finding(HOST, "effect", {"x": 1}), links)


def judged(*findings: Reported, valve: bool = False, pump: bool = True) -> dict[str, Reported]:
    collected = {Valve: Valve(valve), Pump: Pump(pump), Flow: Flow(10 if valve and pump else 0)}
    host = proof.Alternative(Made({}), collected)

    def judge(one: Check, evidence: object) -> Result:
        return judge_check(one, evidence, {})  # type: ignore[arg-type]

    return {finding.id: finding for finding in proof.proven(findings, host, judge)}


@pytest.mark.usefixtures("pack")
def test_an_effect_that_vanishes_without_the_cause_is_proven_and_raises_its_root():
    shut = cause("test.shut", SHUT)
    report = judged(shut, effect(DRY, shut))
    assert [link.strength for link in report["test.dry"].causes] == [Strength.proven]
    assert report["test.shut"].severity is Severity.critical


@pytest.mark.usefixtures("pack")
def test_an_effect_that_stays_is_a_root_and_says_what_clears_the_suspect():
    shut, off = cause("test.shut", SHUT), cause("test.off", OFF)
    report = judged(shut, off, effect(DRY, shut, off), valve=True, pump=False)
    assert [link.cause for link in report["test.dry"].causes] == [off.key]
    assert [suspect.cause for suspect in report["test.dry"].ruled_out] == [shut.key]
    assert report["test.shut"].severity is Severity.warning


@pytest.mark.usefixtures("pack")
def test_two_causes_that_both_must_be_cured():
    shut, off = cause("test.shut", SHUT), cause("test.off", OFF)
    report = judged(shut, off, effect(DRY, shut, off), pump=False)
    assert {link.cause for link in report["test.dry"].causes} == {shut.key, off.key}
    assert all(
        link.jointly and link.strength is Strength.proven for link in report["test.dry"].causes
    )


@pytest.mark.usefixtures("pack")
def test_a_cause_that_nothing_is_known_of_counts_by_its_text():
    other = cause("test.other", SHUT)
    by_text = judged(other, effect(DRY, other, is_specific=True))["test.dry"]
    assert [link.strength for link in by_text.causes] == [Strength.likely]
    by_place = judged(other, effect(DRY, other))["test.dry"]
    assert by_place.root
    assert [link.strength for link in by_place.possible] == [Strength.possible]


@pytest.mark.usefixtures("pack")
def test_an_observation_is_foreseen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry, "_predictions", {"test.complaint": hears})
    shut = cause("test.shut", SHUT)
    observed = check("test.complaint", complaint)
    assert (
        judged(shut, effect(observed, shut))["test.complaint"].causes[0].strength is Strength.proven
    )
    stays = judged(shut, effect(observed, shut), pump=False)["test.complaint"]
    assert stays.root
    assert stays.ruled_out[0].fact == "nothing arrives"


@pytest.mark.usefixtures("pack")
def test_evidence_that_no_edit_reaches_is_not_collected_again():
    host = proof.Alternative(Made({}), {Valve: Valve(is_open=True)}).edited({Pump: Pump(runs=True)})
    assert not host.changes(Valve)
    assert host.changes(Flow)
    assert host.get(Flow) == Flow(10)


class Tap(msgspec.Struct, frozen=True):
    """One of the places where something is to arrive."""

    subject: Subject


TAPS = tuple(Tap(Subject("container", name)) for name in ("kitchen", "bath"))


def dry_taps(flow: Flow, focus: Focus | None) -> CheckResult:
    """Nothing arrives at a tap."""
    for tap in (focus or ON_ALL).of(TAPS):
        ASKED.append(tap.subject.name)
        if not flow.litres:
            yield Finding(tap.subject, "nothing arrives", {"litres": flow.litres})
        if tap.subject.name == "bath":
            yield Unexamined(tap.subject, "nobody is at home")


ASKED: list[str] = []


@pytest.mark.usefixtures("pack")
def test_a_check_is_judged_again_for_the_one_subject_of_the_effect():
    ASKED.clear()
    shut = cause("test.shut", SHUT)
    of_taps = check("test.taps", dry_taps)
    kitchen, bath = (
        Reported(
            f"{of_taps.id}@{tap.subject}",
            of_taps,
            Severity.critical,
            Finding(tap.subject, "effect", {"x": 1}),
            (CauseLink(shut.key, f"{of_taps.id}@{tap.subject}", "same host", is_specific=True),),
        )
        for tap in TAPS
    )
    host = proof.Alternative(
        Made({}), {Valve: Valve(is_open=False), Pump: Pump(runs=True), Flow: Flow(0)}
    )
    findings = proof.proven(
        (shut, kitchen, bath), host, lambda one, evidence: judge_check(one, evidence, {})
    )
    by_key = {finding.key: finding for finding in findings}
    assert by_key[kitchen.key].causes[0].strength is Strength.proven
    # a subject that the check leaves out may be as dry as before
    assert by_key[bath.key].causes[0].strength is Strength.likely
    assert ASKED == ["kitchen", "bath"]


def said(
    id: str, subject: Subject, *causes: Reported, signs: str = "", calls: tuple[Subject, ...] = ()
) -> Reported:
    """A finding that repeats what was printed, linked with its causes."""
    key = f"{id}@{subject}"
    links = tuple(CauseLink(cause.key, key, "same thing", is_specific=True) for cause in causes)
    finding = Finding(subject, id, {"x": 1}, signs=frozenset(signs.split()), calls=calls)
    return Reported(key, check(id), Severity.critical, finding, links)


SHOP, DATABASE = Subject("container", "shop"), Subject("container", "database")
NET = Subject("network", "net")


def strengths(finding: Reported) -> dict[str, tuple[str, bool]]:
    return {
        link.cause.partition("@")[0]: (link.strength.name, link.jointly) for link in finding.causes
    }


@pytest.mark.usefixtures("pack")
def test_an_error_that_only_one_cause_brings_is_proven_by_the_words():
    full = said("test.full", NET, signs="no-space")
    assert strengths(
        judged(full, said("test.loop", SHOP, full, signs="no-space"))["test.loop"]
    ) == {"test.full": ("proven", False)}


@pytest.mark.usefixtures("pack")
def test_words_that_may_have_many_reasons_prove_nothing():
    dropped = said("test.dropped", NET, signs="timeout")
    assert strengths(
        judged(dropped, said("test.loop", SHOP, dropped, signs="timeout"))["test.loop"]
    ) == {"test.dropped": ("likely", False)}


@pytest.mark.usefixtures("pack")
def test_of_two_causes_with_the_same_words_both_must_be_cured():
    full, quota = (
        said("test.full", NET, signs="no-space"),
        said("test.quota", SHOP, signs="no-space"),
    )
    loop = judged(full, quota, said("test.loop", SHOP, full, quota, signs="no-space"))["test.loop"]
    assert strengths(loop) == {"test.full": ("proven", True), "test.quota": ("proven", True)}


@pytest.mark.usefixtures("pack")
def test_a_second_cause_that_follows_from_the_first_goes_with_it():
    full = said("test.full", NET, signs="no-space")
    sick = said("test.sick", DATABASE, full, signs="no-space")
    loop = judged(full, sick, said("test.loop", SHOP, full, sick, signs="no-space"))["test.loop"]
    assert strengths(loop) == {"test.full": ("proven", False), "test.sick": ("proven", False)}


@pytest.mark.usefixtures("pack")
@pytest.mark.parametrize(
    ("signs", "strength"), [("refused", "proven"), ("", "proven"), ("open-files", "likely")]
)
def test_who_names_a_container_that_fails_and_gets_no_answer(signs: str, strength: str):
    database = said("test.sick", DATABASE)
    loop = judged(database, said("test.loop", SHOP, database, signs=signs, calls=(DATABASE,)))[
        "test.loop"
    ]
    assert strengths(loop) == {"test.sick": (strength, False)}
