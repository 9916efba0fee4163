"""The keys of labels and variables that programs read of others, and keys that almost are. Pure.

A template is a key whose parts are words, words with `|` between them, `*` for a name of the user,
or `**` for whatever may follow.
"""

import functools
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.word_slips import is_nearly
from diagnose.word_sets import vocabulary

LONGEST = 200
"""Letters of a key that is compared."""
_NAME = "*"
_REST = "**"
_FEWEST = 3
"""Parts of a key, from which on the end of a template is taken for the whole."""
_DOMAINS = vocabulary("com io org")
"""First parts of keys that begin with a domain, which people leave out."""
_MOST_WORDS = 2
"""Words that a missing part may be; the first one is taken."""
_NUMBER = LazyPattern(r"^\d+_|_\d+$|\[\d+\]$")
"""The number of an entry of a list: `domains[0]`, `caddy_1`, `0_respond`."""
_MATCHER = "@"
"""The sign before a name that the user gave to a matcher of Caddy: `@header`."""
_NEEDLESS = vocabulary("enable enabled http docker label labels container")
"""Parts that people add to the key of another program."""


class LabelKeys(msgspec.Struct, frozen=True):
    """The keys of the labels that one program reads."""

    image: LazyPattern
    program: str
    templates: tuple[str, ...]
    are_variables: bool = False
    """Whether the program reads variables of containers in place of labels."""
    former: LazyPattern | None = None
    """The keys of an older version of the program, which this one does not read."""
    successor: str = ""
    """The key that this version reads in their place, with `*` for a name."""

    def knows(self, key: str) -> bool:
        """Whether the program reads a label of this key."""
        return any(_fits(key.split("."), template) for template in _split(self.templates))

    def replaces_former(self, key: str) -> bool:
        """Whether a label of this key does what those of the older version did."""
        return key.startswith(self.successor.partition("*")[0])

    def meant_by(self, key: str) -> str:
        """The key that the program reads and this one almost is; "" for none."""
        if len(key) > LONGEST or self.knows(key):
            return ""
        parts = key.split(".")
        return next(
            (
                ".".join(candidate)
                for candidates in _CORRECTIONS
                for template in _split(self.templates)
                for candidate in candidates(parts, template)
                if _fits(candidate, template)
            ),
            "",
        )


@functools.cache
def _split(templates: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Each template as the words that each of its parts may be."""
    return tuple(map(_words_of_parts, templates))


def _words_of_parts(template: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part.split("|")) for part in template.split("."))


def _fits(parts: Sequence[str], template: Sequence[Sequence[str]]) -> bool:
    """Whether a key is one of the template's. Case does not matter."""
    is_open = template[-1] == (_REST,)
    fixed = template[:-1] if is_open else template
    if len(parts) < len(fixed) or (len(parts) > len(fixed) and not is_open):
        return False
    return all(_is_one_of(part, words) for part, words in zip(parts, fixed, strict=False))


def _is_one_of(part: str, words: Sequence[str]) -> bool:
    return bool(part) and (
        words == (_NAME,) or _without_number(part).lower() in _lowered_words(words)
    )


@functools.cache
def _lowered_words(words: Sequence[str]) -> frozenset[str]:
    return frozenset(map(str.lower, words))


@functools.lru_cache(4096)
def _without_number(part: str) -> str:
    """A part of a key without the number of an entry."""
    return _NUMBER.sub("", part)


def _with_corrected_part(
    parts: Sequence[str], template: Sequence[Sequence[str]]
) -> Iterator[tuple[str, ...]]:
    """The key with the only part that does not fit replaced by a word that is nearly the same."""
    wrong = [
        at
        for at, (part, words) in enumerate(zip(parts, template, strict=False))
        if words != (_REST,) and not _is_one_of(part, words)
    ]
    at = wrong[0] if len(wrong) == 1 else None
    if at is None or parts[at].startswith(_MATCHER):
        return
    part = parts[at]
    plain = _without_number(part)
    for word in template[at]:
        if is_nearly(plain, word):
            yield (*parts[:at], part.replace(plain, word), *parts[at + 1 :])


def _with_added_part(
    parts: Sequence[str], template: Sequence[Sequence[str]]
) -> Iterator[tuple[str, ...]]:
    """The key with a word of the template put in at each place where one may be missing.

    The first word is put in only before a key of several parts: a short one says too little.
    """
    if template[-1] == (_REST,):
        return
    first = 0 if len(parts) >= _FEWEST else 1
    for at in range(first, min(len(parts) + 1, len(template))):
        words = template[at]
        if len(words) <= _MOST_WORDS and words[0] not in (_NAME, _REST):
            yield (*parts[:at], words[0], *parts[at:])


def _with_beginning(
    parts: Sequence[str], template: Sequence[Sequence[str]]
) -> Iterator[tuple[str, ...]]:
    missing = len(template) - len(parts)
    beginning = [words[0] for words in template[: max(missing, 0)]]
    is_whole = len(parts) >= _FEWEST or bool(_DOMAINS.intersection(beginning[:1]))
    if missing <= 0 or not is_whole:
        return
    # a key that would begin with a name of the user, such as `caddy.tls`, may be of any program
    if not {_NAME, _REST} & {*beginning, *template[missing], *template[-1]}:
        yield (*beginning, *parts)


def _without_needless_part(
    parts: Sequence[str], _template: Sequence[Sequence[str]]
) -> Iterator[tuple[str, ...]]:
    for at, part in enumerate(parts):
        if part.lower() in _NEEDLESS:
            yield (*parts[:at], *parts[at + 1 :])


_CORRECTIONS = (_with_corrected_part, _with_added_part, _with_beginning, _without_needless_part)
"""What a key may become, the likeliest first."""
