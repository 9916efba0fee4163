"""A runbook page in the terminal."""

from __future__ import annotations

import re
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from diagnose.runbooks import Page

_FENCE = re.compile(r"^```sh (.*?)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
_STYLES = {"destructive": "bold red", "disruptive": "yellow", "safe": "green"}


def render(page: Page, stream: TextIO, *, color: bool | None, width: int | None = None) -> None:
    """Print the page: prose as Markdown, each command with what it is for and what it risks, never wrapped."""
    console = Console(file=stream, width=width, no_color=color is False, highlight=False)
    console.print(Rule(page.id, align="left"))
    for part in _parts(page.body):
        if isinstance(part, str):
            console.print(Markdown(part, hyperlinks=False))
        else:
            label, text = part
            style = next((style for word, style in _STYLES.items() if word in label), "dim")
            block: RenderableType = Group(Text(label, style), Text(text.rstrip("\n"), "bold"))
            console.print(Padding(block, (0, 0, 1, 2)), no_wrap=True, overflow="ignore", crop=False)


def _parts(body: str) -> list[str | tuple[str, str]]:
    """Prose and (what the block is, its commands), in the page's order."""
    parts: list[str | tuple[str, str]] = []
    at = 0
    for fence in _FENCE.finditer(body):
        if body[at : fence.start()].strip():
            parts.append(body[at : fence.start()])
        parts.append((fence[1], fence[2]))
        at = fence.end()
    if body[at:].strip():
        parts.append(body[at:])
    return parts
