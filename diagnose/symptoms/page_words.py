"""The words of each page about its fault, and the reading of a question's words."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from diagnose import registry, runbooks
from diagnose.symptoms import spelling
from diagnose.symptoms.words import COMMON, MEANINGS, plain_words


class PageTexts(msgspec.Struct, frozen=True):
    """The texts of a page and its check about a fault."""

    title: str
    complaints: tuple[str, ...] = ()
    symptom: str = ""
    reason: str = ""


class PageVocabulary(msgspec.Struct, frozen=True):
    """The words of all pages."""

    known: Mapping[str, int]
    """The number of times that each word is there."""
    pairs: Mapping[str, tuple[str, str]]
    """Two words that follow each other there, by the word in one piece."""


def read(text: str) -> list[str]:
    """The words of a text in the spelling of the pages: with slips corrected, and joined words in
    two pieces."""
    lexicon = _page_vocabulary()
    return list(spelling.read_as(plain_words(text), lexicon.known, lexicon.pairs))


@functools.cache
def page_texts() -> Mapping[str, PageTexts]:
    """The texts of each known check that has a page, by id."""
    checks = registry.load()
    return {id: _texts(id, checks[id].title) for id in runbooks.paths() if id in checks}


def _texts(id: str, title: str) -> PageTexts:
    try:
        page = runbooks.page(id)
    except runbooks.PageError:
        return PageTexts(title)
    symptom = page.section("Symptom")
    reason = page.section("Why it matters")
    return PageTexts(title, page.complaints, symptom, reason)


@functools.cache
def _page_vocabulary() -> PageVocabulary:
    words_of_sentences = [plain_words(sentence) for sentence in _sentences()]
    counts = Counter(word for words in words_of_sentences for word in words)
    counts.update(COMMON | MEANINGS)
    return PageVocabulary(counts, spelling.pairs_in(words_of_sentences, COMMON))


def _sentences() -> Iterator[str]:
    for texts in page_texts().values():
        yield texts.title
        yield from texts.complaints
        yield texts.symptom
        yield texts.reason
