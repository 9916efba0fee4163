"""How a page is written: its front matter, its sections, its blocks of commands."""

import re
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Trait
from diagnose.runbooks.fences import Fence, split_at_fences
from diagnose.runbooks.filling import placeholders
from diagnose.yaml_text import read_values

SECTIONS = ("Symptom", "Why it matters", "Confirm", "Fix", "Verify", "Prevent", "See also")
Purpose = Literal["confirm", "fix", "verify"]
Risk = Literal["safe", "disruptive", "destructive"]
PURPOSES: dict[str, Purpose] = {"confirm": "confirm", "fix": "fix", "verify": "verify"}
RISKS: tuple[Risk, ...] = ("safe", "disruptive", "destructive")
TRAITS: tuple[Trait, ...] = typing.get_args(Trait)
_MARKS = ("manual", "example", "reported", "may-fail", "may-help")
_COMMENT = LazyPattern(r"^<!-- .{1,80} -->\n\n?", re.MULTILINE)
"""The marks of a part that several pages share: they are for authors, and not for readers."""
FRONT_MATTER = LazyPattern(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)


class PageError(Exception):
    """A page that breaks the format; the message says where."""


class CommandBlock(msgspec.Struct, frozen=True):
    """One fenced block of commands of a page."""

    purpose: Purpose
    risk: Risk
    manual: bool
    """Whether the tests may not run the block as it stands."""
    text: str
    impact: str = ""
    """The paragraph of prose just before the block."""
    on: frozenset[Trait] = frozenset()
    """Traits that the host must have: `on-systemd` in the info string."""
    off: frozenset[Trait] = frozenset()
    """Traits that the host must not have: `off-podman` in the info string."""
    example: bool = False
    """Whether the block holds values that only its reader knows, so that no report offers it and
    nothing runs it as it stands."""
    reported: bool = False
    """Whether a report has said already what the block shows, so that it does not offer it."""
    may_fail: bool = False
    """Whether no output, or an exit code other than 0, is an answer too: a reader judges it."""
    may_help: bool = False
    """Whether a fix is worth a try where what heals is said in words beside it."""

    def suits(self, variables: Collection[str], traits: frozenset[Trait]) -> bool:
        """Whether a block of commands suits a finding with variables of these names.

        It supplies each placeholder, those of the paragraph above it too, and the commands work on
        such a host.
        """
        is_filled = placeholders(self.text) | placeholders(self.impact) <= {*variables, "docker"}
        return is_filled and self.on <= traits and not self.off & traits


class Page(msgspec.Struct, frozen=True):
    """One runbook."""

    id: str
    variables: Mapping[str, str]
    """Declared names with sample values."""
    retired: str
    """Why the check was given up; "" for a page that has one."""
    unhealed: str
    """Why the lab has not healed the fault by the commands of the page; "" where it has."""
    no_real_fault: str
    """Why no host of the lab can have the fault; "" where one has it."""
    complaints: tuple[str, ...]
    """How people describe the fault who do not know what it is."""
    body: str
    """The Markdown without its front matter."""
    blocks: tuple[CommandBlock, ...]

    def of(self, purpose: Purpose) -> tuple[CommandBlock, ...]:
        return tuple(block for block in self.blocks if block.purpose == purpose)

    def section(self, name: str) -> str:
        """The Markdown below a heading of `SECTIONS`; "" where the page has none."""
        match = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", self.body, re.DOTALL | re.MULTILINE)
        return match[1] if match else ""


def parse(text: str, name: str) -> Page:
    """A page from its Markdown. PageError with the page's name if it breaks the format."""
    front = FRONT_MATTER.match(text)
    if front is None:
        raise PageError(f"{name}: no front matter")
    try:
        head: dict[str, Any] = read_values(front[1]) or {}
    except ValueError as error:
        raise PageError(f"{name}: front matter: {error}") from error
    body = _COMMENT.sub("", text[front.end() :])
    variables = {str(key): str(value) for key, value in (head.get("variables") or {}).items()}
    return Page(
        id=str(head.get("id", "")),
        variables=variables,
        retired=str(head.get("retired", "")),
        unhealed=str(head.get("unhealed", "")),
        no_real_fault=str(head.get("no-real-fault", "")),
        complaints=tuple(str(complaint) for complaint in head.get("complaints") or ()),
        body=body,
        blocks=blocks_in(body, name),
    )


def blocks_in(body: str, name: str) -> tuple[CommandBlock, ...]:
    """The fenced blocks of commands in a page's Markdown.

    PageError for one that says nonsense.
    """
    blocks: list[CommandBlock] = []
    paragraph: list[str] = []
    for part in split_at_fences(body):
        if isinstance(part, str):
            paragraph = _last_paragraph(part, paragraph)
            continue
        block = block_of(part, " ".join(paragraph), name)
        if block is not None:
            blocks.append(block)
    return tuple(blocks)


def _last_paragraph(prose: str, before: list[str]) -> list[str]:
    """The lines of the paragraph that introduces a block; none below a heading.

    before: the paragraph above the last block, which introduces the next one too if there is
    nothing between them.
    """
    paragraph = before
    ended = True
    for line in prose.split("\n"):
        if line.startswith("#"):
            paragraph = []
        elif line.strip():
            paragraph = [line.strip()] if ended else [*paragraph, line.strip()]
        ended = not line.strip()
    return paragraph


def block_of(fence: Fence, prose: str, name: str) -> CommandBlock | None:
    """A fenced block as commands; None if its info string does not say that it is any."""
    words = fence.info.split()
    if words[:1] != ["sh"] or len(words) < 2:
        return None
    purpose, *marks = words[1:]
    rule = PURPOSES.get(purpose)
    on = _traits(marks, "on-")
    off = _traits(marks, "off-")
    risks = [risk for risk in RISKS if risk in marks]
    risks_wanted = 1 if rule == "fix" else 0
    is_marked_well = len(risks) == risks_wanted and not _unknown_marks(marks)
    if rule is None or not is_marked_well:
        raise PageError(f"{name}: a block says `{fence.info}`")
    if on is None or off is None:
        raise PageError(f"{name}: a block says `{fence.info}`")
    is_example = "example" in marks
    return CommandBlock(
        rule,
        risk=risks[0] if risks else "safe",
        manual=is_example or "manual" in marks,
        text=fence.text.rstrip("\n"),
        impact=prose,
        on=on,
        off=off,
        example=is_example,
        reported="reported" in marks,
        may_fail="may-fail" in marks,
        may_help="may-help" in marks,
    )


def _unknown_marks(marks: Sequence[str]) -> list[str]:
    """The words of an info string that mean nothing here."""
    known_marks = {*_MARKS, *RISKS}
    return [
        mark for mark in marks if mark not in known_marks and not mark.startswith(("on-", "off-"))
    ]


def _traits(marks: Sequence[str], prefix: str) -> frozenset[Trait] | None:
    """The traits behind this prefix among the words of an info string.

    None if one of them is unknown.
    """
    names = {mark.removeprefix(prefix) for mark in marks if mark.startswith(prefix)}
    if not names <= set(TRAITS):
        return None
    return frozenset(trait for trait in TRAITS if trait in names)
