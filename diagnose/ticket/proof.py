"""The second pass over a finished archive.

Is any value that this run redacted still in its bytes?

It knows no patterns and no names of secrets, only the values themselves, so that it cannot share a
mistake with the redaction: each is searched plain, in base64 at all three alignments, URL-escaped,
HTML-escaped and JSON-escaped (also as Go writes it, and twice), and with two bytes a character.

Values shorter than 4 bytes are not searched: any three characters stand somewhere in ten megabytes
by chance. In base64 and escaped twice only from 6 bytes on, for the same reason. The redaction
hands short and ordinary values over with the name that they stood under (`PIN=123`), and these
count where the value ends there: a log that is cut off at `password: nul` says nothing of another
one's `password: null`.
"""

import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator
from html import escape
from typing import Literal
from urllib.parse import quote, quote_plus

import msgspec

_SHORTEST = 4
_SHORTEST_ENCODED = 6
_PLAIN = re.compile(r"[\w.~-]+", re.ASCII)
"""A value that JSON, HTML and URLs write as it is: most generated ones."""
_FOR_URLS = bytes.maketrans(b"+/", b"-_")
"""What base64 writes in URLs."""
_LINE = 24
"""A line of a secret of several lines (a private key) is searched by itself from this length on."""


class Leak(msgspec.Struct, frozen=True):
    """A secret found in a file.

    Its kind, the form in which it is there, and its offset in bytes; never the value.
    """

    file: str
    kind: str
    form: str
    offset: int


def leaks(
    files: Iterable[tuple[str, bytes]],
    secrets: Iterable[tuple[str, str]],
    phrases: Iterable[tuple[str, str]] = (),
) -> list[Leak]:
    """Each (file, kind, form) in which a secret was found, once per secret.

    phrases: names with their ordinary values.
    """
    needles: dict[bytes, tuple[str, str]] = {}
    for kind, raw in secrets:
        for form, needle in _forms(raw):
            needles.setdefault(needle, (kind, form))
    ending: set[bytes] = set()
    for kind, raw in phrases:
        for form, needle in _forms(raw):
            if needle not in needles and form != "base64":
                ending.add(needle)
            needles.setdefault(needle, (kind, form))
    search = _NeedleSearch(needles)
    return [
        Leak(name, *needles[needle], place)
        for name, data in files
        for needle in search.found_in(data)
        if (place := _place(data, needle, is_word=needle in ending)) >= 0
    ]


def _place(data: bytes, needle: bytes, *, is_word: bool) -> int:
    """The first place of a needle; -1 where it is only a part of longer words."""
    place = data.find(needle)
    if not is_word:
        return place
    while place >= 0:
        next_byte = data[place + len(needle) : place + len(needle) + 1]
        if not (next_byte.isalnum() or next_byte == b"_"):
            return place
        place = data.find(needle, place + 1)
    return -1


def _forms(raw: str) -> Iterator[tuple[str, bytes]]:
    """The forms of a value that are worth a search, with their names."""
    plain = raw.encode("utf-8", "surrogatepass")
    if len(plain) < _SHORTEST:
        return
    yield "plain", plain
    if not _PLAIN.fullmatch(raw):
        yield from _escaped_forms(raw, plain)
    if len(plain) < _SHORTEST_ENCODED:
        return
    wide = "\0".join(raw)
    for text in (wide, json.dumps(wide, ensure_ascii=False)[1:-1]):
        yield "utf-16", text.encode("utf-8", "surrogatepass")
    for skip, first in ((0, 0), (1, 2), (2, 3)):
        # The first characters depend on the bytes before the value, the last on those after it:
        # only the core is its own.
        core = base64.b64encode(b"\0" * skip + plain)[first : (skip + len(plain)) * 8 // 6]
        yield "base64", core
        yield "base64", core.translate(_FOR_URLS)


def _escaped_forms(raw: str, plain: bytes) -> Iterator[tuple[str, bytes]]:
    """The forms of a value with a sign that some notation escapes, or with several lines."""
    stripped = [line.strip() for line in raw.splitlines()]
    if len(stripped) > 1:
        yield from (
            ("line", line.encode())
            for line in stripped
            if len(line) >= _LINE and line[:5] != "-----"
        )
    inner = json.dumps(raw)[1:-1]
    go = inner.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    literal = json.dumps(raw, ensure_ascii=False)[1:-1]
    for text in (inner, go, literal, inner.replace("/", "\\/")):
        yield "json", text.encode("utf-8", "surrogatepass")
    yield (
        "html",
        escape(raw)
        .replace("&quot;", "&#34;")
        .replace("&#x27;", "&#39;")
        .encode("utf-8", "surrogatepass"),
    )
    escaped = quote(plain, safe="")
    for text in (escaped, quote_plus(plain), quote(plain), _lower_hex(escaped)):
        yield "url", text.encode()
    if len(plain) >= _SHORTEST_ENCODED:
        yield "json", json.dumps(inner)[1:-1].encode()


def _lower_hex(escaped: str) -> str:
    parts = escaped.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


_READINGS: tuple[tuple[int, tuple[int, ...], Literal["Q", "I"]], ...] = (
    (8, (0,), "Q"),
    (4, (0,), "I"),
    (0, (0, 1, 2, 3), "I"),
)
"""How bytes are read as words: size of a word (0 for short needles), offsets to begin at, type in
`struct`."""


_MANY = 50
"""So many needles are searched for one by one: of 8,000 in 12 MB each took 3 ms."""


class _NeedleSearch:
    """Many needles against many bytes, in one pass over the bytes for all needles of a size.

    Data is read as aligned machine words. A needle of 15 bytes or more, wherever it stands, covers
    one whole aligned word of 8 bytes, so it is enough to look for 8 of its words; from 7 bytes on
    the same holds for words of 4. Only shorter needles cost a pass per alignment. The last words of
    a needle are taken, since the first ones may be a name, which stays. A hit is verified by a
    search; where thousands of needles share a word (`-prod`), by a look at each place of the word.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._words: dict[int, dict[int, list[bytes]]] = {8: {}, 4: {}, 0: {}}
        for needle in needles:
            size = 0
            if len(needle) >= 15:
                size = 8
            elif len(needle) >= 7:
                size = 4
            width = size or 4
            for end in range(len(needle), len(needle) - (size or 1), -1):
                word = int.from_bytes(needle[end - width : end], sys.byteorder)
                self._words[size].setdefault(word, []).append(needle)

    def found_in(self, data: bytes) -> list[bytes]:
        """The needles that are in the data."""
        maybe: dict[bytes, None] = {}
        secrets_found: dict[bytes, None] = {}
        for size, shifts, form in _READINGS:
            words = self._words[size]
            width = size or 4
            tried_shifts = shifts if words else ()
            for shift in tried_shifts:
                view = memoryview(data)[shift:]
                aligned = view[: len(view) // width * width].cast(form)
                for word in words.keys() & aligned:
                    if len(words[word]) > _MANY:
                        raw = word.to_bytes(width, sys.byteorder)
                        secrets_found.update(
                            dict.fromkeys(_needles_with_word(raw, words[word], data))
                        )
                    else:
                        maybe.update(dict.fromkeys(words[word]))
        secrets_found.update((needle, None) for needle in maybe if needle in data)
        return list(secrets_found)


def _needles_with_word(word: bytes, needles: Iterable[bytes], data: bytes) -> Iterator[bytes]:
    """The needles that are in the data; all of them hold this word."""
    fragments = set(needles)
    shapes = {(needle.rfind(word), len(needle)) for needle in fragments}
    place = data.find(word)
    while place >= 0:
        for before, length in shapes:
            if (
                place >= before
                and (part := data[place - before : place - before + length]) in fragments
            ):
                yield part
        place = data.find(word, place + 1)
