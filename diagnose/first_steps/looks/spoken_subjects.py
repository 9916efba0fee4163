"""The subject of a line that no row knows, by its words."""

import re
from typing import Literal

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Look

_SPOKEN: tuple[tuple[Look, LazyPattern], ...] = (
    ("certificate", LazyPattern(r"\bcertificate|\bx509\b|\bPEM\b|\bkeystore\b", re.IGNORECASE)),
    (
        "database",
        LazyPattern(
            r"\bSQL(?:STATE|\b)|\bmigrations?\b|\bdatabase\b|\btablespace\b|\brelation \""
            r"|\b(?:table|column|schema) ['`\"]",
            re.IGNORECASE,
        ),
    ),
    (
        "builds",
        LazyPattern(
            r"\bversions?\b.{0,60}(?:mismatch|require|expect|support|newer|older|at least|incompatib|differ)"
            r"|(?:mismatch|require|expect|support|incompatib)\w{0,12}\b.{0,60}\bversion"
            r"|\bdeprecated\b|no longer supported",
            re.IGNORECASE,
        ),
    ),
)
"""Words of lines that no row knows."""
_ABOUT = {
    "certificate": "; its words are about a certificate or a key",
    "database": "; its words are about a database",
    "builds": "; its words are about versions that do not belong together",
}


def spoken_subject(text: str) -> Look | Literal[""]:
    """The kind of thing whose words a line has; "" where it has none."""
    return next((kind for kind, words in _SPOKEN if words.search(text)), "")


def unknown_clause(text: str) -> str:
    """The clause about a complaint that no row knows: the subject of its words, where they have
    one."""
    kind = spoken_subject(text)
    about = _ABOUT[kind] if kind else ""
    return f"no error that this tool knows{about}"
