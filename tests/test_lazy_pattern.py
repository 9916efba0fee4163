"""Patterns of modules that are compiled when they are first needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnose.lazy_pattern import RarePattern
from diagnose.programs import callers, log_message, passed_lines
from tests.redact.worst import matching_texts

RARE = {
    name: pattern
    for module in (callers, log_message, passed_lines)
    for name, pattern in vars(module).items()
    if isinstance(pattern, RarePattern)
}
LOGS = Path(__file__).parent / "data" / "program_logs"


@pytest.mark.parametrize("name", RARE)
def test_a_rare_pattern_finds_what_it_would_find_without_its_words(name: str) -> None:
    pattern = RARE[name]
    assert "" not in pattern.words
    texts = {*matching_texts(pattern.compiled, 24), *(LOGS / "tuning.txt").read_text().split("\n")}
    for text in texts:
        assert (pattern.search(text) is None) == (pattern.compiled.search(text) is None), text


def test_a_pattern_without_words_is_searched_in_every_text() -> None:
    match = RarePattern(r"\d+|never", re.IGNORECASE).search("a 17")
    assert match is not None
    assert match[0] == "17"
