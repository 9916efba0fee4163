"""Words as somebody types them in a hurry: with a slip, or in one piece where pages have two."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from diagnose.mappings import paired
from diagnose.symptoms.words import PARTICLES

LEAST_LETTERS = 5
"""A word with fewer letters is not corrected: too many others are near it."""
LEAST_PART = 3
"""The least number of letters in each part of a word that is written in two."""
MOST_WORDS = 60
"""In a text with more words, such as a pasted log, no spelling is corrected."""


def read_as(
    words: Iterable[str], counts: Mapping[str, int], pairs: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    """The words in the spelling of the pages.

    counts: the number of times of each word. pairs: the two words that the pages have for one.
    """
    joined = list(_joined_words(words, counts))
    corrections = _corrections(joined, counts)
    for word in joined:
        if word in pairs:
            yield from pairs[word]
        else:
            yield corrections.get(word, word)


def _joined_words(words: Iterable[str], counts: Collection[str]) -> Iterator[str]:
    """The words, with one word for a verb and its particle where the pages have that: "log in"."""
    verb = ""
    for word in words:
        if verb and word in PARTICLES and verb + word in counts:
            yield verb + word
            verb = ""
            continue
        if verb:
            yield verb
        verb = word
    if verb:
        yield verb


def _corrections(words: Sequence[str], counts: Mapping[str, int]) -> Mapping[str, str]:
    """The words with a slip, and the intended words; none where most words are of no page at all.

    Those are another language, or a log.
    """
    strange = [word for word in dict.fromkeys(words) if word not in counts]
    if len(words) > MOST_WORDS:
        return {}
    corrections = dict(paired(strange, lambda word: _nearest_word(word, counts)))
    return corrections if 2 * len(corrections) >= len(strange) else {}


def pairs_in(texts: Iterable[Iterable[str]], plain: Collection[str]) -> dict[str, tuple[str, str]]:
    """The two words that follow each other, by the word in one piece; none of them is one of the
    plain."""
    pairs: dict[str, tuple[str, str]] = {}
    for words in texts:
        before = ""
        for word in words:
            if word in plain or len(word) < LEAST_PART or not word.isalpha():
                before = ""
                continue
            if before:
                pairs[before + word] = (before, word)
            before = word
    return pairs


def _nearest_word(word: str, counts: Mapping[str, int]) -> str:
    """The most common known word that differs by one slip; "" for none."""
    if len(word) < LEAST_LETTERS or not word.isalpha():
        return ""
    similar_words = [
        other
        for other in counts
        if other[0] == word[0] and len(other) >= LEAST_LETTERS and is_one_slip(word, other)
    ]
    return max(similar_words, key=lambda other: counts[other], default="")


def is_one_slip(word: str, other: str) -> bool:
    """Whether one letter is missing, too much or wrong, or two letters have changed places."""
    shorter = min(len(word), len(other))
    begin = 0
    while begin < shorter and word[begin] == other[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and word[-1 - end] == other[-1 - end]:
        end += 1
    rest = word[begin : len(word) - end]
    other_rest = other[begin : len(other) - end]
    if len(rest) <= 1 and len(other_rest) <= 1:
        return True
    return len(rest) == len(other_rest) == 2 and rest == other_rest[::-1]
