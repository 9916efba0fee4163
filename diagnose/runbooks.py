"""Runbook pages: reading them, and filling their commands with a finding's variables."""

from __future__ import annotations

import functools
import itertools
import re
import shlex
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from diagnose import registry
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Trait

SECTIONS = ("Symptom", "Why it matters", "Confirm", "Fix", "Verify", "Prevent", "See also")
Purpose = Literal["confirm", "fix", "verify"]
Risk = Literal["safe", "disruptive", "destructive"]
PURPOSES: dict[str, Purpose] = {"confirm": "confirm", "fix": "fix", "verify": "verify"}
RISKS: tuple[Risk, ...] = ("safe", "disruptive", "destructive")
TRAITS: tuple[Trait, ...] = typing.get_args(Trait)
_PLACEHOLDER = LazyPattern(r"(?<![${\w])\{([a-z][a-z0-9_]*)\}")
_MARKS = ("manual", "example", "reported")
_FRONT = LazyPattern(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_FENCE = LazyPattern(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)")


class PageError(Exception):
    """A page that breaks the format; the message says where."""


class Place(msgspec.Struct, frozen=True):
    """Where commands will be typed.

    The command that reaches the engine, and the traits of the host.
    """

    docker: str = "docker"
    traits: frozenset[Trait] = frozenset({"systemd"})


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

    def suits(self, variables: Mapping[str, str], traits: frozenset[Trait]) -> bool:
        """Whether a block of commands suits the finding.

        It supplies each placeholder, and the commands work on such a host.
        """
        is_filled = placeholders(self.text) <= {*variables, "docker"}
        return is_filled and self.on <= traits and not self.off & traits


class Page(msgspec.Struct, frozen=True):
    """One runbook.

    variables: declared names with sample values. body: the Markdown without its front matter.
    """

    id: str
    variables: Mapping[str, str]
    retired: str
    body: str
    blocks: tuple[CommandBlock, ...]

    def of(self, purpose: Purpose) -> tuple[CommandBlock, ...]:
        return tuple(block for block in self.blocks if block.purpose == purpose)


class Command(msgspec.Struct, frozen=True):
    """A block filled for one finding, ready to be typed."""

    purpose: Purpose
    risk: Risk
    text: str
    impact: str
    example: bool = False
    """Whether its reader has to put values of their own into it first."""


def quoted(value: str) -> str:
    """One word of a shell: between double quotes where that is easier to read and safe."""
    is_plain_in_double_quotes = not set(value) & set('"$`\\!\n')
    if "'" in value and is_plain_in_double_quotes:
        return f'"{value}"'
    return shlex.quote(value)


def fill(text: str, variables: Mapping[str, str], docker: str = "docker") -> str:
    """The text with its placeholders replaced by shell-quoted values.

    `{docker}` is a command and stays as it is.

    A name that is not declared is left alone, so that shell and Go templates need no escaping. What
    begins with `-` and is an operand of the docker command line comes after `--`: it would be read
    as an option. A value such as `--force` is meant as one.
    """
    filled = ""
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        filled += text[end : match.start()]
        end = match.end()
        name = match[1]
        if name == "docker":
            filled += docker
        elif name in variables:
            value = variables[name]
            is_option = value in _SWITCHES
            is_taken_for_option = (
                value.startswith("-") and not is_option and _is_docker_operand(filled)
            )
            filled += "-- " if is_taken_for_option else ""
            filled += quoted(value)
        else:
            filled += match[0]
    return filled + text[end:]


_COMMAND_ENDS = LazyPattern(r"[|;&({\n]\s|\$\(|\n")
_SWITCHES = frozenset(
    {
        "-a",
        "-d",
        "-f",
        "-q",
        "-v",
        "--all",
        "--archive",
        "--detach",
        "--force",
        "--follow",
        "--no-stream",
        "--no-trunc",
        "--pretty",
        "--quiet",
        "--rm",
        "--volumes",
    }
)
"""Options of the docker command line that take no value, as far as pages use them before a name."""


def _is_docker_operand(before: str) -> bool:
    """Whether what comes after this text is an operand of a docker command.

    The first after which no option is meant.
    """
    words = _COMMAND_ENDS.split(before.replace("\\\n", " "))[-1].split(" ")
    begins_word, earlier = words[-1] == "", [word for word in words[:-1] if word]
    if not begins_word or "--" in earlier or not {"docker", "podman"} & set(earlier):
        return False
    return not earlier[-1].startswith("-") or earlier[-1] in _SWITCHES


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
    return Page(
        str(head.get("id", "")),
        variables,
        str(head.get("retired", "")),
        body,
        blocks_in(body, name),
    )


def blocks_in(body: str, name: str) -> tuple[CommandBlock, ...]:
    """The fenced blocks of commands in a page's Markdown, found as CommonMark says.

    PageError for one that says nonsense.

    A report needs nothing else of a page, and a Markdown parser would double the time that it takes
    to print one.
    """
    blocks: list[CommandBlock] = []
    paragraph: list[str] = []
    ended = True
    lines = iter(body.split("\n"))
    for line in lines:
        opened = _FENCE.fullmatch(line)
        if opened:
            text = "\n".join(_until(lines, opened[1]))
            block = _block(opened[2].strip(), text, " ".join(paragraph), name)
            if block is not None:
                blocks.append(block)
        elif line.startswith("#"):
            paragraph = []
        elif line.strip():
            paragraph = [line.strip()] if ended else [*paragraph, line.strip()]
        ended = bool(opened) or not line.strip()
    return tuple(blocks)


def _until(lines: Iterator[str], fence: str) -> Iterator[str]:
    """The lines before the fence that closes the one that was opened."""
    closing = re.compile(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*")
    return itertools.takewhile(lambda line: not closing.fullmatch(line), lines)


def _block(info: str, text: str, prose: str, name: str) -> CommandBlock | None:
    words = info.split()
    if words[:1] != ["sh"] or len(words) < 2:
        return None
    purpose, *marks = words[1:]
    on, off = _traits(marks, "on-"), _traits(marks, "off-")
    risks = [mark for mark in marks if mark not in _MARKS and not mark.startswith(("on-", "off-"))]
    rule = PURPOSES.get(purpose)
    is_fix_with_risk = len(risks) == 1 and risks[0] in RISKS
    if rule is None or on is None or off is None or (rule == "fix") != is_fix_with_risk:
        raise PageError(f"{name}: a block says `{info}`")
    risk = next(risk for risk in RISKS if risk in (risks or ["safe"]))
    is_example = "example" in marks
    return CommandBlock(
        rule,
        risk,
        is_example or "manual" in marks,
        text.rstrip("\n"),
        prose,
        on,
        off,
        is_example,
        "reported" in marks,
    )


def _traits(marks: Sequence[str], prefix: str) -> frozenset[Trait] | None:
    """The traits behind this prefix among the words of an info string.

    None if one of them is unknown.
    """
    names = {mark.removeprefix(prefix) for mark in marks if mark.startswith(prefix)}
    return frozenset(trait for trait in TRAITS if trait in names) if names <= set(TRAITS) else None


@functools.cache
def paths() -> Mapping[str, Path]:
    """Where the page of each id lies, by id."""
    return {
        path.stem: path
        for folder in registry.page_folders()
        for path in sorted(folder.glob("*.*.md"))
    }


@functools.cache
def _text(id: str) -> str:
    """A page as it is written. KeyError, OSError where it cannot be had."""
    return paths()[id].read_text(encoding="utf-8")


@functools.cache
def page(id: str) -> Page:
    """The page of a check id. KeyError if there is none, PageError if it breaks the format."""
    return parse(_text(id), paths()[id].name)


@functools.cache
def _blocks(id: str) -> tuple[CommandBlock, ...]:
    return blocks_in(_FRONT.sub("", _text(id), count=1), paths()[id].name)


def _of(
    id: str, purpose: Purpose, variables: Mapping[str, str], place: Place
) -> list[CommandBlock]:
    """The blocks of one purpose on a check's page that suit a finding.

    None if there is no readable page.
    """
    try:
        blocks = _blocks(id)
    except (KeyError, PageError, OSError):
        return []
    return [
        block
        for block in blocks
        if block.purpose == purpose and block.suits(variables, place.traits)
    ]


_OF_ENGINE = LazyPattern(r"\bsystemctl (?=[a-z-]+ docker\b|daemon-reload\b)")
_OF_USER = (
    ("systemctl --user ", "systemctl "),
    ('"$HOME"/.config/systemd/user/', "/etc/systemd/system/"),
)
"""What the unit of a rootless engine needs, and what stands for it on a page."""


def _for_place(text: str, place: Place) -> str:
    """The commands as they work at this place.

    A rootless engine is a unit of its user's own systemd.
    """
    if "rootless" not in place.traits:
        return text
    (own, _), (folder, system) = _OF_USER
    return _OF_ENGINE.sub(own, text).replace(system, folder)


def _filled(block: CommandBlock, variables: Mapping[str, str], place: Place) -> Command:
    return Command(
        block.purpose,
        block.risk,
        fill(_for_place(block.text, place), variables, place.docker),
        block.impact,
        block.example,
    )


def commands(
    id: str, variables: Mapping[str, str], place: Place, *, examples: bool = False
) -> Iterator[Command]:
    """The page's fixes for one finding, least risk first; nothing if there is no readable page.

    examples: with the blocks that hold values which only the reader knows.
    """
    for block in sorted(
        _of(id, "fix", variables, place), key=lambda block: RISKS.index(block.risk)
    ):
        if examples or not block.example:
            yield _filled(block, variables, place)


def looks(id: str, purpose: Purpose, variables: Mapping[str, str], place: Place) -> list[Command]:
    """The page's commands of one purpose for one finding, in the order of the page.

    None if there is no readable page.
    """
    return [_filled(block, variables, place) for block in _of(id, purpose, variables, place)]


def cure(id: str, variables: Mapping[str, str], place: Place) -> Command | None:
    """The page's fix of least risk for one finding, the first on the page among equals.

    None if the page has none that suits.
    """
    return next(commands(id, variables, place), None)


_BY_HAND = LazyPattern(r"^By hand: (.*?)\n\n", re.DOTALL | re.MULTILINE)


def by_hand(id: str, variables: Mapping[str, str]) -> str:
    """What a person does where no command heals, in words.

    The first paragraph of the page that begins with "By hand:" and that the finding can fill; empty
    if there is none.
    """
    try:
        body = _text(id)
    except (KeyError, OSError):
        return ""
    paragraphs = (" ".join(match[1].split()) for match in _BY_HAND.finditer(body))
    suits = (text for text in paragraphs if placeholders(text) <= variables.keys())
    text = fill(next(suits, ""), variables)
    return text[:1].upper() + text[1:]


_WORD = r"""(?:[\w@%+=:,./-]+|"[^"$`\\!\n]*"|'[^'\n]*'(?:"'"'[^'\n]*')*)"""
"""A shell word as `quoted` writes it."""
_ENGINE = rf"(?:docker|podman|docker (?:--context|-H) {_WORD})"
"""What `{docker}` is filled with."""


def has_fix(id: str, text: str) -> bool:
    """Whether a text is one of the page's fixes, filled with any words.

    A report of another host may hold any text.
    """
    try:
        blocks = _blocks(id)
    except (KeyError, PageError, OSError):
        return False
    plain = text
    for own, on_page in _OF_USER:
        plain = plain.replace(own, on_page)
    return any(_pattern(block.text).fullmatch(plain) for block in blocks if block.purpose == "fix")


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """A block's text with any shell word in the place of a placeholder."""
    parts = _PLACEHOLDER.split(text)
    words = [_ENGINE if name == "docker" else _WORD for name in parts[1::2]]
    plain = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(a + b for a, b in zip(plain, [*words, ""], strict=True)), re.ASCII)


def confirm(id: str, variables: Mapping[str, str], place: Place) -> Command | None:
    """The page's first confirm command that tells more than a report.

    None if there is none, or no readable page.
    """
    blocks = _of(id, "confirm", variables, place)
    telling = (block for block in blocks if not block.reported)
    return next((_filled(block, variables, place) for block in telling), None)
