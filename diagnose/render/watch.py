"""A watch on a terminal: the roots that are there, and what began and ended in the last hour.

Without a terminal a line for each change.
"""

from __future__ import annotations

import json
import time
from typing import TextIO

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from diagnose.phrases import count, duration, rfc3339, time_of_day
from diagnose.render.console import literal
from diagnose.render.terminal import STYLES
from diagnose.render.words import one_line
from diagnose.watch.roots import RootChange, Roots

CHANGES_SHOWN = 12
KINDS = {
    "ended": "green",
    "explained": "green",
    "better": "green",
    "began": "bold red",
    "worse": "bold red",
    "present": "dim",
}
"""The style of a change, by its kind."""


class Screen:
    """The screen of a watch.

    It is drawn when something changed, by whoever calls: there is no thread.
    """

    def __init__(
        self, stream: TextIO, *, color: bool | None, missing: tuple[str, ...] = ()
    ) -> None:
        self._console = literal(stream, color=color)
        self._missing = missing
        self._live: Live | None = None

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, screen=True)
            self._live.start()
            self._live.update(Text("running all checks for the first time"), refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, roots: Roots, changes: tuple[RootChange, ...], trouble: str) -> None:
        """Show the result of a round."""
        if self._live is not None:
            self._live.update(self._page(roots, trouble), refresh=True)
            return
        for change in changes:
            self._console.print(_line(change), soft_wrap=True)
        if trouble:
            self._console.print(
                Text(f"{time_of_day(time.time())}  not known  {one_line(trouble)}", "magenta"),
                soft_wrap=True,
            )

    def _page(self, roots: Roots, trouble: str) -> RenderableType:
        """The roots that are there, what has changed lately, and what is not watched."""
        now = time.time()
        all_roots = list(roots)
        calm = "not fully examined" if trouble else "nothing above advice found"
        head = count(len(all_roots), "root cause") if all_roots else calm
        parts: list[RenderableType] = [
            Text(f"{head}   as of {time_of_day(now)} UTC, Ctrl-C ends the watch", "bold"),
            Text(),
        ]
        table = Table.grid(padding=(0, 2))
        for root in all_roots:
            since = f"  since {time_of_day(root.onset)} ({duration(now - root.onset)})"
            name = Text.assemble((root.id, "bold"), (since, "dim"))
            table.add_row(Text(str(root.severity).upper(), STYLES[root.severity]), name)
            table.add_row("", Text(one_line(root.summary)))
        parts += [table, Text(), Text("the last hour", "bold")]
        parts += [_line(change) for change in roots.recent(now)[:CHANGES_SHOWN]] or [
            Text("no change", "dim")
        ]
        notes = [
            *(f"not watched: {name}" for name in self._missing),
            *([trouble] if trouble else []),
        ]
        parts += [Text(one_line(note), "magenta") for note in notes]
        return Group(*parts)


def _line(change: RootChange) -> Text:
    """One change as a row: when, what became of the root, and since when."""
    root = change.root
    since = ""
    if change.kind in ("began", "present") and root.is_onset_known:
        since = f"  since {time_of_day(root.onset)}"
    return Text.assemble(
        f"{time_of_day(change.at)}  ",
        (f"{change.kind:<9}", KINDS[change.kind]),
        f"  {str(root.severity).upper():<8}  {root.id}  {one_line(root.summary)}{since}",
    )


def log_line(change: RootChange) -> str:
    """One line of JSON for a change. at and onset: RFC 3339."""
    root = {**change.root.document, "onset": rfc3339(change.root.onset)}
    return (
        json.dumps(
            {"schema_version": 1, "at": rfc3339(change.at), "change": change.kind, "root": root}
        )
        + "\n"
    )
