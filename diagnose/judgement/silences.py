"""Silences: findings that someone has decided to live with, with a reason and perhaps an end date.

Pure.
"""

import fnmatch
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from diagnose.model import Reported, Severity
from diagnose.phrases import utc

LABEL = "diagnose.silence"
"""The container label: `ID[, ID...]: reason`, ids may be globs."""


class Silence(msgspec.Struct, frozen=True):
    """One entry of the configuration that silences findings.

    Id glob, subject glob, the reason, the last day on which it holds, and its place in a file.
    """

    id: str
    reason: str
    subject: str = "*"
    until: date | None = None
    source: str = ""

    def expired(self, now: float) -> bool:
        return self.until is not None and utc(now).date() > self.until

    def covers(self, finding: Reported) -> bool:
        return fnmatch.fnmatchcase(finding.id, self.id) and any(
            fnmatch.fnmatchcase(name, self.subject)
            for name in (finding.subject.name, str(finding.subject))
        )


def of_labels(labels: Mapping[str, Mapping[str, str]]) -> tuple[Silence, ...]:
    """The silences that containers carry as labels, by container name."""
    silences = []
    for name, pairs in labels.items():
        ids, _, reason = pairs.get(LABEL, "").partition(":")
        why = reason.strip() or "no reason given"
        check_ids = filter(None, (part.strip() for part in ids.split(",")))
        silences += [
            Silence(pattern, why, f"container:{name}", source="label") for pattern in check_ids
        ]
    return tuple(silences)


class Silenced(NamedTuple):
    """All findings, those that a silence covers with its reason."""

    findings: tuple[Reported, ...]
    notes: tuple[str, ...]
    """One for each expired silence that would have held."""


def apply(findings: Iterable[Reported], silences: Iterable[Silence], now: float) -> Silenced:
    """Mark the silenced findings, each with the reason.

    A label silences neither `security.*` nor anything critical: whoever may set it is whom such a
    finding is about.
    """
    all_silences = tuple(silences)
    configured = [silence for silence in all_silences if silence.source != "label"]
    by_subject: dict[str, list[Silence]] = {}
    for silence in all_silences:
        if silence.source == "label":
            by_subject.setdefault(silence.subject, []).append(silence)
    remaining = []
    notes = dict[str, None]()
    for finding in findings:
        reason = ""
        # a label may silence neither a security finding nor a critical one
        too_grave = finding.check.family == "security" or finding.severity is Severity.critical
        for silence in (*configured, *by_subject.get(str(finding.subject), ())):
            if not silence.covers(finding) or (silence.source == "label" and too_grave):
                continue
            if silence.expired(now):
                ended = f"the silence of {silence.id} for {silence.subject} ended"
                notes[f"{ended} on {silence.until}: {silence.reason}"] = None
                continue
            reason = silence.reason
            break
        remaining.append(replace(finding, silenced=reason) if reason else finding)
    return Silenced(tuple(remaining), tuple(notes))
