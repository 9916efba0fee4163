"""The words of phrases are a cheap test before their pattern: they must not hide what it finds."""

from __future__ import annotations

import pytest

from diagnose.programs.line_phrases import EXPLAINS, STRONG, Phrases
from tests.redact.worst import matching_texts


@pytest.mark.parametrize("phrases", [EXPLAINS, STRONG], ids=["explains", "strong"])
def test_no_alternative_of_a_pattern_lacks_a_word(phrases: Phrases) -> None:
    texts = [text.lower() for text in matching_texts(phrases.pattern.compiled, 20_000)]
    found = [text for text in texts if phrases.pattern.search(text)]
    assert len(found) > 1000
    assert [text for text in found if not phrases.are_in(text)] == []
