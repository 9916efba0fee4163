"""One report as a fleet is compared by it: who, when, which roots, which facts.

Nothing of it is trusted.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from diagnose.compare import BLIND
from diagnose.document import SCHEMA_VERSION
from diagnose.fleet.packed import Packed, Unusable
from diagnose.fleet.sources import unpacked
from diagnose.judgement.signature import without_ids
from diagnose.model import Severity
from diagnose.phrases import unix
from diagnose.registry import SEVERITIES

LONGEST_NAME = 200
LONGEST_SUMMARY = 1000
MOST_FACTS = 1000
MOST_FINDINGS = 100_000
_ID = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")


class _Subject(msgspec.Struct):
    kind: str
    name: str


class _RawCause(msgspec.Struct):
    key: str


class _Fix(msgspec.Struct):
    command: str
    risk: Literal["safe", "disruptive", "destructive"]


class _RawFinding(msgspec.Struct):
    key: str
    id: str
    severity: Literal["advice", "warning", "critical"]
    subject: _Subject
    summary: str
    root: bool
    caused_by: list[_RawCause] = []
    signature: str = ""
    onset: str | None = None
    selected: bool = True
    silenced: str | None = None
    fix: list[_Fix] = []

    @property
    def counts(self) -> bool:
        return self.selected and not self.silenced and self.severity != "advice"


class _RawCheck(msgspec.Struct):
    id: str
    verdict: str


class _Host(msgspec.Struct):
    name: str
    id: str | None = None
    site_name: str | None = None
    labels: dict[str, str] = {}
    facts: dict[str, str] | None = None
    changed: dict[str, str] = {}


class _RawReport(msgspec.Struct):
    schema_version: int
    host: _Host
    taken_at: str
    findings: list[_RawFinding]
    checks: list[_RawCheck]


class Fact(msgspec.Struct, frozen=True):
    """A property of a host by which it is compared: its name and its value."""

    name: str
    value: str


class HostName(msgspec.Struct, frozen=True, order=True):
    """The identity of a host.

    Cloned machines share a machine id, and names are reused, so that only both together identify a
    host.
    """

    name: str
    machine: str = ""


class Root(msgspec.Struct, frozen=True):
    """A root finding above advice, with the ids of what it explains."""

    id: str
    severity: Severity
    signature: str
    summary: str
    onset: float | None
    effects: frozenset[str]
    fix: str
    """The report's own fix of least risk. It is shown only where the page of the check has it too.
    """
    risk: str


class HostReport(msgspec.Struct, frozen=True):
    """The contents of one host's report."""

    host: HostName
    place: str
    taken_at: float
    labels: Mapping[str, str]
    facts: tuple[Fact, ...] | None
    """None where the report has none: an older version, or a run of few checks."""
    changed: Mapping[str, float]
    """Unix time of the last change of a file, by path."""
    roots: tuple[Root, ...]
    found: frozenset[str]
    """The ids of all findings above advice, roots or not."""
    blind: frozenset[str]
    """The ids of the checks that could not look."""
    seen: frozenset[str]
    """The ids of the checks that could."""


class Reader:
    """Reads reports. Texts that many of them share are kept once."""

    def __init__(self, *, by_file: bool = False) -> None:
        """by_file: a host is named as its file is, and not as its report says."""
        self._by_file = by_file
        self._decoder = msgspec.json.Decoder(_RawReport)
        self._texts: dict[str, str] = {}
        self._facts: dict[Fact, Fact] = {}
        self._ids: dict[frozenset[str], frozenset[str]] = {}

    def report(self, packed: Packed) -> HostReport | Unusable:
        """The report in a file, or why it is none."""
        data = unpacked(packed)
        if isinstance(data, Unusable):
            return data
        if not data.strip():
            return Unusable(packed.place, "is empty")
        try:
            raw = self._decoder.decode(data)
        except msgspec.ValidationError as error:
            return _unreadable_report(packed.place, data, error)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            cut_off = "truncated" in str(error)
            return Unusable(packed.place, "is cut off in the middle" if cut_off else "is not JSON")
        why = _objection(raw)
        return Unusable(packed.place, why) if why else self._kept_report(packed.place, raw)

    def _kept_report(self, place: str, raw: _RawReport) -> HostReport:
        """The part of one report that a fleet compares."""
        counted = [finding for finding in raw.findings if finding.counts]
        effects = _effects(counted)
        return HostReport(
            host=self._name(place, raw.host),
            place=place,
            taken_at=unix(raw.taken_at) or 0.0,
            labels={self._text(name): self._text(value) for name, value in raw.host.labels.items()},
            facts=self._host_facts(raw.host),
            changed=self._changed_files(raw.host),
            roots=tuple(self._root(finding, effects) for finding in counted if finding.root),
            found=self._shared_ids(finding.id for finding in counted),
            blind=self._shared_ids(check.id for check in raw.checks if check.verdict in BLIND),
            seen=self._shared_ids(check.id for check in raw.checks if check.verdict not in BLIND),
        )

    def _name(self, place: str, host: _Host) -> HostName:
        if self._by_file:
            return HostName(_shortened_name(file_stem(place)))
        return HostName(
            _shortened_name(host.site_name or host.name), _shortened_name(host.id or "")
        )

    def _host_facts(self, host: _Host) -> tuple[Fact, ...] | None:
        if host.facts is None:
            return None
        return tuple(self._fact(name, value) for name, value in host.facts.items())

    def _changed_files(self, host: _Host) -> dict[str, float]:
        """Unix times by path, without those that are not times."""
        times = {self._text(path): unix(moment) for path, moment in host.changed.items()}
        return {path: moment for path, moment in times.items() if moment is not None}

    def _root(self, finding: _RawFinding, effects: Mapping[str, set[str]]) -> Root:
        """A finding that nothing explains, with what it explains and its first fix."""
        first = finding.fix[0] if finding.fix else None
        plain = finding.signature or without_ids(finding.key)
        return Root(
            id=self._text(finding.id),
            severity=SEVERITIES[finding.severity],
            signature=self._text(_shortened_name(plain)),
            summary=self._text(finding.summary[:LONGEST_SUMMARY]),
            onset=unix(finding.onset),
            effects=self._shared_ids(effects.get(finding.key, ())),
            fix=self._text(first.command[:LONGEST_SUMMARY]) if first else "",
            risk=first.risk if first else "",
        )

    def _fact(self, name: str, value: str) -> Fact:
        fact = Fact(self._text(_shortened_name(name)), self._text(_shortened_name(value)))
        return self._facts.setdefault(fact, fact)

    def _text(self, text: str) -> str:
        return self._texts.setdefault(text, text)

    def _shared_ids(self, ids: Iterable[str]) -> frozenset[str]:
        own_ids = frozenset(map(self._text, ids))
        return self._ids.setdefault(own_ids, own_ids)


def file_stem(place: str) -> str:
    """The name of a file without folders and ending: what a collector called the host."""
    name = posixpath.basename(place)
    return name.removesuffix(".gz").removesuffix(".json")


def _shortened_name(text: str) -> str:
    return text[:LONGEST_NAME]


def _unreadable_report(place: str, data: bytes, error: msgspec.ValidationError) -> Unusable:
    """Why JSON is not a report that this version reads; without a version it is nobody's report."""
    try:
        version = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("schema_version")
        number = None if version is None else msgspec.json.decode(version, type=int)
    except (msgspec.DecodeError, RecursionError):
        number = None
    if number is None:
        return Unusable(place, "is JSON, but no report of this tool", may_be_a_host=False)
    if number > SCHEMA_VERSION:
        return Unusable(place, _newer_version_text(number))
    return Unusable(place, f"is a report whose fields have other types ({error})"[:LONGEST_NAME])


def _newer_version_text(version: int) -> str:
    return f"has schema version {version}, newer than this tool reads ({SCHEMA_VERSION})"


def _objection(raw: _RawReport) -> str:
    """Why a decoded report cannot be counted; empty where it can."""
    if raw.schema_version > SCHEMA_VERSION:
        return _newer_version_text(raw.schema_version)
    if not raw.host.name.strip():
        return "does not name its host"
    if unix(raw.taken_at) is None:
        return "does not say when it was taken"
    sizes = (len(raw.host.facts or ()), len(raw.host.labels), len(raw.host.changed))
    if (
        max(sizes) > MOST_FACTS
        or len(raw.findings) > MOST_FINDINGS
        or len(raw.checks) > MOST_FINDINGS
    ):
        return "holds more than any host has"
    ids = {finding.id for finding in raw.findings} | {check.id for check in raw.checks}
    if not all(_ID.fullmatch(id) and len(id) <= LONGEST_NAME for id in ids):
        return "names checks by what is not an id"
    return ""


def _effects(findings: list[_RawFinding]) -> dict[str, set[str]]:
    """The ids of what each root explains, by the root's key.

    A finding counts for its likeliest cause, which is listed first.
    """
    above = {
        finding.key: finding.caused_by[0].key
        for finding in findings
        if finding.caused_by and not finding.root
    }
    effects: dict[str, set[str]] = {}
    for finding in findings:
        if finding.key in above:
            key = finding.key
            passed = set()
            while key in above and key not in passed:
                passed.add(key)
                key = above[key]
            effects.setdefault(key, set()).add(finding.id)
    return effects
