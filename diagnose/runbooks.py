"""Runbook pages: reading them, and filling their commands with a finding's variables."""

from __future__ import annotations

import functools
import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from diagnose import registry

SECTIONS = ("Symptom", "Why it matters", "Confirm", "Fix", "Verify", "Prevent", "See also")
Purpose = Literal["confirm", "fix", "verify"]
Risk = Literal["safe", "disruptive", "destructive"]
PURPOSES: dict[str, Purpose] = {"confirm": "confirm", "fix": "fix", "verify": "verify"}
RISKS: tuple[Risk, ...] = ("safe", "disruptive", "destructive")
_PLACEHOLDER = re.compile(r"(?<![${\w])\{([a-z][a-z0-9_]*)\}")
_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)")


class PageError(Exception):
    """A page that breaks the format; the message says where."""


class CommandBlock(msgspec.Struct, frozen=True):
    """One fenced block of commands: what it is for, what it risks, and whether the tests may not run it as it stands.

    impact: the sentence of prose just before it.
    """

    purpose: Purpose
    risk: Risk
    manual: bool
    text: str
    impact: str = ""

    def suits(self, variables: Mapping[str, str]) -> bool:
        """Whether a finding knows all that stands in it: one that leaves a variable out has no use for the block."""
        return placeholders(self.text) <= {*variables, "docker"}


class Page(msgspec.Struct, frozen=True):
    """One runbook. variables: declared names with sample values. body: the Markdown without its front matter."""

    id: str
    variables: Mapping[str, str]
    retired: str
    body: str
    blocks: tuple[CommandBlock, ...]

    def of(self, purpose: Purpose) -> tuple[CommandBlock, ...]:
        return tuple(block for block in self.blocks if block.purpose == purpose)


class Command(msgspec.Struct, frozen=True):
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

    front = _FRONT.match(text)
    if front is None:
        raise PageError(f"{name}: no front matter")
    try:
        head: dict[str, Any] = yaml.safe_load(front[1]) or {}
    except yaml.YAMLError as error:
        raise PageError(f"{name}: front matter: {error}") from error
    body = text[front.end() :]
    variables = {str(key): str(value) for key, value in (head.get("variables") or {}).items()}
    return Page(str(head.get("id", "")), variables, str(head.get("retired", "")), body, blocks_in(body, name))


def blocks_in(body: str, name: str) -> tuple[CommandBlock, ...]:
    """The fenced blocks of commands in a page's Markdown, found as CommonMark says. PageError for one that says nonsense.

    A report needs nothing else of a page, and a Markdown parser would double the time that it takes to print one.
    """
    found: list[CommandBlock] = []
    paragraph: list[str] = []
    ended = True
    lines = iter(body.split("\n"))
    for line in lines:
        opened = _FENCE.fullmatch(line)
        if opened:
            text = "\n".join(_until(lines, opened[1]))
            block = _block(opened[2].strip(), text, " ".join(paragraph), name)
            if block is not None:
                found.append(block)
        elif line.startswith("#"):
            paragraph = []
        elif line.strip():
            paragraph = [line.strip()] if ended else [*paragraph, line.strip()]
        ended = bool(opened) or not line.strip()
    return tuple(found)


def _until(lines: Iterator[str], fence: str) -> Iterator[str]:
    """The lines before the fence that closes the one that was opened."""
    closing = re.compile(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*")
    return itertools.takewhile(lambda line: not closing.fullmatch(line), lines)


def _block(info: str, text: str, prose: str, name: str) -> CommandBlock | None:
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
    return CommandBlock(known, risk, manual, text.rstrip("\n"), prose)


@functools.cache
def paths() -> Mapping[str, Path]:
    """Where the page of each id lies, by id."""
    return {path.stem: path for folder in registry.page_folders() for path in sorted(folder.glob("*.*.md"))}


@functools.cache
def page(id: str) -> Page:
    """The page of a check id. KeyError if there is none, PageError if it breaks the format."""
    path = paths()[id]
    return parse(path.read_text(encoding="utf-8"), path.name)


@functools.cache
def _blocks(id: str) -> tuple[CommandBlock, ...]:
    path = paths()[id]
    return blocks_in(_FRONT.sub("", path.read_text(encoding="utf-8"), count=1), path.name)


def _of(id: str, purpose: Purpose, variables: Mapping[str, str]) -> list[CommandBlock]:
    """The blocks of one purpose on a check's page that suit a finding; none if there is no readable page."""
    try:
        return [block for block in _blocks(id) if block.purpose == purpose and block.suits(variables)]
    except (KeyError, PageError, OSError):
        return []


def commands(id: str, variables: Mapping[str, str], docker: str) -> Iterator[Command]:
    """The page's fixes for one finding, least risk first; nothing if there is no readable page."""
    for block in sorted(_of(id, "fix", variables), key=lambda block: RISKS.index(block.risk)):
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
    blocks = _of(id, "confirm", variables)
    return Command("confirm", "safe", fill(blocks[0].text, variables, docker), blocks[0].impact) if blocks else None
