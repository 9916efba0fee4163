"""The error messages that pages quote, and the share of one that is in a text.

A page's symptom has messages between backticks: `exec /app/server: exec format error`. Parts that
differ from host to host (a path, a number, the name of a network) need not agree.
"""

import functools
import math
from collections import Counter
from collections.abc import Collection, Mapping
from difflib import SequenceMatcher

import msgspec

from diagnose import runbooks
from diagnose.lazy_pattern import LazyPattern

LEAST_SHARE = 0.6
"""The share of a message's words that must be in the text, in their order."""
LEAST_WORDS = 3
"""A message with fewer words is found if all of it is there."""
MANY_WORDS = 8
"""A message of which this many words are there may be pasted in part: half of it is enough."""
MOST_WORDS = 400
"""At most this many last words of a text are compared: a message is one line, and comparing is
quadratic."""
LEAST_SCORE = 0.45
"""The least score with which the text is taken for the message of one page."""
LEAST_LEAD = 1.3
"""The least score of that page, as a multiple of the next one's."""
_QUOTE = LazyPattern(r"`([^`]+)`")
_COMMAND = LazyPattern(r"(?:docker|systemctl|diagnose|iptables|nft|ip|ls|curl) [^:]*$|-")
"""A quote that is a command, and no message."""
_WRAPPER = LazyPattern(
    r"(?:docker: )?error response from daemon:|failed to create task for container:"
    r"|failed to create shim(?: task)?:|oci runtime (?:create|exec) failed:|runc create failed:"
    r"|unable to start container process:|error during container init:"
    r"|container_linux\.go:\d+:|process_linux\.go:\d+:|starting container process caused:?"
)
"""Words of the engine and the runtime before every error: they explain none."""
_WORD = LazyPattern(r"[a-z][a-z0-9_]*")


class QuotedMessage(msgspec.Struct, frozen=True):
    """A message that a page quotes."""

    page: str
    words: tuple[str, ...]


def scores_of_pages(text: str, pages: Collection[str]) -> Mapping[str, float]:
    """The score of each page by the share of a quoted message that is in the text; rare words count
    more.

    1.0 is a message of ten words of which no other page has one. Pages without one are left out.
    """
    words = _words_of_message(_WRAPPER.sub(" ", text.lower()))[-MOST_WORDS:]
    all_words = frozenset(words)
    scores: dict[str, float] = {}
    for quote in _quotes():
        if quote.page in pages and len(all_words.intersection(quote.words)) >= 2:
            scores[quote.page] = max(
                scores.get(quote.page, 0.0), _score_of_quote(quote.words, words)
            )
    return {page: score for page, score in scores.items() if score}


def page_of_message(text: str, pages: Collection[str]) -> str:
    """The page whose message the text is, clearly before all others; "" for none."""
    ranked = sorted(scores_of_pages(text, pages).items(), key=lambda entry: -entry[1])
    if not ranked or ranked[0][1] < LEAST_SCORE:
        return ""
    is_clear = len(ranked) == 1 or ranked[0][1] >= LEAST_LEAD * ranked[1][1]
    return ranked[0][0] if is_clear else ""


def _score_of_quote(quoted: tuple[str, ...], words: list[str]) -> float:
    common = _shared_in_order(quoted, words)
    share = len(common) / len(quoted)
    least = LEAST_SHARE if len(common) < MANY_WORDS else 0.5
    if share < least or (len(common) < LEAST_WORDS and share < 1):
        return 0.0
    rarity = _rarity_of_words()
    return share * sum(rarity[word] for word in common) / (10 * rarity[""])


def _shared_in_order(quoted: tuple[str, ...], words: list[str]) -> list[str]:
    """The words of a message that the text has, in its order and close together."""
    longest = SequenceMatcher(None, quoted, words, autojunk=False).find_longest_match()
    first = max(0, longest.b - len(quoted))
    words_around = words[first : longest.b + longest.size + len(quoted)]
    blocks = SequenceMatcher(None, quoted, words_around, autojunk=False).get_matching_blocks()
    return [word for block in blocks for word in quoted[block.a : block.a + block.size]]


@functools.cache
def _quotes() -> tuple[QuotedMessage, ...]:
    messages = (
        QuotedMessage(id, tuple(_words_of_message(quoted)))
        for id in runbooks.paths()
        for quoted in _QUOTE.findall(_symptom_section(id))
        if not _COMMAND.match(quoted)
    )
    return tuple(message for message in messages if len(message.words) >= 2)


def _symptom_section(id: str) -> str:
    try:
        return runbooks.page(id).section("Symptom")
    except runbooks.PageError:
        return ""


@functools.cache
def _rarity_of_words() -> Mapping[str, float]:
    """The weight of each word: the fewer messages have it, the higher; "" is a word that one
    message has."""
    quotes = _quotes()
    number = Counter(word for quote in quotes for word in set(quote.words))
    number[""] = 1
    return {word: math.log(1 + len(quotes) / count) for word, count in number.items()}


def _words_of_message(text: str) -> list[str]:
    """The words of a message, without paths, numbers and ids."""
    spoken = " ".join(part for part in text.lower().split() if "/" not in part)
    return _WORD.findall(spoken)
