"""The words without one of which a text matches no pattern: a cheap test before a dear one."""

import importlib
from collections.abc import Iterable
from typing import Any

Item = tuple[Any, Any]
"""An operation of a parsed pattern and what it is about, as `re._parser` gives them."""


def required_words(pattern: str, flags: int) -> frozenset[str] | None:
    """Words in small letters, one of which is in every text that a pattern matches.

    None where the pattern has an alternative without a fixed letter. It is not compiled, which
    takes as long again.
    """
    parsed = importlib.import_module("re._parser").parse(pattern, flags)
    return _words(parsed)


def _words(items: Iterable[Item]) -> frozenset[str] | None:
    """The words of a sequence: those of the part whose shortest word is the longest."""
    choices: list[frozenset[str]] = []
    run = ""
    for operation, value in items:
        name = str(operation)
        if name == "LITERAL":
            run += chr(value).lower()
            continue
        inside = _words_inside(name, value)
        choices += [words for words in (_word(run), inside) if words]
        run = ""
    choices += filter(None, [_word(run)])
    return max(choices, key=lambda words: min(map(len, words)), default=None)


def _word(run: str) -> frozenset[str] | None:
    return frozenset({run}) if run else None


def _words_inside(name: str, value: Any) -> frozenset[str] | None:
    """The words of a group, a repeat or a choice; None where it may hold none."""
    match name:
        case "SUBPATTERN":
            return _words(value[-1])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, _, repeated = value
            return _words(repeated) if least else None
        case "BRANCH":
            every = [_words(alternative) for alternative in value[1]]
            return frozenset().union(*filter(None, every)) if all(every) else None
    return None
