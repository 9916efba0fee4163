"""A row's marks are a cheap test before its pattern: they must not hide what the pattern finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pytest

from diagnose.programs.failures import (
    BUILD_ERRORS,
    ENGINE_CALLS,
    ENGINE_ERRORS,
    ENGINE_REQUESTS,
    FAILURES,
    KERNEL_LINES,
    REFUSAL_FORMS,
    REFUSED_CALLS,
    REFUSED_COMMANDS,
    REGISTRY_ERRORS,
    START_ERRORS,
    TRACED_ERRORS,
    Failure,
)
from diagnose.programs.families import FAMILIES
from tests.redact.worst import matching_texts

pytestmark = pytest.mark.timeout(600)

TABLES: Mapping[str, Iterable[Failure]] = {
    "build errors": BUILD_ERRORS,
    "engine calls": ENGINE_CALLS,
    "engine errors": ENGINE_ERRORS,
    "engine requests": ENGINE_REQUESTS,
    "failures": FAILURES,
    "families": FAMILIES,
    "kernel lines": KERNEL_LINES,
    "refusal forms": REFUSAL_FORMS,
    "refused calls": REFUSED_CALLS,
    "refused commands": REFUSED_COMMANDS,
    "registry errors": REGISTRY_ERRORS,
    "start errors": START_ERRORS,
    "traced errors": TRACED_ERRORS,
}
TRIES = 24
"""So many texts reach most alternatives of a pattern; the dice are the same in each run."""


@pytest.mark.parametrize("name", TABLES)
def test_no_alternative_of_a_pattern_lacks_a_mark(name: str) -> None:
    """A mark that stands beside the match, in none of its texts, narrows the row on purpose."""
    for row in TABLES[name]:
        texts = list(matching_texts(row.compiled, TRIES))
        hidden = [text for text in texts if not row.may_be_in(text.lower())]
        assert len(hidden) in (0, len(texts)), f"{row.name} {row.marks}: {hidden[0]!r}"


@pytest.mark.parametrize("name", TABLES)
def test_no_repeat_of_a_pattern_was_lost_in_an_f_string(name: str) -> None:
    """In an f-string `{0,80}` is the tuple (0, 80): the pattern compiles, and finds nothing."""
    lost = [row.name for row in TABLES[name] if re.search(r"\(\d+, \d+\)", row.pattern)]
    assert lost == []
