"""The worst texts of a pattern, made from the pattern's own grammar.

A pattern takes more than linear time where it can begin at many places and read far from each, or
read the same characters in many ways. So the texts are what a pattern repeats, repeated, after what
must come before it, with and without an end that makes it fail; and every beginning of the
pattern, repeated.
"""

from __future__ import annotations

import functools
import random
import re
import time
import types
from collections.abc import Callable, Iterator
from itertools import islice
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from diagnose.lazy_pattern import LazyPattern

_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_ALPHABET = "a1A _-.:/=@\"',;()[]{}<>|\\%+~\t\n*$#&!?\x1b\0é"
_LONGEST_LITERAL = 60


class Worst(NamedTuple):
    """A text of any length: a beginning, what is repeated, and an end."""

    beginning: str
    repeated: str
    end: str

    def text(self, length: int) -> str:
        """The text in so many characters."""
        times = length // len(self.repeated) + 1
        body = (self.repeated * times)[: max(0, length - len(self.beginning) - len(self.end))]
        return self.beginning + body + self.end


def worst_texts(pattern: re.Pattern[str], seed: int = 1, tries: int = 2) -> Iterator[Worst]:
    """The worst texts of a pattern; `tries` choices of letters for each place of its grammar."""
    rnd = random.Random(f"{seed}{pattern.pattern}")
    tree = list(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
    beginnings = [
        ([], tree[:length])
        for length in range(1, len(tree) + 1)
        if length == len(tree) or tree[length][0] is not op.LITERAL
    ]
    seen = set()
    for before, repeated in [*_repeats(tree, []), *beginnings]:
        for _ in range(tries):
            head, body = _sample(before, rnd), _sample(repeated, rnd) or "a"
            for worst in (
                Worst(head, body, ""),
                Worst(head, body, "\x01"),
                Worst("", head + body, ""),
            ):
                if worst not in seen:
                    seen.add(worst)
                    yield worst


def matching_texts(pattern: re.Pattern[str], tries: int, seed: int = 1) -> Iterator[str]:
    """Texts that a pattern finds, made from its own grammar; fewer than `tries` where its
    lookarounds refuse some."""
    rnd = random.Random(f"{seed}{pattern.pattern}")
    tree = list(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
    texts = (_sample(tree, rnd) for _ in range(tries))
    return (text for text in texts if pattern.search(text))


def _repeats(items: list[Any], before: list[Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """What a pattern repeats many times, each with what comes before it."""
    for index, (code, value) in enumerate(items):
        prefix = before + items[:index]
        for inner in _inner(code, value):
            if code in _REPEATS and value[1] > 8:
                yield prefix, inner
            yield from _repeats(inner, prefix)


def _inner(code: Any, value: Any) -> list[list[Any]]:
    """The parts of a node."""
    if code in _REPEATS:
        return [list(value[2])]
    if code is op.SUBPATTERN:
        return [list(value[3])]
    if code is op.BRANCH:
        return [list(branch) for branch in value[1]]
    if code is op.ATOMIC_GROUP:
        return [list(value)]
    return [list(value[1])] if code in (op.ASSERT, op.ASSERT_NOT) else []


def _sample(items: list[Any], rnd: random.Random) -> str:
    """A text that these nodes match, lookarounds aside."""
    return "".join(_sample_of(code, value, rnd) for code, value in items)


def _sample_of(code: Any, value: Any, rnd: random.Random) -> str:
    if code is op.LITERAL:
        return chr(value)
    if code is op.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if code is op.IN:
        return _letter(value, rnd)
    if code in _REPEATS:
        least, most, inner = value
        times = max(least, min(most, least + rnd.randrange(2)))
        return "".join(_sample(list(inner), rnd) for _ in range(min(times, _LONGEST_LITERAL)))
    if code is op.BRANCH:
        return _sample(list(rnd.choice(value[1])), rnd)
    if code in (op.SUBPATTERN, op.ATOMIC_GROUP):
        return _sample(_inner(code, value)[0], rnd)
    if code is op.GROUPREF:
        return '"'
    return "a" if code is op.ANY else ""


def _letter(accepted: Any, rnd: random.Random) -> str:
    found = [letter for letter in _ALPHABET if _accepts(accepted, letter)]
    if not found:
        others = (chr(number) for number in range(0x20, 0xE100))
        found = list(islice((letter for letter in others if _accepts(accepted, letter)), 1))
    letters = [letter for letter in found if letter.isalnum()]
    return rnd.choice(letters if letters and rnd.random() < 0.7 else found) if found else ""


def _accepts(accepted: Any, letter: str) -> bool:
    negated = hit = False
    for code, value in accepted:
        if code is op.NEGATE:
            negated = True
        elif code is op.LITERAL:
            hit |= letter == chr(value)
        elif code is op.RANGE:
            hit |= value[0] <= ord(letter) <= value[1]
        elif code is op.CATEGORY:
            name = str(value).removeprefix("CATEGORY_")
            known = {
                "DIGIT": letter.isdigit(),
                "SPACE": letter.isspace(),
                "WORD": letter.isalnum() or letter == "_",
            }
            hit |= known[name.removeprefix("NOT_")] != name.startswith("NOT_")
    return hit != negated


def patterns_of(function: Callable[..., Any]) -> dict[str, re.Pattern[str]]:
    """The patterns that a function of the redaction reaches, by their names."""
    found: dict[str, re.Pattern[str]] = {}
    _reach(function, found, set())
    return found


def _reach(thing: Any, expected: dict[str, re.Pattern[str]], seen: set[int]) -> None:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, functools._lru_cache_wrapper):
        thing = thing.__wrapped__
    if not isinstance(thing, types.FunctionType) or not thing.__module__.startswith(
        "diagnose.redact"
    ):
        return
    for cell in thing.__closure__ or ():
        _reach(cell.cell_contents, expected, seen)
    for name in _names(thing.__code__):
        value = thing.__globals__.get(name)
        if isinstance(value, types.ModuleType) and value.__name__.startswith("diagnose.redact"):
            for inner in _names(thing.__code__):
                _reach(getattr(value, inner, None), expected, seen)
        elif isinstance(value, re.Pattern):
            expected[f"{thing.__module__}.{name}"] = value
        elif isinstance(value, LazyPattern):
            expected[f"{thing.__module__}.{name}"] = value.compiled
        else:
            _reach(value, expected, seen)


def _names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def spent(run: Callable[[str], object], text: str, times: int = 1) -> float:
    """Seconds of the processor's time, the best of several."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        run(text)
        best = min(best, time.process_time() - begun)
    return best
