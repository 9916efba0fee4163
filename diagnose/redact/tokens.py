"""Secrets that show by their own shape, whatever name they stand under: the tokens of `vendors`."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.patterns import Mark
from diagnose.redact.vendors import SHAPES, VENDORS, Vendor

_LONG = 19
"""No token is shorter, and few words of a text are that long: only those are looked at."""
HEX = "0123456789abcdef"
"""A digest or an id: no token is made of these alone, and most long words are."""
_WORD = re.compile(r"[\w.~+/=-]+")
_IN_WORDS = LazyPattern(r"[\w.~-]+")
_SHORT_OF_A_WORD = frozenset(("00D", "token-", "kubeconfig-u-", "kubeconfig-user-", "K10", "BBDC-"))
"""Prefixes of tokens with a sign inside, so that the word that begins with the prefix may be short.
"""
_BETWEEN_WORDS = frozenset((":AA", "3AAA", "|"))
"""Signs of shapes that are not part of a word."""


class _Prefix(msgspec.Struct, frozen=True, order=True):
    """One beginning of a token, and its row."""

    place: int
    """They are replaced in the table's order."""
    text: str
    vendor: Vendor


_LISTED = [(text, vendor) for vendor in VENDORS for text in vendor.prefixes]
_PREFIXES = tuple(_Prefix(place, text, vendor) for place, (text, vendor) in enumerate(_LISTED))


def _is_apart(prefix: str) -> bool:
    """Whether a prefix may be in a text without standing in one of its long words."""
    return prefix in _SHORT_OF_A_WORD or not _IN_WORDS.fullmatch(prefix)


_APART = tuple(prefix for prefix in _PREFIXES if _is_apart(prefix.text))
_TOLD_BY = 2
"""So many letters of a word tell whether it may begin with a prefix."""


def _by_beginning(prefixes: Iterable[_Prefix]) -> dict[str, list[_Prefix]]:
    """Prefixes by their first letters."""
    by_beginning: dict[str, list[_Prefix]] = {}
    for prefix in prefixes:
        by_beginning.setdefault(prefix.text[:_TOLD_BY], []).append(prefix)
    return by_beginning


_BEGINS_WITH = _by_beginning(prefix for prefix in _PREFIXES if not _is_apart(prefix.text))
_BEGINNINGS = re.compile(
    r"(?<![A-Za-mo-qsu-z0-9])"
    f"(?=([{''.join(sorted({beginning[0] for beginning in _BEGINS_WITH}))}]"
    f".{{{_TOLD_BY - 1}}}))"
)
"""What may begin a prefix, where a word begins; after n, r or t too, since those may be the end of
an escaped new line or tab. A pattern of all prefixes would take 7 ms of every run to compile."""


@cache
def _rest_pattern(vendor: Vendor) -> re.Pattern[str]:
    return re.compile(vendor.rest)


def long_words(text: str) -> set[str]:
    """The words between blanks that are long enough for a token."""
    return {chunk for chunk in text.split() if len(chunk) >= _LONG}


def redact_shapes(text: str, chunks: Iterable[str], mark: Mark) -> str:
    """The text without the secrets that show by their own shape. chunks: its long words."""
    words = set(_WORD.findall(" ".join(chunks)))
    long = " ".join([word for word in words if len(word) >= _LONG and word.strip(HEX)])
    if not long:
        return text
    for prefix in sorted(_prefixes_in(long)):
        if prefix.text in text:
            text = without(text, prefix.text, prefix.vendor, mark)
    for shape in SHAPES:
        where = text if shape.sign in _BETWEEN_WORDS else long
        if shape.sign in where and shape.pattern.search(where):
            text = shape.pattern.sub(_marking(shape.kind, mark), text)
    return text


def _prefixes_in(words: str) -> Iterator[_Prefix]:
    """The prefixes that one of the words may begin with, and those that stand apart from words."""
    yield from _APART
    for beginning in _BEGINS_WITH.keys() & _BEGINNINGS.findall(words):
        yield from _BEGINS_WITH[beginning]


def _marking(kind: str, mark: Mark) -> Callable[[re.Match[str]], str]:
    """A function that replaces the secret of a match by its mark."""
    return lambda match: match[0].replace(match[1], mark(kind, match[1], match[0]))


def without(text: str, start: str, vendor: Vendor, mark: Mark) -> str:
    """The text without the tokens of a vendor that begin with this prefix."""
    rest = _rest_pattern(vendor)
    pieces: list[str] = []
    done = at = 0
    while (at := text.find(start, at)) >= 0:
        match = rest.match(text, at + len(start)) if _begins_a_word(text, at) else None
        if match is None:
            at += len(start)
            continue
        left = match.start() if vendor.keeps else at
        phrase = text[at : match.end()]
        pieces += (text[done:left], mark(vendor.kind, text[left : match.end()], phrase))
        done = at = match.end()
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _begins_a_word(text: str, at: int) -> bool:
    """Whether no letter or digit comes before this place, an escaped new line or tab aside."""
    before = text[at - 1 : at]
    if not (before.isascii() and before.isalnum()):
        return True
    return before in "nrt" and text[at - 2 : at - 1] == "\\"
