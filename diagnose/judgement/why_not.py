"""Why a finding is what it is on this host.

Its causes, what curing it would change, and what clears each other suspect. Pure.
"""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.judgement.causes import began_later, earliest_begin
from diagnose.model import CauseLink, Check, Report, Reported
from diagnose.phrases import duration, joined


class Suspect(msgspec.Struct, frozen=True):
    """Another finding that could explain this one by its check, and the one fact that clears it."""

    name: str
    """Id and subject."""
    fact: str


class Explained(msgspec.Struct, frozen=True):
    """One finding with all that is known of its causes."""

    finding: Reported
    causes: tuple[CauseLink, ...]
    changes: tuple[CauseLink, ...]
    """The links to what a cure would end as well."""
    cleared: tuple[Suspect, ...]
    absent: tuple[str, ...]
    """Ids of declared causes that were looked for and are not there."""
    unseen: tuple[tuple[str, str], ...]
    """Those that could not be judged, each with the reason."""


def explanations(id: str, report: Report) -> tuple[Explained, ...]:
    """Each finding of this check in the report; none where the check found nothing."""
    return tuple(
        _explained_finding(finding, report) for finding in report.findings if finding.id == id
    )


def _explained_finding(finding: Reported, report: Report) -> Explained:
    """A finding with its causes, and the causes that are ruled out or were not seen."""
    ids = {other.id for other in report.findings}
    absent = []
    unseen = []
    for result in report.results:
        if result.check.id in ids or not _declares(result.check, finding.check):
            continue
        if result.is_unjudged:
            unseen.append((result.check.id, result.why.splitlines()[-1] if result.why else ""))
        else:
            absent.append(result.check.id)
    return Explained(
        finding,
        causes=(*finding.causes, *finding.possible),
        changes=tuple(_changes(finding, report)),
        cleared=tuple(_cleared_suspects(finding, report)),
        absent=tuple(absent),
        unseen=tuple(unseen),
    )


def _declares(cause: Check, effect: Check) -> bool:
    return cause.id in effect.caused_by or effect.id in cause.causes


def _changes(finding: Reported, report: Report) -> Iterator[CauseLink]:
    """The links from the finding down to what it explains, directly or not, each effect once."""
    keys_so_far = {finding.key}
    open_ends = [finding.key]
    while open_ends:
        key = open_ends.pop(0)
        for effect in report.findings:
            for link in effect.causes:
                if link.cause == key and effect.key not in keys_so_far:
                    keys_so_far.add(effect.key)
                    open_ends.append(effect.key)
                    yield link


def _cleared_suspects(finding: Reported, report: Report) -> Iterator[Suspect]:
    linked = {link.cause for link in (*finding.causes, *finding.possible)}
    facts: Mapping[str, str] = {suspect.cause: suspect.fact for suspect in finding.ruled_out}
    for suspect in report.findings:
        is_other = suspect.key != finding.key and suspect.key not in linked
        if is_other and (suspect.key in facts or _declares(suspect.check, finding.check)):
            fact = facts.get(suspect.key) or why_unlinked(suspect, finding)
            yield Suspect(f"{suspect.id} ({suspect.subject.name})", fact)


def why_unlinked(suspect: Reported, effect: Reported) -> str:
    """Why a declared cause was not even linked with an effect.

    It began later, other words were printed, or nothing is shared.
    """
    began = earliest_begin(suspect)
    onset_of_effect = effect.finding.onset
    if began is not None and onset_of_effect is not None and began_later(suspect, effect):
        return f"it began {duration(began - onset_of_effect)} later"
    brings = suspect.finding.signs
    shows = effect.finding.signs
    if brings and shows is not None and not brings & shows:
        printed = joined(sorted(shows)) if shows else "none of them"
        return (
            f"it brings errors of the kind {joined(sorted(brings))}, "
            f"and {effect.subject.name} shows {printed}"
        )
    return (
        f"it is about {suspect.subject.kind} {suspect.subject.name}, "
        f"which {effect.subject.name} does not depend on"
    )
