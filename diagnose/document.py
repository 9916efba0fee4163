"""A report as a JSON value: a contract.

Additions yes, changes no. Its schema is `render/report.schema.json`, and `render.formats.json`
writes it.
"""

from collections.abc import Mapping

from diagnose import runbooks
from diagnose.judgement.signature import signature
from diagnose.model import (
    CauseLink,
    Coverage,
    HostProfile,
    Json,
    Report,
    Reported,
    Result,
    Severity,
    Verdict,
)
from diagnose.model.findings import number_of
from diagnose.phrases import rfc3339, rfc3339_if_known

SCHEMA_VERSION = 1
MOST_UNEXAMINED = 100
"""Subjects that a check names as unexamined. A run that is too short for 8,000 containers leaves
most of them to a hundred checks each: 112 MB of report, which took 2 s to write."""


def document(report: Report) -> dict[str, Json]:
    """The report as a JSON value."""
    by_key = {finding.key: finding for finding in report.findings}
    place = runbooks.Place.of(report)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "diagnose", "version": report.version},
        "host": _host(report),
        "taken_at": rfc3339(report.taken_at),
        "duration_s": report.duration_s,
        "source": report.source,
        "summary": _summary(report),
        "notes": list(report.notes),
        "coverage": [_coverage(part) for part in report.coverage],
        "parts_looked_at": [
            {"what": part.what, "examined": part.examined, "of": part.number}
            for part in report.parts_looked_at
        ],
        "findings": [_finding(finding, by_key, place) for finding in report.findings],
        "checks": [
            {
                "id": result.check.id,
                "verdict": result.verdict.value,
                "why": result.why,
                "duration_s": result.duration_s,
                "examined": result.examined,
                **_unexamined_row(result),
            }
            for result in report.results
        ],
    }


def _host(report: Report) -> dict[str, Json]:
    return {
        "name": report.host.name,
        "kernel": report.host.kernel,
        "engine": dict(report.host.engine) if report.host.engine is not None else None,
        "containers": report.host.containers,
        "running": report.host.running,
        "data_root": report.host.data_root,
        **_profile(report.profile),
    }


def _summary(report: Report) -> dict[str, int]:
    """How many findings there are of each severity, and checks of each other verdict."""
    number = report.by_severity
    verdict_counts = report.by_verdict
    other_verdicts = [verdict for verdict in Verdict if verdict is not Verdict.FOUND]
    return {
        "critical": number[Severity.critical],
        "warning": number[Severity.warning],
        "advice": number[Severity.advice],
        **{verdict.value: verdict_counts[verdict] for verdict in other_verdicts},
        "silenced": sum(1 for finding in report.findings if finding.silenced),
    }


def _unexamined_row(result: Result) -> dict[str, Json]:
    """The first subjects that a check could not look at, and how many more there are."""
    shown = result.unexamined[:MOST_UNEXAMINED]
    more = number_of(result.unexamined) - len(shown)
    return {
        "unexamined": [
            {
                "subject": {"kind": suspect.subject.kind, "name": suspect.subject.name},
                "why": suspect.why,
            }
            for suspect in shown
        ],
        **({"unexamined_more": more} if more > 0 else {}),
    }


def _profile(profile: HostProfile | None) -> dict[str, Json]:
    """The profile by which a fleet is compared. Empty where only some checks were run."""
    if profile is None:
        return {}
    return {
        "id": profile.machine or None,
        "site_name": profile.name or None,
        "labels": dict(profile.labels),
        "facts": dict(profile.facts),
        "changed": {path: rfc3339_if_known(moment) for path, moment in profile.changed.items()},
    }


def _links(finding: Reported, by_key: Mapping[str, Reported]) -> dict[str, Json]:
    """The causes of a finding, those that are possible, and those that are ruled out."""
    return {
        "caused_by": [
            {**_cause(by_key[link.cause]), "because": link.because, **_strength_of_link(link)}
            for link in finding.causes
            if link.cause in by_key
        ],
        "possibly_caused_by": [
            {**_cause(by_key[link.cause]), "because": link.because}
            for link in finding.possible
            if link.cause in by_key
        ],
        "not_caused_by": [
            {**_cause(by_key[suspect.cause]), "fact": suspect.fact}
            for suspect in finding.ruled_out
            if suspect.cause in by_key
        ],
    }


def _coverage(part: Coverage) -> dict[str, Json]:
    """The reach of one kind of evidence."""
    return {
        "traced": dict(part.traced),
        "families": sorted(part.families),
        "gap": part.gap or None,
        "pages": part.pages,
        "pages_left_out": part.pages_left_out,
        "proxies": list(part.proxies),
        "here_alone": list(part.here_alone),
    }


def _finding(
    finding: Reported, by_key: Mapping[str, Reported], place: runbooks.Place
) -> dict[str, Json]:
    return {
        "key": finding.key,
        "signature": signature(finding.id, finding.subject, finding.finding),
        "id": finding.id,
        "severity": str(finding.severity),
        "subject": {"kind": finding.subject.kind, "name": finding.subject.name},
        "summary": finding.finding.summary,
        "evidence": dict(finding.finding.evidence),
        "root": finding.root,
        **_links(finding, by_key),
        "onset": rfc3339_if_known(finding.finding.onset),
        "changed_before": [
            {"at": rfc3339_if_known(change.at), "text": change.text} for change in finding.changes
        ],
        "selected": finding.selected,
        "silenced": finding.silenced or None,
        "service": finding.finding.service or None,
        "made_by": finding.made_by or None,
        "runbook": f"runbooks/{finding.id}.md",
        "fix": [
            {"command": command.text, "risk": command.risk}
            for command in runbooks.commands(finding.id, finding.finding.variables, place)
        ],
    }


def _cause(finding: Reported) -> dict[str, Json]:
    subject = {"kind": finding.subject.kind, "name": finding.subject.name}
    return {"key": finding.key, "id": finding.id, "subject": subject}


def _strength_of_link(link: CauseLink) -> dict[str, Json]:
    return {"strength": str(link.strength), "jointly": link.jointly}
