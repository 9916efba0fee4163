"""The laws about complaints: what pages say that a person says who does not know the fault."""

from __future__ import annotations

from collections import Counter

import pytest

from diagnose import registry, runbooks
from diagnose.symptoms import search
from diagnose.symptoms.page_words import read
from diagnose.symptoms.words import spoken_words
from tests.laws.house import PAGES

FIRST = 3
"""A reader looks at so many pages."""
IDS = sorted(set(PAGES) & set(registry.load()))
FEWEST, MOST = 2, 5
LONGEST = 80
"""So many letters has what somebody types in a hurry."""


@pytest.mark.parametrize("id", IDS)
def test_a_page_is_found_by_each_of_its_complaints(id: str) -> None:
    complaints = runbooks.page(id).complaints
    assert FEWEST <= len(complaints) <= MOST, "`complaints:` in the front matter is a list"
    assert [text for text in complaints if len(text) > LONGEST] == []
    missed = {
        text: found
        for text in complaints
        if id not in (found := [match.id for match in search.matching(text)[:FIRST]])
    }
    assert missed == {}, "say what tells this fault from those that come first"


def test_no_complaint_is_on_two_pages() -> None:
    """Nor in other words that mean the same to the search."""
    pages = Counter(
        frozenset(spoken_words(read(text))) for id in IDS for text in runbooks.page(id).complaints
    )
    assert [sorted(words) for words, number in pages.items() if number > 1] == []
