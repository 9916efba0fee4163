"""The value that a program would take, where its line says what is wrong with the one it has.

A boolean in other words, a URL without its scheme or with a slash too many, one of a list that the
line gives, a value in quotes. Nothing where the right value is a matter of choice. Pure.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.changed_words import with_value
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.word_slips import is_nearly

_OF_BOOLEAN = LazyPattern(
    r"\bbool(?:ean)?\b|\btrue (?:or|and|/) false\b|\btrue\W{1,4}false\b", re.IGNORECASE
)
_TRUE = ("true", "yes", "on", "1", "y", "enabled")
_FALSE = ("false", "no", "off", "0", "n")
_OF_URL = LazyPattern(
    r"\bur[il]s?\b|\bscheme\b|\bhttps?://|\babsolute\b|\bprotocol\b|site_url", re.IGNORECASE
)
_OF_SERVER = LazyPattern(
    r"\b(?:postgres\w*|mysql|mariadb|redis|amqp|mongo\w*|ldap|smtp|jdbc|dsn|database)\b",
    re.IGNORECASE,
)
"""Lines and variables about addresses of other kinds."""
_BARE_PLACE = LazyPattern(
    r"(?P<host>localhost|[\w-]{1,60}(?:\.[\w-]{1,60}){0,8})(?P<port>:\d{2,5})?(?:/[\w./-]{0,200})?"
)
_NUMBERS = LazyPattern(r"[\d.]+")
_NO_SLASH = LazyPattern(
    r"\b(?:must|should|may|can|cannot|can't)\b.{0,10}\bend\w* (?:with|in) (?:a )?(?:trailing )?(?:slash|['\"(]?/)"
    r"|\btrailing slash",
    re.IGNORECASE,
)
"""Words of programs about a slash at the end of an address."""
_NOT = LazyPattern(r"\b(?:not|no|cannot|without|remove|can't|mustn't)\b", re.IGNORECASE)
_LIST = LazyPattern(
    r"\b(?:(?:valid|allowed|supported|accepted|available|possible) (?:\w{1,20} )?"
    r"(?:are|is|values?|options?|choices?|types?)(?: are| is)?"
    r"|(?:must|should) be(?: one of| either)|expected(?: one of)?|choose (?:from|one of)|one of)"
    r"\W{1,4}(?P<words>[\w.-]{1,40}(?:['\"`]?(?:, | ?\| ?|/| or |, or |,|' ')['\"`]?[\w.-]{1,40}){1,30})",
    re.IGNORECASE,
)
"""The values that a program takes, as its line lists them."""
_PARTS = LazyPattern(r"[\w.-]+")
_JOINS = frozenset({"or", "and"})
_ALIKE = 0.6
"""The least likeness of a word to the intended one, as a share."""


def corrected_value(container: Container, variable: str, line: str) -> PageVariables:
    """The variable with the value that the line asks for, as the page's command takes it."""
    value = container.config.value_of(variable)
    if not value:
        return {}
    correction = next(
        filter(None, (correct(variable, value, line) for correct in _CORRECTIONS)), ""
    )
    return with_value(container, variable, correction) if correction else {}


def _unquoted_value(_variable: str, value: str, _line: str) -> str:
    """A value without the quotes or the blanks around it, where the program objects to it."""
    bare = value.strip().strip("\"'").strip()
    return bare if bare != value else ""


def _boolean(variable: str, value: str, line: str) -> str:
    """The truth value as `true` or `false`, for the variable or the value in the line: `1` is a
    number elsewhere."""
    is_about = variable in line or re.search(rf"['\"`]{re.escape(value)}['\"`]", line)
    if not is_about or not _OF_BOOLEAN.search(line):
        return ""
    word = value.lower()
    if word in _TRUE[1:] or (word == "true" and value != word):
        return "true"
    return "false" if word in _FALSE[1:] or (word == "false" and value != word) else ""


def _slash(_variable: str, value: str, line: str) -> str:
    match = _NO_SLASH.search(line)
    if match is None or "://" not in value:
        return ""
    if _NOT.search(line):
        return value.rstrip("/") if value.endswith("/") else ""
    return "" if value.endswith("/") else f"{value}/"


def _url(variable: str, value: str, line: str) -> str:
    """The address with its scheme: HTTPS for a name of the internet, HTTP for an address, a port or
    a name without a dot."""
    place = _BARE_PLACE.fullmatch(value)
    texts = f"{variable.replace('_', ' ')} {line}"
    if place is None or not _OF_URL.search(texts) or _OF_SERVER.search(texts):
        return ""
    host = place["host"]
    is_inner = place["port"] or "." not in host or _NUMBERS.fullmatch(host)
    if host.isdigit() or (is_inner and not place["port"] and not _NUMBERS.fullmatch(host)):
        return ""
    scheme = "http" if is_inner else "https"
    return f"{scheme}://{value}"


def _listed_value(_variable: str, value: str, line: str) -> str:
    """The only word of the line's list that is likely right: nearly the same, or of
    another case."""
    match = _LIST.search(line)
    if match is None:
        return ""
    words: list[str] = [
        word for word in _PARTS.findall(match["words"]) if word.lower() not in _JOINS
    ]
    words = [word.rstrip(".") for word in words]
    if value in words:
        return ""
    same_word = only([word for word in words if word.lower() == value.lower()])
    by_small = {word.lower(): word for word in words}
    close = difflib.get_close_matches(value.lower(), list(by_small), 1, _ALIKE)
    if same_word is not None or not close:
        return same_word or ""
    return by_small[close[0]]


_UNKNOWN = LazyPattern(
    r"\b(?:unknown|unrecogni[sz]ed|unsupported|invalid|unexpected)\b[^\n'\"`]{0,60}['\"`](?P<word>[\w.-]{2,60})['\"`]",
    re.IGNORECASE,
)
"""A word of a file of settings that a program does not know."""
_MEANT = LazyPattern(
    r"\b(?:did you mean|(?:maybe|perhaps) you meant|you probably meant)\b[^\w\n]{1,12}(?P<word>[\w.-]{2,60})",
    re.IGNORECASE,
)
"""The word that a program suggests in place of an unknown one."""
_UNKNOWN_KEY = LazyPattern(r"\bfield (?P<word>[\w.-]{2,60}) not found in type struct \{")
"""A key that Go's reader of YAML does not know, before the keys that it knows at that place."""
_TAGS = LazyPattern(r"\byaml:\\?\"(?P<key>[\w.-]{2,60})")
"""The names of the keys in Go's description of a type."""
_NEAR = 0.7
"""The least likeness of an unknown word to one of a list, as a share."""


class CorrectedWord(NamedTuple):
    """A word of a file of settings, and the one that the program's line gives in its place."""

    old: str
    new: str


def corrected_word(line: str) -> CorrectedWord | None:
    """The unknown word in a line, and the one that the line asks for, or the only one of its list
    that is nearly the same; None where the line leaves a choice."""
    key = _UNKNOWN_KEY.search(line)
    if key is not None:
        return _corrected_key(key["word"], _TAGS.findall(line[key.end() :]))
    unknown = _UNKNOWN.search(line)
    if unknown is None:
        return None
    old = unknown["word"]
    suggestion = _MEANT.search(line, unknown.end())
    if suggestion is not None:
        return CorrectedWord(old, suggestion["word"].rstrip("."))
    listed = _LIST.search(line, unknown.end())
    words = _PARTS.findall(listed["words"]) if listed is not None else []
    similar_words = difflib.get_close_matches(old, words, 2, _NEAR)
    return CorrectedWord(old, similar_words[0]) if len(similar_words) == 1 else None


def _corrected_key(key: str, tags: Sequence[str]) -> CorrectedWord | None:
    """The key with the only one of these that it is but for one slip."""
    meant = only([tag for tag in tags if is_nearly(key, tag)])
    return CorrectedWord(key, meant) if meant is not None else None


_CORRECTIONS: tuple[Callable[[str, str, str], str], ...] = (
    _unquoted_value,
    _boolean,
    _slash,
    _url,
    _listed_value,
)
"""The first function that finds a value counts."""
