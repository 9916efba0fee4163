"""The words by which the same error is found again: `diagnose/programs/steady_words.py`."""

from __future__ import annotations

import pytest

from diagnose.programs.steady_words import steady_words

LINES = {
    "numbers differ": ("job 17 failed to reach the mail server at 10.0.0.3", "failed to reach the mail server at"),
    "names in quotes differ": ('cannot open "a.jpg": no such picture', "no such picture"),
    "what is hidden": ("login <redacted:password:1a2b> failed", ""),
    "too short": ("error 17", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), LINES.values(), ids=LINES)
def test_steady_words(text: str, words: str) -> None:
    assert steady_words(text, (f"2026-01-02 {text}",)) == words


def test_a_log_writes_a_text_in_another_way() -> None:
    assert steady_words("the disk is slow and the queue is full", ("the\\tdisk is slow",)) == ""
