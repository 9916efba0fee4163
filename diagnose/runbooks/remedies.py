"""The remedies of a page for one finding, as they are typed on the finding's host.

Without a readable page there is nothing to offer, which is not an error.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Self

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Report, Reported, Trait
from diagnose.phrases import capitalised
from diagnose.runbooks import files
from diagnose.runbooks.filling import PLACEHOLDER, fill, fill_prose, placeholders
from diagnose.runbooks.format import RISKS, CommandBlock, PageError, Purpose, Risk
from diagnose.runbooks.service_commands import for_host, on_page


class Place(msgspec.Struct, frozen=True):
    """The place where commands will be typed.

    The command that reaches the engine, and the traits of the host.
    """

    docker: str = "docker"
    traits: frozenset[Trait] = frozenset({"systemd"})
    restarting: frozenset[str] = frozenset()
    """The containers that wait for their next restart by the engine."""

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(report.docker, report.traits, report.restarting)


class Command(msgspec.Struct, frozen=True):
    """A block filled for one finding, ready to be typed."""

    purpose: Purpose
    risk: Risk
    text: str
    impact: str
    example: bool = False
    """Whether its reader has to put values of their own into it first."""
    may_fail: bool = False
    """Whether no output, or an exit code other than 0, is an answer too."""
    needs_words: bool = False
    """Whether what heals has to be said in words too: only its reader knows a value, or it is worth
    a try and no more."""


def commands(
    id: str, variables: Mapping[str, str], place: Place, *, examples: bool = False
) -> Iterator[Command]:
    """The page's fixes for one finding, least risk first.

    examples: with the blocks that hold values which only the reader knows.
    """
    fixes = _suiting_blocks(id, "fix", variables, place)
    for block in sorted(fixes, key=lambda block: RISKS.index(block.risk)):
        if examples or not block.example:
            yield _filled_command(block, variables, place)


def looks(id: str, purpose: Purpose, variables: Mapping[str, str], place: Place) -> list[Command]:
    """The page's commands of one purpose for one finding, in the order of the page."""
    blocks = _suiting_blocks(id, purpose, variables, place)
    return [_filled_command(block, variables, place) for block in blocks]


def confirm(id: str, variables: Mapping[str, str], place: Place) -> Command | None:
    """The page's first confirm command that tells more than a report; None if there is none."""
    for block in _suiting_blocks(id, "confirm", variables, place):
        if not block.reported:
            return _filled_command(block, variables, place)
    return None


def cure(id: str, variables: Mapping[str, str], place: Place) -> Command | None:
    """The page's fix of least risk for one finding, the first on the page among equals.

    None if the page has none that suits.
    """
    return next(commands(id, variables, place), None)


def cure_of(finding: Reported, place: Place) -> Command | None:
    """The cure of a finding in a report."""
    return cure(finding.id, finding.finding.variables, place)


def _suiting_blocks(
    id: str, purpose: Purpose, variables: Mapping[str, str], place: Place
) -> tuple[CommandBlock, ...]:
    """The blocks of one purpose on a check's page that suit a finding."""
    return _blocks_by_names(id, purpose, frozenset(variables), place.traits)


@functools.lru_cache(2048)
def _blocks_by_names(
    id: str, purpose: Purpose, names: frozenset[str], traits: frozenset[Trait]
) -> tuple[CommandBlock, ...]:
    """The blocks that suit each finding with variables of these names: a host may have 40,000 of a
    kind."""
    return tuple(
        block for block in _blocks(id) if block.purpose == purpose and block.suits(names, traits)
    )


def _blocks(id: str) -> tuple[CommandBlock, ...]:
    """All blocks of a check's page; none if there is no readable page."""
    try:
        return files.blocks(id)
    except (KeyError, PageError, OSError):
        return ()


def _filled_command(block: CommandBlock, variables: Mapping[str, str], place: Place) -> Command:
    """A block of a page as a command for this host and this finding."""
    text = for_host(fill(block.text, variables, place.docker), place.traits)
    text = _without_idle_start(text, place)
    # one line: a script has it as a comment
    impact = fill_prose(block.impact, variables, place.docker)
    needs_words = block.manual or block.may_help or block.risk == "destructive"
    return Command(
        block.purpose,
        risk=block.risk,
        text=text,
        impact=impact,
        example=block.example,
        may_fail=block.may_fail,
        needs_words=needs_words,
    )


def _without_idle_start(text: str, place: Place) -> str:
    """The commands with `restart` in the place of a `start` that would do nothing.

    The engine takes a container that waits for its next restart for a running one: `docker start`
    answers with its name, and the wait of up to a minute goes on.
    """
    start = f"{place.docker} start "
    if not place.restarting or start not in text:
        return text

    def _replaced_start(match: re.Match[str]) -> str:
        is_idle = match["name"] in place.restarting
        return match[0].replace(" start ", " restart ") if is_idle else match[0]

    return re.sub(rf"{re.escape(start)}(?P<name>[\w.-]+)", _replaced_start, text)


_BY_HAND = LazyPattern(r"^By hand: (.*?)\n\n", re.DOTALL | re.MULTILINE)


def by_hand(id: str, variables: Mapping[str, str]) -> str:
    """The words for a person where no command heals.

    The first paragraph of the page that begins with "By hand:" and that the finding can fill; empty
    if there is none.
    """
    try:
        body = files.text(id)
    except (KeyError, OSError):
        return ""
    for match in _BY_HAND.finditer(body):
        if placeholders(match[1]) <= variables.keys():
            text = fill_prose(match[1], variables)
            return text if match[1].startswith("{") else capitalised(text)
    return ""


_WORD = r"""(?:[\w@%+=:,./-]+|"(?:[^"$`\\!\n]|\\["$`\\])*"|'[^'\n]*'(?:"'"'[^'\n]*')*)"""
"""A shell word as `quoted` writes it."""
_ENGINE = rf"(?:docker|podman|docker (?:--context|-H) {_WORD})"
"""What `{docker}` is filled with."""


def has_fix(id: str, text: str) -> bool:
    """Whether a text is one of the page's fixes, filled with any words.

    A report of another host may hold any text.
    """
    fixes = [block.text for block in _blocks(id) if block.purpose == "fix"]
    return any(_pattern(fix).fullmatch(words) for words in on_page(text) for fix in fixes)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """A block's text with any shell word in the place of a placeholder."""
    pieces: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        pieces.append(re.escape(text[end : match.start()]))
        pieces.append(_ENGINE if match[1] == "docker" else _WORD)
        end = match.end()
    pieces.append(re.escape(text[end:]))
    return re.compile("".join(pieces), re.ASCII)
