"""The report: findings with their causes and silences, and its head."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from diagnose.judgement import (
    causes,
    changes_before,
    coincidence,
    lone_failures,
    proof,
    selection,
    silences,
)
from diagnose.judgement.deadline import TimeIsUpError, at_most
from diagnose.judgement.judge import Thresholds, judge
from diagnose.judgement.silences import Silence
from diagnose.model import (
    NOT_IN_BUNDLE,
    Check,
    Finding,
    Report,
    ReportBasis,
    Reported,
    Result,
    Severity,
)
from diagnose.model.subjects import DAEMON, Subject, container
from diagnose.recording.budget import Budget
from diagnose.version import __version__

LINKING_S = 0.15
"""Seconds for linking and proving causes at least."""
UNLINKED = "the time limit was reached before all causes were linked and checked"
"""The note of a report whose findings stand without causes."""
UNPROVEN = "the time limit was reached before all causes were checked"
"""The note of a report whose causes are linked, and not proven."""


class Run(msgspec.Struct, frozen=True):
    """The checks of a run, with its thresholds and silences."""

    checks: Mapping[str, Check]
    """All known checks by id."""
    selected: Sequence[str]
    """The ids of those that count."""
    containers: tuple[str, ...] = ()
    """Names or ids of the containers that the report is about; none for all."""
    thresholds: Thresholds = msgspec.field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    uncollected: tuple[str, ...] = ()
    """Evidence kinds that the recorded run had no time to collect, though the recording may hold
    their answers."""
    unjudged: tuple[str, ...] = ()
    """The ids of the checks that the recorded run had no time to judge."""
    is_unlinked: bool = False
    """Whether the recorded run had no time to link findings with their causes."""
    is_unproven: bool = False
    """Whether the recorded run had no time to prove the causes."""
    source: Literal["live", "bundle"] = "live"
    notes: tuple[str, ...] = ()
    profile: bool = False
    """Whether the report tells what distinguishes this host from others; only runs of all checks
    have the evidence anyway."""
    shown: tuple[type, ...] = ()
    """Evidence kinds that the renderer draws, beside those that the checks need."""


def key(check: Check, finding: Finding) -> str:
    """The finding's key, stable over runs: id, subject, and the discriminator if there is one."""
    tail = f"#{finding.discriminator}" if finding.discriminator else ""
    return f"{check.id}@{finding.subject}{tail}"


def _severity(check: Check, finding: Finding, leftovers: frozenset[Subject]) -> Severity:
    """How bad a finding is; one about leftovers, or about the engine for their sake, is advice.

    What is wrong with the engine itself, or with a disk, touches that too.
    """
    concerned = finding.touches if finding.subject == DAEMON else (finding.subject,)
    if concerned and leftovers.issuperset(concerned):
        return Severity.advice
    return finding.severity or check.severity


def reported(
    results: Sequence[Result],
    basis: ReportBasis,
    what: Run,
    host: proof.Alternative | None = None,
    budget: Budget | None = None,
) -> Report:
    """The report of judged checks: causes linked and proven, silences applied, the head filled.

    host: the evidence that causes are proven on; None leaves them unproven. Where the budget is
    spent before they are, the report says so.
    """
    findings = [
        _reported_finding(result.check, finding, basis, what)
        for result in results
        for finding in result.findings
    ]
    linked, notes = _linked_findings(findings, basis, what, host, budget or Budget.unlimited())
    linked = lone_failures.with_warnings(linked)
    linked = changes_before.with_changes(linked, basis.changes, basis.now)
    labels = silences.of_labels(basis.labels)
    shown_findings, expired = silences.apply(
        _selected_and_causes(linked, what, basis.names or {}), (*what.silences, *labels), basis.now
    )
    return Report(
        version=__version__,
        host=basis.head,
        taken_at=basis.now,
        duration_s=0.0,
        source=what.source,
        findings=shown_findings,
        results=_selected_results(results, what),
        docker=basis.docker,
        traits=basis.traits,
        notes=(
            *_not_seen(results, what),
            *(_too_short(results, shown_findings, budget) if what.source == "live" else ()),
            *(*what.notes, *basis.notes, *filter(None, [basis.hint]), *notes, *expired),
        ),
        container_names=basis.names,
        restarting=basis.restarting,
        engine_restart=basis.engine_restart,
        changes=changes_before.latest_changes(basis.changes, basis.now),
    )


def _reported_finding(check: Check, finding: Finding, basis: ReportBasis, what: Run) -> Reported:
    """A finding as the report has it, before it is linked to its causes."""
    return Reported(
        key(check, finding),
        check,
        _severity(check, finding, basis.leftovers),
        finding,
        selected=check.id in what.selected,
        made_by=basis.made_by.get(finding.subject, ""),
    )


def _selected_results(results: Sequence[Result], what: Run) -> tuple[Result, ...]:
    """The results of the checks that the user has selected, by id."""
    ids = set(what.selected)
    selected = [result for result in results if result.check.id in ids]
    return tuple(sorted(selected, key=lambda result: result.check.id))


def _not_seen(results: Sequence[Result], what: Run) -> list[str]:
    """Notes that a bundle does not hold what all of its checks need, and that the user who ran the
    tool may not see what they need."""
    reasons = Counter(result.missing.reason for result in results if result.missing is not None)
    not_in_bundle = sum(reasons[reason] for reason in NOT_IN_BUNDLE)
    forbidden = reasons["forbidden"]
    notes = []
    if what.source == "bundle" and not_in_bundle:
        notes.append(
            f"this bundle is incomplete: {not_in_bundle} of {len(results)} checks could not run on it"
        )
    if forbidden:
        notes.append(
            f"{forbidden} of {len(results)} checks need rights that this user lacks: run diagnose as root"
        )
    return notes


def _too_short(
    results: Sequence[Result], findings: Sequence[Reported], budget: Budget | None
) -> Sequence[str]:
    """A note that a longer run would judge more; not where the engine is what takes the time."""
    unfinished = sum(
        result.missing is not None and result.missing.reason == "budget" for result in results
    )
    if budget is None or not unfinished or any(finding.is_outage for finding in findings):
        return ()
    note = (
        f"{unfinished} of {len(results)} checks had no answer within the time limit: "
        f"run the tool again with --budget {budget.longer}"
    )
    return (note,)


class _Linked(NamedTuple):
    """The findings of a report in their order."""

    findings: Sequence[Reported]
    notes: tuple[str, ...]
    """What there is to say about them together."""


def _linked_findings(
    findings: Sequence[Reported],
    basis: ReportBasis,
    what: Run,
    host: proof.Alternative | None,
    budget: Budget,
) -> _Linked:
    """The findings with their causes, as far as there is time."""
    in_order: Sequence[Reported] = sorted(findings, key=lambda finding: -finding.severity)
    so_far = _Linked(in_order, (UNLINKED,))
    ends = max(budget.ends_for(len(findings)), budget.at_least(LINKING_S))
    try:
        with at_most(ends - time.monotonic()):
            if what.is_unlinked:
                return so_far
            linked = causes.link(findings, basis.stands_on)
            so_far = _Linked(linked, (UNPROVEN,))
            if what.is_unproven:
                return so_far
            if host is not None:
                linked = proof.proven(
                    linked, host, lambda check, cause: judge(check, cause, what.thresholds)
                )
            return _Linked(linked, coincidence.notes(linked, basis.stands_on))
    except TimeIsUpError:
        return so_far


def _selected_and_causes(
    findings: Sequence[Reported], what: Run, names: Mapping[str, str]
) -> tuple[Reported, ...]:
    """The selected findings and their causes.

    With containers named, only what is about them, and its causes.

    An engine that does not work is about every container.
    """
    by_key = {finding.key: finding for finding in findings}
    chosen_containers = _named_containers(what.containers, names)

    def is_about(finding: Reported) -> bool:
        return (
            not chosen_containers
            or finding.is_outage
            or not chosen_containers.isdisjoint({finding.subject, *finding.finding.touches})
        )

    keys: set[str] = set()
    open_ends = [finding for finding in findings if finding.selected and is_about(finding)]
    while open_ends:
        finding = open_ends.pop()
        if finding.key not in keys:
            keys.add(finding.key)
            open_ends.extend(by_key[link.cause] for link in finding.causes)
    return tuple(
        finding if is_about(finding) else replace(finding, selected=False)
        for finding in findings
        if finding.key in keys
    )


def _named_containers(words: Iterable[str], names: Mapping[str, str]) -> set[Subject]:
    """The containers that the user named."""
    return {
        container(name)
        for word in words
        for name in selection.called(word, names) or (word.removeprefix("/"),)
    }
