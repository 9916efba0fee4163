"""How long ago something was, as sentences say it."""

from __future__ import annotations

import pytest

from diagnose.evidence.machine.clock import Clock

NOW = 1_800_000_000.0
AGES = {
    "minutes": (NOW - 720, "12 min ago"),
    "seconds": (NOW - 1.2, "1 s ago"),
    "a moment": (NOW - 0.2, "less than 1 s ago"),
    "a clock that is behind": (NOW + 40, "less than 1 s ago"),
    "not known": (None, "at an unknown time"),
}


@pytest.mark.parametrize(("moment", "words"), AGES.values(), ids=AGES)
def test_how_long_ago(moment: float | None, words: str) -> None:
    assert Clock(NOW, 0.0).ago(moment) == words
