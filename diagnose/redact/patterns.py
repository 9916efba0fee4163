"""The tools that all parts of the redaction share.

Patterns compiled on first use, the marks in a text under work, and two types.
"""

import re
from collections.abc import Callable, Iterable

from diagnose.lazy_pattern import LazyPattern

Mark = Callable[[str, str, str], str]
"""Takes (kind, raw value, the phrase that held the value), remembers the value, and returns its
placeholder."""

Scan = Callable[[str, Mark], str]
"""Runs all rules on a text inside a text: a URL under a secret's name, the content of a base64
word."""

OPEN = "\ue000"
CLOSE = "\ue001"
"""Private-use characters around the number of a secret that is already replaced, while a text is
worked on."""

ESCAPE_OPEN = "\ue002"
ESCAPE_CLOSE = "\ue003"
"""The same around the number of an escape sequence (a colour), so that an escape sequence ends a
word."""

COLOUR = f"(?:{ESCAPE_OPEN}\\d{{1,6}}{ESCAPE_CLOSE}){{0,4}}"
"""Pattern text: up to four escape sequences of a text under work."""

TOKEN = r"<redacted:[a-z0-9-]+:[0-9a-f]{6,24}>"  # noqa: S105 - the shape of a placeholder, not a secret
"""The placeholder of a secret: its kind and a fingerprint of 3, 6 or 12 bytes."""


def verbose(pattern: str, flags: int = 0) -> LazyPattern:
    """A pattern in verbose form: blanks in it count only in brackets or after a backslash."""
    return LazyPattern(pattern, flags | re.VERBOSE)


def beginning_of_any(words: Iterable[str]) -> str:
    """A pattern that finds where one of many words begins: `A(?:KIA|SIA)`.

    It reads each letter of a text once, and of a word no more than tells that one is there.
    """
    branches: dict[str, list[str]] = {}
    for word in words:
        branches.setdefault(word[:1], []).append(word[1:])
    if "" in branches:
        return ""
    parts = []
    for letter, rest in sorted(branches.items()):
        tail = re.escape(rest[0]) if len(rest) == 1 else beginning_of_any(rest)
        parts.append(re.escape(letter) + tail)
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"
