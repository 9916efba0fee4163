"""The format of a configuration file that holds no JSON at all. Pure."""

import json

from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import shortened
from diagnose.redact import holds_token
from diagnose.yaml_text import read_values

_PAGE = LazyPattern(r"(?i)<(?:!doctype\s+html|html|\?xml)\b")
_TITLE = LazyPattern(r"(?i)<title>([^<]{1,120})</title>")
_SECTIONS = "a file of sections, as in TOML"
_OF_SHELL = "settings of a shell (NAME=value)"
_YAML = "YAML"
_KINDS = (
    ("a shell script", LazyPattern(r"#!")),
    ("a unit of systemd", LazyPattern(r"\[(?:Unit|Service|Install)\]")),
    (_SECTIONS, LazyPattern(r"\[[\w.\"-]{1,80}\]\s*$")),
    (_OF_SHELL, LazyPattern(r"(?:export\s+)?[A-Z_]{2,40}=")),
    (_YAML, LazyPattern(r"(?:---|[\w-]{1,60}:(?:\s|$))")),
)
"""By its first line that is not a comment."""
SETTINGS = frozenset({_SECTIONS, _OF_SHELL, _YAML})
"""Formats in which a person may have written settings of the engine."""


def form_of(text: str) -> str:
    """The format of another text than a JSON object: "an HTML page", with its title.

    "" for JSON with mistakes, for an empty text, and for an unknown format.
    """
    bare = text.lstrip("\ufeff \t\r\n")
    if bare.startswith("{"):
        return ""
    if _PAGE.match(bare):
        title = _TITLE.search(bare)
        words = " ".join(title[1].split()) if title else ""
        return f"an HTML page ({shortened(words, 60)})" if words else "an HTML page"
    lines = (line.strip() for line in bare.splitlines())
    first = next((line for line in lines if line and _says_something(line)), "")
    return next((kind for kind, sign in _KINDS if sign.match(first)), "")


def as_json(text: str) -> str:
    """The settings of a YAML file as the JSON object that the engine reads.

    "" where it is not YAML, or holds what JSON has no form for, such as a date.
    """
    if form_of(text) != _YAML:
        return ""
    try:
        settings = read_values(text)
        written = json.dumps(settings, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""
    is_object = isinstance(settings, dict) and all(isinstance(key, str) for key in settings)
    return f"{written}\n" if is_object and not holds_token(text) else ""


def _says_something(line: str) -> bool:
    return not line.startswith(("#", ";", "//")) or line.startswith("#!")
