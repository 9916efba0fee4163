"""Secrets in free text.

Logs, error messages, tracebacks, Markdown, shell lines, and configuration in any notation.

The scanner runs the table of `rules` on a text. It bounds what a hostile text can cost: every rule
takes time in proportion to its text (a test holds them to it), a long text is scanned in pieces,
and texts inside texts are followed to a depth of three.
"""

import re
from collections.abc import Iterator, Sequence

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.assigned import ASCII_KEYWORDS, names_secrets
from diagnose.redact.encoded import in_wide_text
from diagnose.redact.keys import in_private_keys
from diagnose.redact.lines import has_sign
from diagnose.redact.patterns import (
    CLOSE,
    ESCAPE_CLOSE,
    ESCAPE_OPEN,
    OPEN,
    TOKEN,
    Mark,
    Scan,
    beginning_of_any,
    verbose,
)
from diagnose.redact.rules import RULES, RedactionRule

DEEPEST = 3
"""A text in a text in a text is read; what it holds is replaced whole."""
PIECE = 64 * 1024
"""Characters that are scanned at once."""

_TOKEN = LazyPattern(TOKEN)
_HELD = LazyPattern(f"{OPEN}(\\d+){CLOSE}")
_ALL_HELD = LazyPattern(f"(?:{OPEN}\\d+{CLOSE})+")
_HELD_ESCAPE = LazyPattern(f"{ESCAPE_OPEN}(\\d+){ESCAPE_CLOSE}")
_ESCAPE = verbose(
    r"""
    # a control sequence, as it is and as JSON and shells write it
    (?: [\x1b]\[ | \x9b | (?<!\\)\\++(?:u001b|x1b|033|e)\[ )
    [0-9;:?]{0,40} [A-Za-z]
    """,
    re.IGNORECASE,
)
_ESCAPE_SIGNS = ("\x1b", "\\", "\x9b")
_MARKS = re.compile(f"[{OPEN}{CLOSE}{ESCAPE_OPEN}{ESCAPE_CLOSE}]")
_FREQUENT = ":"
"""A sign that most texts have."""
_WITHOUT_SIGN = tuple(
    rule for rule in RULES if not rule.needs_name and (not rule.signs or _FREQUENT in rule.signs)
)
"""The rules for texts without any other sign."""
_WITHOUT_NAME = tuple(rule for rule in RULES if not rule.needs_name)
"""The rules for texts without a word that names secrets."""
_ANY_SIGN = LazyPattern(
    beginning_of_any(
        sign for rule in RULES for sign in (*rule.signs, *ASCII_KEYWORDS) if sign != _FREQUENT
    )
)
"""Any sign of a rule and any word of a secret's name. Half of a host's texts have none (the kernel
log has two thousand such lines), and one search takes a tenth of one for each sign."""
_PLAIN = re.compile(r"[\w./-]{0,18}")
"""A word too short for any token and without a sign that would tell a name from a value: no rule
applies."""


def redact_text(text: str, mark: Mark) -> str:
    """The text with every secret in it replaced by what `mark` gives for it."""
    if _PLAIN.fullmatch(text):
        return text
    if "\0" in text:
        wide = in_wide_text(text, lambda plain: redact_text(plain, mark))
        if wide is not None:
            return wide
    return _Work(mark).redacted(text)


class _Work:
    """One text under work.

    While the rules run, a replaced secret is held as a number between two private-use characters,
    which no rule reads: a placeholder names its kind, and would look like one more `password:
    value`. Escape sequences are held the same way, since they end words.
    """

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._secrets: list[tuple[str, str]] = []
        self._escapes: list[str] = []

    def redacted(self, text: str) -> str:
        """The text without its secrets; what is marked already stays as it is.

        First whatever a rule must not read is held: our own brackets, earlier placeholders, escape
        sequences. At the end what is held is put back.
        """
        if not text.isascii() and _MARKS.search(text):
            text = _MARKS.sub("\ufffd", text)
        if "<redacted:" in text:
            text = _TOKEN.sub(lambda match: self._hold_value(match[0], match[0]), text)
        if has_sign(text, _ESCAPE_SIGNS):
            text = _ESCAPE.sub(self._hold_escape, text)
        text = self._scanned_text(text)
        if self._secrets:
            text = _HELD.sub(lambda match: self._secrets[int(match[1])][1], text)
        return _HELD_ESCAPE.sub(self._escape, text) if self._escapes else text

    def _scanned_text(self, text: str) -> str:
        """The text after all rules; a long one in pieces, which no private key is cut by."""
        if len(text) <= PIECE:
            return apply_rules(text, self.mark)
        without_keys = in_private_keys(text, "", self.mark)
        return "".join([apply_rules(piece, self.mark) for piece in pieces(without_keys)])

    def mark(self, kind: str, raw: str, phrase: str) -> str:
        """A mark for the rules: it holds the secret."""
        if OPEN in raw or ESCAPE_OPEN in raw:
            if _ALL_HELD.fullmatch(raw):
                return raw
            raw = self._original_text(raw)
        return self._hold_value(raw, self._mark(kind, raw, self._original_text(phrase)))

    def _hold_value(self, raw: str, token: str) -> str:
        self._secrets.append((raw, token))
        return f"{OPEN}{len(self._secrets) - 1}{CLOSE}"

    def _hold_escape(self, match: re.Match[str]) -> str:
        self._escapes.append(match[0])
        return f"{ESCAPE_OPEN}{len(self._escapes) - 1}{ESCAPE_CLOSE}"

    def _escape(self, match: re.Match[str]) -> str:
        return self._escapes[int(match[1])]

    def _original_text(self, part: str) -> str:
        """A part of the text as it was before anything was held."""
        if OPEN in part:
            part = _HELD.sub(lambda match: self._secrets[int(match[1])][0], part)
        return _HELD_ESCAPE.sub(self._escape, part) if ESCAPE_OPEN in part else part


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """A text in pieces that can be scanned one by one.

    Cut between lines, else between words, else anywhere.
    """
    start = 0
    while len(text) - start > size:
        end = start + size
        for sign in ("\n", " ", ","):
            at = text.rfind(sign, end - size // 8, end)
            if at > start:
                end = at + 1
                break
        yield text[start:end]
        start = end
    yield text[start:]


def apply_rules(text: str, mark: Mark, depth: int = 0) -> str:
    """The text after every rule of the table that may find something in it.

    Each rule sees the text as the rules before it have left it, and in lower case as it was.
    """
    low = text.lower()
    scan = _SCANS[depth]
    for rule in _rules_for(low):
        if not rule.signs or has_sign(low, rule.signs):
            text = rule.function(text, low, mark, scan)
    return text


def _rules_for(low: str) -> Sequence[RedactionRule]:
    """The rules for a text in lower case: fewer where no sign and no name of a secret stands."""
    if low.isascii() and not _ANY_SIGN.search(low):
        return _WITHOUT_SIGN
    return RULES if names_secrets(low) else _WITHOUT_NAME


def _scan_at(depth: int) -> Scan:
    """A scan for texts inside texts that is `depth` texts deep."""
    if depth > DEEPEST:
        return lambda text, mark: mark("secret", text, text)
    return lambda text, mark: apply_rules(text, mark, depth)


_SCANS: tuple[Scan, ...] = tuple(_scan_at(depth) for depth in range(1, DEEPEST + 2))
"""By the depth of the text that has another one in it."""
