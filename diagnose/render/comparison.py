"""A comparison of two runs as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TextIO

from diagnose.compare import Change
from diagnose.model import Json
from diagnose.render.words import clean


def render(change: Change, format_: str, stream: TextIO) -> None:
    """Write the comparison as text or JSON."""
    if format_ == "json":
        rows = {
            "schema_version": 1,
            "new": [_row(each) for each in change.new],
            "gone": [_row(each) for each in change.gone],
            "still_there": [_row(each) for each in change.same],
            "changed": [{"key": now["key"], "from": _row(old), "to": _row(now)} for old, now in change.changed],
            "no_longer_visible": [_row(each) for each in change.invisible],
            "newly_blind_checks": list(change.newly_blind),
        }
        json.dump(rows, stream, indent=1, ensure_ascii=False)
        stream.write("\n")
        return
    counts = [
        (len(change.new), "new"),
        (len(change.gone), "gone"),
        (len(change.same) + len(change.changed), "still there"),
        (len(change.invisible), "no longer visible"),
    ]
    stream.write(", ".join(f"{count} {word}" for count, word in counts) + "\n")
    for title, findings in (("new", change.new), ("gone", change.gone), ("no longer visible", change.invisible)):
        for each in findings:
            stream.write(clean(f"\n{title}: {each['severity'].upper()} {each['id']} {each['subject']['name']}") + "\n")
            stream.write(clean(f"  {each['summary']}") + "\n")
    for old, new in change.changed:
        stream.write(clean(f"\nchanged: {new['id']} {new['subject']['name']}") + "\n")
        stream.write(clean(f"  was {old['severity']}: {old['summary']}") + "\n")
        stream.write(clean(f"  now {new['severity']}: {new['summary']}") + "\n")
    if change.same:
        names = ", ".join(f"{each['id']} {each['subject']['name']}" for each in change.same)
        stream.write(clean(f"\nstill there: {names}") + "\n")
    if change.newly_blind:
        stream.write(f"\ncould look before, not now: {', '.join(change.newly_blind)}\n")


def _row(finding: Mapping[str, Json]) -> dict[str, Json]:
    return {name: finding[name] for name in ("key", "id", "severity", "subject", "summary")}
