"""The words that a text must hold for a pattern to match it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnose.error_signatures import PATTERNS, signs
from diagnose.required_words import required_words

WORDS = {
    r"no space left": {"no space left"},
    r"timed? ?out": {"time"},
    r"EIO|stale": {"eio", "stale"},
    r"(?:too many|few) files": {" files"},
    r"(?:connection|dial) (?:refused)+": {"refused"},
    r"x?y*(?:z{0,2})": None,
    r"refused|\d+": None,
    r"(?!never)[a-z]+ once": {" once"},
}


@pytest.mark.parametrize("pattern", WORDS)
def test_required_words(pattern: str) -> None:
    words = required_words(pattern, re.IGNORECASE)
    assert words == WORDS[pattern]


@pytest.mark.parametrize("sign", PATTERNS)
def test_each_class_of_error_is_tried_on_few_lines(sign: str) -> None:
    """A class without such words would be tried on each line of each log."""
    words = required_words(PATTERNS[sign], re.IGNORECASE)
    assert words is not None
    assert min(map(len, words)) >= 3


def test_no_class_is_missed_that_a_pattern_finds() -> None:
    """On the ends of real logs, which hold lines of most classes."""
    logs = Path(__file__).parent / "data" / "program_logs"
    lines = {line for name in ("tuning", "starts") for line in (logs / f"{name}.txt").open()}
    found = {line: signs(line) for line in lines}
    assert len(frozenset().union(*found.values())) > len(PATTERNS) / 3
    for line, shown in found.items():
        by_pattern = {
            sign for sign, text in PATTERNS.items() if re.search(text, line, re.IGNORECASE)
        }
        assert shown == by_pattern, line
