"""Secrets in an encoding.

The base64 of a text that holds one, and texts of two bytes a character.
"""

from collections.abc import Callable, Iterable

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.looks import is_mixed, is_token, unpacked
from diagnose.redact.patterns import Mark, Scan
from diagnose.redact.tokens import HEX
from diagnose.redact.unquoted import VERSION_OR_TAG

_BASE64 = LazyPattern(r"[A-Za-z0-9+/_-]{20,}+={0,2}")
_PEM_START = "LS0tLS1CRUdJTi"
"""The base64 of `-----BEGIN`."""
_PAIR = LazyPattern(r"\0?[^\s:\0]{1,64}[:\0]([^\s\0]{6,200})\n?")
"""A name and a password, as HTTP and SMTP send them."""


def in_base64(text: str, chunks: Iterable[str], mark: Mark, scan: Scan) -> str:
    """The text without the base64 of texts that hold secrets. chunks: its long words."""
    for chunk in chunks:
        if chunk.islower():
            continue  # no base64 of that length is
        for word in dict.fromkeys(_BASE64.findall(chunk)):
            kind = _kind_within(word, mark, scan) if word.strip(HEX) else None
            if kind:
                text = text.replace(word, mark(kind, word, word))
    return text


def _kind_within(word: str, mark: Mark, scan: Scan) -> str | None:
    """The kind of the first secret in what a word is the base64 of; all of them are remembered."""
    if word.startswith(_PEM_START) and "PRIVATE KEY" in (unpacked(word[:64]) or ""):
        return "private-key"
    plain = unpacked(word)
    if plain is None:
        return None
    pair = _PAIR.fullmatch(plain)
    is_login = pair is not None and is_mixed(pair[1]) and pair[1][:2] != "//"
    if pair and is_login and not VERSION_OR_TAG.fullmatch(pair[1]):
        return is_token(mark("password", pair[1], plain)) or "password"
    kinds: list[str] = []

    def remember(kind: str, raw: str, phrase: str) -> str:
        kinds.append(kind)
        return mark(kind, raw, phrase)

    scan(plain, remember)
    return kinds[0] if kinds else None


def in_wide_text(text: str, redact: Callable[[str], str]) -> str | None:
    """A text of two bytes a character (UTF-16), read as if it had one each, without its secrets.

    None where it is none.
    """
    for first in (0, 1):
        letters = text[first::2]
        zeros = text[1 - first :: 2]
        if zeros.count("\0") > 0.9 * len(zeros) and letters.count("\0") < 0.1 * len(letters):
            new = redact(letters)
            if new == letters:
                return text
            wide = "".join([f"\0{char}" if first else f"{char}\0" for char in new])
            if len(text) % 2 == 0:
                return wide
            return wide + "\0" if first else wide[:-1]
    return None
