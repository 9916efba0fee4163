"""A comparison of two runs as text or JSON."""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from diagnose.compare import Change
from diagnose.model import Json
from diagnose.phrases import and_more
from diagnose.render.words import clean

WIDTH = 80
NAMES_SHOWN = 5


def render(change: Change, format_: str, stream: TextIO) -> None:
    """Write the comparison as text or JSON."""
    if format_ == "json":
        json.dump(_json(change), stream, indent=1, ensure_ascii=False)
        stream.write("\n")
    else:
        _text(change, stream)


def _json(change: Change) -> dict[str, Json]:
    """The change between two reports as JSON."""
    return {
        "schema_version": 1,
        "new": [_row(finding) for finding in change.new],
        "gone": [_row(finding) for finding in change.gone],
        "still_there": [_row(finding) for finding in change.same],
        "changed": [
            {"key": now["key"], "from": _row(old), "to": _row(now)} for old, now in change.changed
        ],
        "no_longer_visible": [_row(finding) for finding in change.invisible],
        "newly_blind_checks": list(change.newly_blind),
    }


def _text(change: Change, stream: TextIO) -> None:
    """Print what is new, gone, changed, or no longer visible."""
    still_there = len(change.same) + len(change.changed)
    _write(
        stream,
        f"{len(change.new)} new, {len(change.gone)} gone, {still_there} still there, "
        f"{len(change.invisible)} no longer visible",
    )
    _findings(stream, "new", change.new)
    _findings(stream, "gone", change.gone)
    _findings(stream, "no longer visible", change.invisible)
    for old, new in change.changed:
        _write(stream, f"\nchanged: {new['id']} {new['subject']['name']}")
        _write(stream, f"  was {_finding_line(old)}")
        _write(stream, f"  now {_finding_line(new)}")
    if change.same:
        stream.write("\nstill there:\n")
        for (severity, id), names in _by_check(change.same).items():
            _write(stream, f"  {severity} {id} {and_more(names, NAMES_SHOWN)}")
    if change.newly_blind:
        _write(stream, f"\ncould look before, not now: {', '.join(change.newly_blind)}")


def _findings(stream: TextIO, title: str, findings: Iterable[Mapping[str, Json]]) -> None:
    for finding in findings:
        severity = finding["severity"].upper()
        _write(stream, f"\n{title}: {severity} {finding['id']} {finding['subject']['name']}")
        _write(stream, f"  {finding['summary']}")


def _by_check(findings: Sequence[Mapping[str, Json]]) -> dict[tuple[str, str], list[str]]:
    """Severity and id -> the names of the subjects, in the order of the report."""
    names: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        names.setdefault((finding["severity"], finding["id"]), []).append(
            finding["subject"]["name"]
        )
    return names


def _finding_line(finding: Mapping[str, Json]) -> str:
    silenced = f" (silenced: {finding['silenced']})" if finding.get("silenced") else ""
    return f"{finding['severity']}{silenced}: {finding['summary']}"


def _write(stream: TextIO, text: str) -> None:
    """One paragraph, at most 80 columns wide; what follows its first line stands further in."""
    indent = " " * (len(text) - len(text.lstrip(" ")))
    for line in clean(text).split("\n"):
        wrapped = textwrap.wrap(
            line, WIDTH, subsequent_indent=indent + "    ", break_on_hyphens=False
        )
        stream.write("\n".join(wrapped) + "\n")


def _row(finding: Mapping[str, Json]) -> dict[str, Json]:
    return {name: finding[name] for name in ("key", "id", "severity", "subject", "summary")}
