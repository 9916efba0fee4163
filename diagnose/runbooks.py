"""Runbook pages: reading them, and filling their commands with a finding's variables."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diagnose import registry

SECTIONS = ("Symptom", "Why it matters", "Confirm", "Fix", "Verify", "Prevent", "See also")
Purpose = Literal["confirm", "fix", "verify"]
Risk = Literal["safe", "disruptive", "destructive"]
PURPOSES: dict[str, Purpose] = {"confirm": "confirm", "fix": "fix", "verify": "verify"}
RISKS: tuple[Risk, ...] = ("safe", "disruptive", "destructive")
_PLACEHOLDER = re.compile(r"(?<![${\w])\{([a-z][a-z0-9_]*)\}")
_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)


class PageError(Exception):
    """A page that breaks the format; the message says where."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of commands: what it is for, what it risks, and whether the tests may not run it as it stands.

    impact: the sentence of prose just before it.
    """

    purpose: Purpose
    risk: Risk
    manual: bool
    text: str
    impact: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One runbook. variables: declared names with sample values. body: the Markdown without its front matter."""

    id: str
    variables: Mapping[str, str]
    retired: str
    body: str
    blocks: tuple[Block, ...]

    def of(self, purpose: Purpose) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.purpose == purpose)


@dataclass(frozen=True, slots=True)
class Command:
    """A block filled for one finding, ready to be typed. purpose confirm where the page has no safe fix."""

    purpose: Purpose
    risk: Risk
    text: str
    impact: str


def fill(text: str, variables: Mapping[str, str], docker: str = "docker") -> str:
    """The text with its placeholders replaced by shell-quoted values; `{docker}` is a command and stays as it is.

    A name that is not declared is left alone, so that shell and Go templates need no escaping.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "docker":
            return docker
        return shlex.quote(variables[name]) if name in variables else match[0]

    return _PLACEHOLDER.sub(value, text)


def placeholders(text: str) -> frozenset[str]:
    """The names that stand as placeholders in a text of commands."""
    return frozenset(_PLACEHOLDER.findall(text))


def parse(text: str, name: str) -> Page:
    """A page from its Markdown. PageError with the page's name if it breaks the format."""
    import yaml
    from markdown_it import MarkdownIt

    front = _FRONT.match(text)
    if front is None:
        raise PageError(f"{name}: no front matter")
    try:
        head: dict[str, Any] = yaml.safe_load(front[1]) or {}
    except yaml.YAMLError as error:
        raise PageError(f"{name}: front matter: {error}") from error
    body = text[front.end() :]
    blocks, prose = [], ""
    for token in MarkdownIt("zero").enable("fence").parse(body):
        if token.type == "inline":
            prose = token.content
        elif token.type == "fence":
            block = _block(token.info, token.content, prose, name)
            if block is not None:
                blocks.append(block)
    variables = {str(key): str(value) for key, value in (head.get("variables") or {}).items()}
    return Page(str(head.get("id", "")), variables, str(head.get("retired", "")), body, tuple(blocks))


def _block(info: str, text: str, prose: str, name: str) -> Block | None:
    words = info.split()
    if words[:1] != ["sh"] or len(words) < 2:
        return None
    purpose, rest = words[1], words[2:]
    manual = "manual" in rest
    risks = [word for word in rest if word != "manual"]
    known = PURPOSES.get(purpose)
    if known is None or (known == "fix") != (len(risks) == 1 and risks[0] in RISKS):
        raise PageError(f"{name}: a block says `{info}`")
    risk = next(risk for risk in RISKS if risk in (risks or ["safe"]))
    paragraph = prose.strip().rpartition("\n\n")[2].replace("\n", " ")
    return Block(known, risk, manual, text.rstrip("\n"), paragraph)


@functools.cache
def paths() -> Mapping[str, Path]:
    """Where the page of each id lies, by id."""
    return {path.stem: path for folder in registry.page_folders() for path in sorted(folder.glob("*.*.md"))}


@functools.cache
def page(id: str) -> Page:
    """The page of a check id. KeyError if there is none, PageError if it breaks the format."""
    path = paths()[id]
    return parse(path.read_text(encoding="utf-8"), path.name)


def commands(id: str, variables: Mapping[str, str], docker: str) -> Iterator[Command]:
    """The page's fixes for one finding, least risk first; nothing if there is no readable page."""
    try:
        blocks = page(id).of("fix")
    except (KeyError, PageError, OSError):
        return
    for block in sorted(blocks, key=lambda block: RISKS.index(block.risk)):
        yield Command("fix", block.risk, fill(block.text, variables, docker), block.impact)


def first(id: str, variables: Mapping[str, str], docker: str) -> Command | None:
    """What to type first: the first safe fix, or, where the page has none, the first confirm command."""
    for command in commands(id, variables, docker):
        if command.risk == "safe":
            return command
        break
    return confirm(id, variables, docker)


def confirm(id: str, variables: Mapping[str, str], docker: str) -> Command | None:
    """The page's first confirm command for one finding; None if there is no readable page."""
    try:
        blocks = page(id).of("confirm")
    except (KeyError, PageError, OSError):
        return None
    return Command("confirm", "safe", fill(blocks[0].text, variables, docker), blocks[0].impact) if blocks else None
