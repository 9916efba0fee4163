"""Complaints that a program got past, by its own words or by what it printed next.

They explain no failure: the program ended for another reason. Where no other line gives one, a tool
that failed and a call that failed at first may still be it.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.lazy_pattern import LazyPattern, RarePattern
from diagnose.programs.line_phrases import EXPLAINS
from diagnose.programs.log_message import ERROR, WARNING, Message, is_no_loss

_OWN_WORDS = RarePattern(
    r"""
    (?<!not\ )\bcontinu(?:es|ing)\b | \busing\ (?:the\ |a\ )?(?:cached?|default|own)\b
    | \b(?:is|are)\ not\ (?:fatal|recommended)\b(?!\.\ Use\ --) | \bnon-fatal\b | \bharmless\b | \(optional\b
    | \bblocked\ from\ loading\b
    | [,;(]\ ?(?:\w+\ ){0,3}disabled\W*$ | \bremov(?:ed|ing)\ (?:a\ |the\ )?stale\b
    | ,\ (?:renewed|recreat(?:ed|ing))\b | \.\.\.\ ?ok\b | ,\ logging\ to\ std(?:err|out)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Words of a program that continues without the missing part."""
_TOOL = LazyPattern(
    r"""
      ^(?:/(?:usr/)?s?bin/)?(?:
            cat | chgrp | chmod | chown | cp | curl | find | grep | groupadd | groupmod
          | id | install | ln | ls | mkdir | mv | rm | rmdir | sed | stat | sysctl | tar
          | tee | touch | useradd | usermod | wget
        ):[ ]
    | ^(?:/bin/)?(?:ba|da|a)?sh:\ (?:line\ )?\d{1,5}:[ ]
    | ^(?!ya?ml:\ )\S{1,200}:\ line\ \d{1,5}:[ ]
    """,
    re.VERBOSE,
)
"""A command of a start script complains, or the shell that runs the script."""
_REMOVED_BEFORE = LazyPattern(
    r"^(?:/(?:usr/)?bin/)?(?:rm|rmdir): (?:can't|cannot|failed to) remove [^\n]{1,400}: No such file or directory\s*$"
)
"""A start script that cleans up found nothing to remove."""
_OF_AN_END = LazyPattern(
    r"\b(?:abort|end(?:ed|ing)|exit|fail|finish|kill|retry|stop|terminat|unable|wait)|^\W*$",
    re.IGNORECASE,
)
"""Lines below a complaint that ended the script."""
_CALL = LazyPattern(
    r"\b(?:connect\w*|lookup|refused|resolv\w*|timed? ?out|unreachable)\b|\bno such host\b",
    re.IGNORECASE,
)
_REACHED = LazyPattern(
    r"\breconnected\b"
    r"|\bconnect(?:ed|ion established)\b.{0,80}\b(?:after|attempts?|again|retr(?:y|ies)|tries)\b",
    re.IGNORECASE,
)
"""A program that has tried again, and has reached what it calls."""

Line = TypeVar("Line", Message, str)
_NUMBERS = LazyPattern(r"\d+")
OFTEN = 3
"""A call that fails this many times is one without which the program still runs."""


def passed_lines(messages: Sequence[Message]) -> frozenset[int]:
    """The places of the lines that the program got past."""
    texts = [line.text for line in messages]
    by_own_words = frozenset(
        place for place, text in enumerate(texts) if is_no_loss(text) or _OWN_WORDS.search(text)
    )
    last_ordinary = _last_place(_is_ordinary, messages)
    last_reached = _last_place(_REACHED.search, texts)
    tools = {place for place, text in enumerate(texts[:last_ordinary]) if _TOOL.match(text)}
    calls = {place for place, text in enumerate(texts[:last_reached]) if _CALL.search(text)}
    by_own_words |= {place for place in tools if _REMOVED_BEFORE.match(texts[place])}
    passed = by_own_words | tools | calls | _calls_before_another_end(messages)
    rest = [line for place, line in enumerate(messages) if place not in passed]
    # the line that explains is nearly always among the last
    is_explained = any(_complains(line) or _fails_itself(line) for line in reversed(rest))
    return passed if is_explained else by_own_words


def _calls_before_another_end(messages: Sequence[Message]) -> set[int]:
    """The places of failed calls that came again and again, before the program failed for another
    reason: it ran in spite of them.

    A line without a class of error may be a result of the calls.
    """
    failed = [
        (place, _NUMBERS.sub("#", line.text))
        for place, line in enumerate(messages)
        if signs(line.text) & CALL_FAILED and _complains(line)
    ]
    times = Counter(shape for _, shape in failed)
    end = _last_place(_fails_itself, messages)
    return {place for place, shape in failed if place < end and times[shape] >= OFTEN}


def _fails_itself(line: Message) -> bool:
    """Whether a line reports an error of a class that no failed call has."""
    classes = signs(line.text)
    is_grave = line.level is None or line.level >= ERROR
    return is_grave and bool(classes) and not classes & CALL_FAILED


def _last_place(fits: Callable[[Line], object], lines: Sequence[Line]) -> int:
    """The last place of a line that fits; 0 where there is none."""
    return next((place for place in reversed(range(len(lines))) if fits(lines[place])), 0)


def _complains(line: Message) -> bool:
    return (line.level or 0) >= ERROR or _explains(line.text)


def _is_ordinary(line: Message) -> bool:
    """Whether the line reports the program's normal work, without a complaint."""
    if line.text[:1].isspace() or (line.level or 0) >= WARNING or _TOOL.match(line.text):
        return False
    return not (_explains(line.text) or _OF_AN_END.search(line.text))


@functools.lru_cache(4096)
def _explains(text: str) -> bool:
    """Whether the text of a line explains a failure.

    Each line of a tail is judged several times.
    """
    return EXPLAINS.are_in(text.lower())
