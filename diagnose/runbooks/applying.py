"""The part of a page that applies to one finding, with the finding's values.

A page tells many cases apart, and has up to a hundred blocks of commands. On one host two or three
of them apply.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.markdown_text import code_span, escaped, fenced
from diagnose.runbooks.fences import Fence, split_at_fences
from diagnose.runbooks.filling import PLACEHOLDER, fill, fill_span, placeholders
from diagnose.runbooks.format import Page, block_of
from diagnose.runbooks.remedies import Place
from diagnose.runbooks.service_commands import for_host

_BY_HAND = "By hand:"
_BLANK_LINES = LazyPattern(r"\n(?:[ \t]*\n)+")


class ApplyingPage(msgspec.Struct, frozen=True):
    """The Markdown of a page without the cases that a finding is not about."""

    body: str
    left_out: int
    """How many blocks of commands do not apply."""


class _Case(msgspec.Struct, frozen=True):
    """A paragraph of prose, and the blocks of commands that it introduces."""

    prose: str
    fences: tuple[Fence, ...]

    @property
    def is_of_a_kind(self) -> bool:
        """Whether it is about some findings alone: it has commands, a value, or a cure by hand."""
        is_by_hand = self.prose.startswith(_BY_HAND)
        return bool(self.fences or placeholders(self.prose)) or is_by_hand

    @property
    def heading_level(self) -> int:
        """1 for the page's title; 0 for what is not a heading."""
        return len(self.prose) - len(self.prose.lstrip("#"))


def applying(
    page: Page, variables: Mapping[str, str], place: Place, clean: Callable[[str], str]
) -> ApplyingPage:
    """The cases of a page that a finding with these variables can fill on this host.

    clean: makes a value of the finding fit for a screen.
    """
    values = {name: clean(value) for name, value in variables.items()}
    cases = tuple(_cases(page.body))
    kept = _without_empty_sections(tuple(_fitting_cases(cases, page.id, values, place)))
    texts = itertools.chain.from_iterable(_texts(case, values, place) for case in kept)
    body = "\n\n".join(texts)
    return ApplyingPage(body=f"{body}\n", left_out=_fences_in(cases) - _fences_in(kept))


def _fences_in(cases: Iterable[_Case]) -> int:
    return sum(len(case.fences) for case in cases)


def _texts(case: _Case, variables: Mapping[str, str], place: Place) -> Iterator[str]:
    """The paragraph of a case and its blocks, with their values."""
    if case.prose:
        yield _filled_prose(case.prose, variables, place)
    for fence in case.fences:
        yield _filled_fence(fence, variables, place)


def _cases(body: str) -> Iterator[_Case]:
    """The cases of a page in its order; a heading, or prose without commands, is one of its own."""
    prose = ""
    fences: list[Fence] = []
    for piece in _pieces(body):
        if isinstance(piece, Fence):
            fences.append(piece)
            continue
        if prose or fences:
            yield _Case(prose, tuple(fences))
        prose, fences = piece, []
        if piece.startswith("#"):
            yield _Case(piece, ())
            prose = ""
    if prose or fences:
        yield _Case(prose, tuple(fences))


def _pieces(body: str) -> Iterator[str | Fence]:
    """Paragraphs, headings, lists, tables and fenced blocks, each whole."""
    for part in split_at_fences(body):
        if isinstance(part, Fence):
            yield part
        else:
            yield from filter(None, _BLANK_LINES.split(part.strip("\n")))


def _fitting_cases(
    cases: Iterable[_Case], page_id: str, variables: Mapping[str, str], place: Place
) -> Iterator[_Case]:
    """The cases that apply, with what they have of it.

    Prose without commands and without a value belongs to the case above it: it goes with that one.
    """
    follows_left_out = False
    for case in cases:
        fitting = _fitting_case(case, page_id, variables, place)
        if case.heading_level:
            follows_left_out = False
        elif case.is_of_a_kind:
            follows_left_out = fitting is None
        elif follows_left_out:
            continue
        if fitting is not None:
            yield fitting


def _fitting_case(
    case: _Case, page_id: str, variables: Mapping[str, str], place: Place
) -> _Case | None:
    """The case with the blocks that apply; None where none does, or its prose lacks a value."""
    if not placeholders(case.prose) <= {*variables, "docker"}:
        return None
    if not case.fences:
        return case
    fences = tuple(fence for fence in case.fences if _suits(fence, page_id, variables, place))
    return _Case(case.prose, fences) if fences else None


def _suits(fence: Fence, page_id: str, variables: Mapping[str, str], place: Place) -> bool:
    """Whether a block applies; one that holds no commands always does."""
    block = block_of(fence, "", page_id)
    return block is None or block.suits(variables, place.traits)


def _without_empty_sections(cases: Sequence[_Case]) -> list[_Case]:
    """The cases without headings below which nothing is left."""
    following: Sequence[_Case | None] = [*cases[1:], None]
    return [
        case
        for case, next_case in zip(cases, following, strict=True)
        if not _is_empty_section(case, next_case)
    ]


def _is_empty_section(case: _Case, next_case: _Case | None) -> bool:
    """Whether a heading is followed by no text, and by no heading of a lower rank."""
    if not case.heading_level:
        return False
    return next_case is None or 0 < next_case.heading_level <= case.heading_level


def _filled_fence(fence: Fence, variables: Mapping[str, str], place: Place) -> str:
    """A block of commands with its values. No value can end the block."""
    commands = fill(fence.text, variables, place.docker)
    return fenced(for_host(commands, place.traits), fence.info)


def _filled_prose(prose: str, variables: Mapping[str, str], place: Place) -> str:
    """A paragraph with its values, none of which is Markdown.

    Between backticks it is a command; see `fill_span`.
    """
    if not placeholders(prose):
        return prose
    pieces = prose.split("`")
    for number, piece in enumerate(pieces):
        if number % 2:
            pieces[number] = code_span(fill_span(piece, variables, place.docker))
        else:
            pieces[number] = PLACEHOLDER.sub(
                lambda match: escaped(variables.get(match[1], match[0])), piece
            )
    return "".join(pieces)
