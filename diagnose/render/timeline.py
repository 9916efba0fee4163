"""A timeline as text or JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from diagnose.render.words import clean
from diagnose.timeline import Timeline


def render(timeline: Timeline, format_: str, stream: TextIO, width: int = 0) -> None:
    """Write the list as text (times in UTC) or JSON.

    A moment is one line, folded where the terminal has a width.
    """
    if format_ == "json":
        rows: Iterable[dict[str, object]] = (
            {
                "at": _iso(moment.at),
                "source": moment.source,
                "container": moment.container or None,
                "text": moment.text,
            }
            for moment in timeline.moments
        )
        complete = _iso(timeline.complete_since) if timeline.complete_since else None
        json.dump(
            {
                "schema_version": 1,
                "complete_since": complete,
                "gaps": list(timeline.gaps),
                "moments": list(rows),
            },
            stream,
            indent=1,
        )
        stream.write("\n")
        return
    day = ""
    for moment in timeline.moments:
        time = datetime.fromtimestamp(moment.at, UTC)
        if time.date().isoformat() != day:
            day = time.date().isoformat()
            stream.write(f"{day} UTC\n")
        line = f"  {time:%H:%M:%S}  {moment.source:<8} {clean(moment.text)}".replace("\n", " ")
        stream.write(_folded_line(line, width, 21) + "\n")
    if not timeline.moments:
        stream.write("nothing is known of this time\n")
    since = "since a time that nothing tells"
    if timeline.complete_since:
        since = f"from {_iso(timeline.complete_since)} on"
    reach = f"complete {since}: the engine keeps 256 events, none over its restart"
    stream.write(_folded_line(reach, width, 9) + "\n")
    stream.writelines(
        _folded_line(f"not known  {clean(gap)}", width, 11) + "\n" for gap in timeline.gaps
    )


def _folded_line(line: str, width: int, indent: int) -> str:
    return (
        textwrap.fill(line, width, subsequent_indent=" " * indent) if width > 2 * indent else line
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
