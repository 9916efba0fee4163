"""A timeline as text or JSON."""

import json
import textwrap
from collections.abc import Iterator
from typing import TextIO

from diagnose.phrases import utc
from diagnose.render.words import clean
from diagnose.timeline import Timeline


def render(timeline: Timeline, format_: str, stream: TextIO, width: int = 0) -> None:
    """Write the timeline as text or as JSON.

    width: columns of the terminal, 0 where lines are not to be folded.
    """
    if format_ == "json":
        json.dump(_document(timeline), stream, indent=1)
        stream.write("\n")
    else:
        stream.writelines(f"{line}\n" for line in _lines(timeline, width))


def _document(timeline: Timeline) -> dict[str, object]:
    """The timeline as JSON."""
    return {
        "schema_version": 1,
        "complete_since": _iso(timeline.complete_since) if timeline.complete_since else None,
        "gaps": list(timeline.gaps),
        "moments": [
            {
                "at": _iso(moment.at),
                "source": moment.source,
                "container": moment.container or None,
                "text": moment.text,
            }
            for moment in timeline.moments
        ],
    }


def _lines(timeline: Timeline, width: int) -> Iterator[str]:
    """A line for each moment, below its day in UTC, and how far the list reaches."""
    day = ""
    for moment in timeline.moments:
        time = utc(moment.at)
        if time.date().isoformat() != day:
            day = time.date().isoformat()
            yield f"{day} UTC"
        line = f"  {time:%H:%M:%S}  {moment.source:<8} {clean(moment.text)}".replace("\n", " ")
        yield _folded_line(line, width, 21)
    if not timeline.moments:
        yield "nothing is known of this time"
    since = "since a time that nothing tells"
    if timeline.complete_since:
        since = f"from {_iso(timeline.complete_since)} on"
    reach = f"complete {since}: the engine keeps 256 events, none over its restart"
    yield _folded_line(reach, width, 9)
    for gap in timeline.gaps:
        yield _folded_line(f"not known  {clean(gap)}", width, 11)


def _folded_line(line: str, width: int, indent: int) -> str:
    return (
        textwrap.fill(line, width, subsequent_indent=" " * indent) if width > 2 * indent else line
    )


def _iso(at: float) -> str:
    return utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")
