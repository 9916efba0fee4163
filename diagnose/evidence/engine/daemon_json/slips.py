"""Slips in the punctuation of JSON, and the line without the slip. Pure.

A JSON parser says where it gave up, and not what is missing there. Each slip that people make at
such a place is undone in turn, and the text is parsed again: `"a": 1` and on the next line `"b": 2`
lack a comma, `["a"}` has the wrong bracket, `{'a': 1}` has other quotes.
"""

from collections.abc import Iterator

from diagnose.evidence.engine.config import parse_text
from diagnose.evidence.engine.daemon_json.brackets import CLOSING, innermost_open
from diagnose.evidence.engine.daemon_json.syntax import offset
from diagnose.lazy_pattern import LazyPattern

_OTHER_QUOTES = LazyPattern("['\u2018\u2019\u201c\u201d]")
_BARE_WORD = LazyPattern(r"[A-Za-z][\w./-]*")
"""A name or a value without quotes, as `debug` in `{debug: true}`."""
_WRITTEN_OTHERWISE = {
    "True": "true",
    "False": "false",
    "None": "null",
    "yes": "true",
    "no": "false",
}
"""Words of Python and YAML for values of JSON."""


def without_slip(text: str, line: int, column: int) -> str | None:
    """The text without the slip at which a parser gave up.

    line, column: of the parser's error, from 1. None where no single slip explains the error, or
    where several do that mean different settings.
    """
    at = offset(text, line, column)
    corrected = [(other, parse_text(other)) for other in _corrections(text, at) if other != text]
    whole = [(other, parsed.values) for other, parsed in corrected if not parsed.error]
    if whole:
        first, meaning = whole[0]
        return first if all(values == meaning for _, values in whole) else None
    for other, parsed in corrected:
        moved = len(other) - len(text)
        if offset(other, parsed.line, parsed.column) > at + moved:
            return other
    return None


def _corrections(text: str, at: int) -> Iterator[str]:
    """The text with each slip undone that can stand at this offset, likely ones first."""
    before = len(text[:at].rstrip())
    character = text[at : at + 1]
    if character == ",":
        yield f"{text[:at]}{text[at + 1 :]}"
    elif text[:before].endswith(","):
        yield f"{text[: before - 1]}{text[before:]}"
    else:
        yield f"{text[:before]},{text[before:]}"
    if character == "=":
        yield f"{text[:at]}:{text[at + 1 :]}"
    if character in CLOSING.values():
        bracket = innermost_open(text[:at])
        if bracket is None:
            yield f"{text[:at]}{text[at + 1 :]}"
        elif bracket.closing != character:
            head = text[:before].removesuffix(",")
            yield f"{head}{text[before:at]}{bracket.closing}{text[at + 1 :]}"
            yield f"{head}{bracket.closing}{text[before:]}"
    if _OTHER_QUOTES.match(character):
        end = text.find("\n", at) % (len(text) + 1)
        quoted = _OTHER_QUOTES.sub('"', text[at:end])
        yield f"{text[:at]}{quoted}{text[end:]}"
    if word := _BARE_WORD.match(text, at):
        quoted = _WRITTEN_OTHERWISE.get(word[0], f'"{word[0]}"')
        yield f"{text[:at]}{quoted}{text[word.end() :]}"
