"""The closeness of a question's words to the complaints that the pages have."""

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.symptoms.page_words import page_texts, read
from diagnose.symptoms.words import kind_of, spoken_words

_OF_A_KIND = 0.6
"""The weight of a word where the complaint has another word with the same meaning."""
_LEFT_OUT = 0.5
"""The weight of a word of the question against a complaint that does not have it."""
_UNSAID = 0.3
"""The weight of a word of the complaint against it where the question does not have it."""
_UNKNOWN_IN = 3
"""A word that no complaint has counts like one that this many have."""


class Complaint(msgspec.Struct, frozen=True):
    """A complaint of a page, by its words and its kinds of words."""

    page: str
    stems: frozenset[str]
    kinds: frozenset[str]


class ComplaintIndex(msgspec.Struct, frozen=True):
    """All complaints, with the places of each word."""

    complaints: Sequence[Complaint]
    totals: Sequence[float]
    """The weight of all words of each complaint."""
    places_of_stem: Mapping[str, Sequence[int]]
    places_of_kind: Mapping[str, Sequence[int]]

    def weight_of(self, term: str) -> float:
        """The weight of a word: a rare word counts more than a common one."""
        number_of_places = len(self.places_of_stem.get(term, ())) or _UNKNOWN_IN
        return math.log(
            1 + (len(self.complaints) - number_of_places + 0.5) / (number_of_places + 0.5)
        )


def closeness_of_pages(question: str) -> Mapping[str, float]:
    """The closeness of the nearest complaint of each page: 1.0 has the very words. Other pages are
    left out.

    Words that no page has make all of them less near, as a foreign language does. The common part
    of question and complaint is divided by the sum of it and a part of the words that only one of
    them has.
    """
    index = _index()
    weights = {term: index.weight_of(term) for term in spoken_words(read(question))}
    shared: dict[int, float] = defaultdict(float)
    for term, weight in weights.items():
        for place in index.places_of_stem.get(term, ()):
            shared[place] += weight
        for place in index.places_of_kind.get(kind_of(term), ()):
            if term not in index.complaints[place].stems:
                shared[place] += _OF_A_KIND * weight
    whole = sum(weights.values())
    nearest: dict[str, float] = {}
    for place, common in shared.items():
        unsaid = max(0.0, index.totals[place] - common)
        value = common / (common + _LEFT_OUT * (whole - common) + _UNSAID * unsaid)
        page = index.complaints[place].page
        nearest[page] = max(nearest.get(page, 0.0), value)
    return nearest


@functools.cache
def _index() -> ComplaintIndex:
    complaints = tuple(_complaints())
    stems: dict[str, list[int]] = defaultdict(list)
    kinds: dict[str, list[int]] = defaultdict(list)
    for place, complaint in enumerate(complaints):
        for term in complaint.stems:
            stems[term].append(place)
        for kind in complaint.kinds:
            kinds[kind].append(place)
    index = ComplaintIndex(complaints, (), stems, kinds)
    totals = [sum(map(index.weight_of, complaint.stems)) for complaint in complaints]
    return msgspec.structs.replace(index, totals=totals)


def _complaints() -> Iterator[Complaint]:
    for id, texts in page_texts().items():
        for text in texts.complaints:
            stems = frozenset(spoken_words(read(text)))
            yield Complaint(id, stems, frozenset(map(kind_of, stems)))
