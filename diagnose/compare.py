"""Comparing two runs of one host, finding by finding."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose import registry, session
from diagnose.document import SCHEMA_VERSION, document
from diagnose.judgement import engine, exit_codes
from diagnose.model import Json, Report, Severity
from diagnose.plain_file import LARGEST
from diagnose.questions.run import Options
from diagnose.recording.budget import Budget
from diagnose.recording.limits import MOST_BYTES, bytes_in_memory
from diagnose.shapes import convert

BLIND = ("unknown", "crashed")
_GZIP = b"\x1f\x8b"


class _Finding(msgspec.Struct):
    key: str
    id: str
    severity: Literal["advice", "warning", "critical"]
    subject: dict[str, str]
    summary: str
    selected: bool = True
    silenced: str | None = None


class _Check(msgspec.Struct):
    id: str
    verdict: str
    unexamined: list[dict[str, Json]] = []


class _Report(msgspec.Struct):
    findings: list[_Finding]
    checks: list[_Check]
    schema_version: int = SCHEMA_VERSION


class Change(msgspec.Struct, frozen=True):
    """The changes of findings between two reports.

    changed holds (old, new) of those that are still there but say something else.
    """

    new: tuple[Mapping[str, Json], ...]
    gone: tuple[Mapping[str, Json], ...]
    same: tuple[Mapping[str, Json], ...]
    changed: tuple[tuple[Mapping[str, Json], Mapping[str, Json]], ...]
    invisible: tuple[Mapping[str, Json], ...]
    """Found before, and the check could not look now: that is not an improvement."""
    newly_blind: tuple[str, ...]
    """Checks that passed or found before and could not look now."""


def load(path: Path) -> Mapping[str, Json]:
    """The JSON report in a file, or of a bundle judged again.

    session.InvalidRequestError if it is neither.
    """
    try:
        # what a shell puts in the place of `<(ssh host diagnose all --format json)`
        if path.is_fifo():
            return _report(path, _text(path))
        if path.is_file():
            with path.open("rb") as stream:
                first = stream.read(2)
            if first != _GZIP:
                return _report(path, _text(path))
    except OSError as error:
        raise session.InvalidRequestError(
            f"cannot read {path}: {error.strerror or error}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise session.InvalidRequestError(
            f"cannot read {path}: it is neither a bundle nor a JSON report"
        ) from error
    checks = registry.load()
    configured = session.configuration(Options())
    recorded = session.replay(path, checks, tuple(checks), configured, explicit=False)
    report = engine.run(recorded.source, recorded.run, began=0.0, budget=Budget.unlimited())
    return document(report)


def _text(path: Path) -> str:
    """A text in any of JSON's encodings, whose values fit into memory.

    What a Windows shell saves is UTF-16. A report of 8,000 containers with two findings each has 16
    MiB. Of a file of 60 MiB of `{}` the values took 1.5 GiB, and 12 s.
    """
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    text = data.decode(json.detect_encoding(data))
    if len(data) > LARGEST or bytes_in_memory(text) > MOST_BYTES:
        raise session.InvalidRequestError(
            f"cannot read {path}: it holds more than the report of any host"
        )
    return text


def _report(path: Path, text: str) -> Mapping[str, Json]:
    report = json.loads(text)
    version = convert(report, _Report).schema_version
    if version > SCHEMA_VERSION:
        raise session.InvalidRequestError(
            f"cannot read {path}: it has schema version {version}, "
            f"newer than this tool reads ({SCHEMA_VERSION})"
        )
    return dict(report)


def _findings(report: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    return {row["key"]: row for row in report["findings"] if row.get("selected", True)}


def _verdicts(report: Mapping[str, Json]) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in report["checks"]}


def compare(old: Mapping[str, Json], new: Mapping[str, Json]) -> Change:
    """The changes from one report to the other, by finding key."""
    before = _findings(old)
    after = _findings(new)
    verdicts = _verdicts(new)
    ended: list[Mapping[str, Json]] = []
    invisible: list[Mapping[str, Json]] = []
    for finding in _only_in(before, after):
        (invisible if is_hidden(finding, new, verdicts) else ended).append(finding)
    unchanged = []
    changed = []
    for key, earlier in before.items():
        later = after.get(key)
        if later is None or (earlier.get("silenced") and later.get("silenced")):
            continue
        if _says(earlier) == _says(later):
            unchanged.append(later)
        else:
            changed.append((earlier, later))
    return Change(
        new=tuple(_only_in(after, before)),
        gone=tuple(ended),
        same=tuple(unchanged),
        changed=tuple(changed),
        invisible=tuple(invisible),
        newly_blind=tuple(_newly_blind(_verdicts(old), verdicts)),
    )


def _only_in(
    report: Mapping[str, Mapping[str, Json]], other: Mapping[str, Json]
) -> list[Mapping[str, Json]]:
    """The findings of one report that the other one does not have, but for silenced ones."""
    alone = [finding for key, finding in report.items() if key not in other]
    return [finding for finding in alone if not finding.get("silenced")]


def _newly_blind(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The checks that could look then and cannot now."""
    blind = [id for id, verdict in after.items() if verdict in BLIND]
    return [id for id in blind if before.get(id) in ("passed", "found")]


def without_known(report: Report, baseline: Mapping[str, Json] | None) -> Report:
    """The report with the findings of a baseline silenced.

    What has become worse since is not; neither is what was silenced there, which the
    configuration of this run decides.
    """
    if baseline is None:
        return report
    before = {
        key: registry.SEVERITIES[row["severity"]]
        for key, row in _findings(baseline).items()
        if not row.get("silenced")
    }
    reason = f"in the baseline of {baseline.get('taken_at', 'an unknown time')}"
    findings = []
    for finding in report.findings:
        is_known = finding.severity <= before.get(finding.key, 0)
        is_newly_silent = is_known and not finding.silenced
        findings.append(replace(finding, silenced=reason) if is_newly_silent else finding)
    return replace(report, findings=tuple(findings))


def is_hidden(finding: Mapping[str, Json], new: Mapping[str, Json], now: Mapping[str, str]) -> bool:
    """Whether the finding's absence in a report says nothing.

    Its check could not look, or not at this subject. Where not all unexamined subjects are listed,
    this one may be among the others.

    now: the verdicts of the report by id.
    """
    if now.get(finding["id"], "unknown") in BLIND:
        return True
    rows = [row for row in new["checks"] if row["id"] == finding["id"]]
    return any(_left_out(row, finding["subject"]) for row in rows)


def _left_out(row: Mapping[str, Json], subject: Json) -> bool:
    """Whether a check did not examine a subject, or more subjects than its row lists."""
    left_out_subjects = [unexamined["subject"] for unexamined in row.get("unexamined", ())]
    return bool(row.get("unexamined_more")) or subject in left_out_subjects


def _says(finding: Mapping[str, Json]) -> tuple[Json, ...]:
    return finding["severity"], finding["summary"], finding.get("silenced")


def exit_code(report: Mapping[str, Json], fail_on: str) -> int:
    """The exit code of a run that gave this report.

    A check that this version does not know may have been critical.
    """
    checks = registry.load()
    severities = (
        registry.SEVERITIES[row["severity"]]
        for row in _findings(report).values()
        if not row.get("silenced")
    )
    blind = (
        checks[id].severity if id in checks else Severity.critical
        for id, verdict in _verdicts(report).items()
        if verdict in BLIND
    )
    return exit_codes.code(severities, blind, fail_on)
