"""A runbook page in the terminal."""

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.text import Text

from diagnose.model import Report, Reported
from diagnose.phrases import capitalised, count
from diagnose.render.console import with_room
from diagnose.render.words import clean, one_line
from diagnose.runbooks import RISKS, Page, Place, fill, placeholders
from diagnose.runbooks.applying import applying
from diagnose.runbooks.fences import Fence, split_at_fences

_COMMANDS = "sh "
"""How the info string of a block of commands begins."""
_STYLES = {"destructive": "bold red", "disruptive": "yellow", "safe": "green"}


def render(page: Page, stream: TextIO, *, color: bool | None, width: int | None = None) -> None:
    """Print the page.

    Prose as Markdown, each command with what it is for and what it risks, never wrapped.
    """
    note = ""
    if any(placeholders(block.text) - {"docker"} for block in page.blocks):
        here = f"diagnose explain {page.id} --here"
        note = f"A report fills in the {{braces}}. What applies on this host: {here}"
    _print_page(page.id, note, page.body, _console(stream, color=color, width=width))


def render_applying(
    page: Page,
    finding: Reported,
    report: Report,
    stream: TextIO,
    *,
    color: bool | None,
    width: int | None = None,
) -> None:
    """Print what of the page applies to a finding, with the finding's values."""
    fitting = applying(page, finding.finding.variables, Place.of(report), clean)
    note = f"This is what applies to {one_line(finding.subject.in_words)}."
    if fitting.left_out:
        others = count(fitting.left_out, "command")
        note = f"{note} {capitalised(others)} for other cases: diagnose explain {page.id}"
    _print_page(page.id, note, fitting.body, _console(stream, color=color, width=width))


def _console(stream: TextIO, *, color: bool | None, width: int | None) -> Console:
    return with_room(Console(file=stream, width=width, no_color=color is False, highlight=False))


def _print_page(id: str, note: str, body: str, console: Console) -> None:
    console.print(Rule(id, align="left"))
    if note:
        console.print(Text(note, "dim"))
    for part in _parts(body):
        if isinstance(part, Fence):
            _print_commands(part, console)
        else:
            console.print(Markdown(part, hyperlinks=False))


def _print_commands(block: Fence, console: Console) -> None:
    """The commands as they are, whatever the width: a wrapped or cut one could not be copied."""
    label = _label(block.info.removeprefix(_COMMANDS))
    style = next((style for word, style in _STYLES.items() if word in label), "dim")
    console.print(Text(f"  {label}", style))
    for line in fill(block.text, {}).rstrip("\n").split("\n"):
        console.print(Text(f"  {line}", "bold"), soft_wrap=True)
    console.print()


def _label(info: str) -> str:
    """The heading of a block of commands, from its info string: `fix safe on-systemd manual`."""
    purpose, *marks = info.split()
    notes: list[str] = [mark for mark in marks if mark in RISKS]
    notes += [f"with {mark.removeprefix('on-')}" for mark in marks if mark.startswith("on-")]
    notes += [f"without {mark.removeprefix('off-')}" for mark in marks if mark.startswith("off-")]
    if "example" in marks:
        notes.append("put in your own values")
    if purpose == "verify":
        notes.append("read its output" if "may-fail" in marks else "exit code 0: it worked")
    return f"{purpose} ({', '.join(notes)})" if notes else purpose


def _parts(body: str) -> Iterator[str | Fence]:
    """The blocks of commands, and what stands between them, in the page's order."""
    prose = ""
    for part in split_at_fences(body):
        if isinstance(part, str) or not part.info.startswith(_COMMANDS):
            prose += f"{part}\n"
            continue
        if prose.strip():
            yield prose
        yield part
        prose = ""
    if prose.strip():
        yield prose
