"""Redaction rules of the user's own: names whose values are secrets, and patterns of secrets.

They run before the rules of the tool, on every string of an answer, names of containers and ids
included: whoever writes a rule knows what must not leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from diagnose.redact.bounded import UnboundedPatternError, compile_bounded
from diagnose.redact.looks import is_token
from diagnose.redact.patterns import TOKEN, Mark

if TYPE_CHECKING:
    from diagnose.model import Json

MOST_RULES = 100
"""Rules of one configuration: each is run on every string."""
NAMED = "named"
"""The kind of what stands under a name of the user's own."""

_KIND = re.compile(r"[a-z][a-z0-9-]{0,30}")
_NAME = re.compile(r"\*?[A-Za-z0-9_.-]{3,60}\*?")
_FIELD = re.compile(r"[A-Z][A-Za-z0-9]*|[a-z]+(?:_[a-z0-9]+)*")
"""A key that may be a field of the engine's or of ours, without which an answer cannot be read."""
_MAPPINGS = frozenset(
    {
        *("Labels", "labels", "Networks", "Options", "DriverOpts", "Annotations", "Volumes"),
        *("Attributes", "Sysctls", "BuildArgs", "log-opts", "Env", "environment"),
    }
)
"""Under these all keys are the user's."""
_PAIRS = (("name", "value"), ("Name", "Value"), ("key", "value"), ("Key", "Value"))
"""The keys of an object that has the name of a setting and its value."""
_VALUE = (
    r"""(?:\\{0,3}(?P<quote>["'])(?P<quoted>[^"'\n\\]+)"""
    r"""|(?P<bare>[^\s"'\\,;&<>\0]+))"""
)
_WILD = r"[A-Za-z0-9_.-]{0,60}"


class InvalidRuleError(ValueError):
    """A rule that cannot be used; one sentence that names it."""


class OwnRules:
    """The rules of one configuration. Immutable, safe to use from several threads."""

    def __init__(
        self, names: Iterable[str] = (), patterns: Mapping[str, str] | None = None
    ) -> None:
        """Raises InvalidRuleError for a name, a kind or a pattern that is refused."""
        kept = tuple(dict.fromkeys(names))
        if len(kept) + len(patterns or {}) > MOST_RULES:
            raise InvalidRuleError(f"there are more than {MOST_RULES} rules")
        for name in kept:
            if not _NAME.fullmatch(name):
                raise InvalidRuleError(
                    f"{name!r} is not a name: it takes 3 to 60 letters, digits, . "
                    "_ - and a * at either end"
                )
        self._patterns = [
            (kind, _compiled_pattern(kind, text)) for kind, text in (patterns or {}).items()
        ]
        self._name: re.Pattern[str] | None = None
        self._assigned: re.Pattern[str] | None = None
        if kept:
            name = _any_of(kept)
            self._name = re.compile(name, re.IGNORECASE)
            sign = r"""(?P<close>\\{0,3}["'])?\s{0,4}[=:]>?\s{0,4}"""
            self._assigned = re.compile(
                rf"(?<![A-Za-z0-9])(?:{name}{sign}|(?<=-){name}\s{{1,4}}){_VALUE}", re.IGNORECASE
            )

    def value(self, old: Json, mark: Mark) -> Json:
        """A value without what the rules say must not leave."""
        return self._value(old, mark, keys_are_own=False)

    def text(self, old: str, mark: Mark) -> str:
        """A text without it. What was redacted before stays as it is."""
        if "\0" in old:  # an environment or a command line, as /proc shows it
            return "\0".join([self._word(word, mark) for word in old.split("\0")])
        if "<redacted:" not in old:
            return self._redacted_in_plain(old, mark)
        parts = re.split(f"({TOKEN})", old)
        return "".join(
            [part if is_token(part) else self._redacted_in_plain(part, mark) for part in parts]
        )

    def _redacted_in_plain(self, text: str, mark: Mark) -> str:
        if self._assigned is not None:
            text = self._assigned.sub(lambda match: _assignment(match, mark), text)
        for kind, pattern in self._patterns:
            text = pattern.sub(partial(_mark_match, kind=kind, mark=mark), text)
        return text

    def _word(self, word: str, mark: Mark) -> str:
        """One word of a command line or an environment: all behind NAME= is the value."""
        label, equals, value = word.partition("=")
        if equals and value and self._is_secret_name(label.lstrip("-")):
            return f"{label}={_mark_phrase(value, word, mark)}"
        return self.text(word, mark)

    def _is_secret_name(self, name: str) -> bool:
        return self._name is not None and self._name.fullmatch(name) is not None

    def _value(self, old: Json, mark: Mark, *, keys_are_own: bool) -> Json:
        """A value of an answer without what the user's own rules redact."""
        if isinstance(old, str):
            return self.text(old, mark)
        if isinstance(old, list):
            return self._list(old, mark)
        if not isinstance(old, dict):
            return old
        new: dict[str, Json] = {}
        for key, child in old.items():
            is_field = not keys_are_own and _FIELD.fullmatch(key) is not None
            own_key = key if is_field else self.text(key, mark)
            if self._is_secret_name(key):
                new[own_key] = _all_marked(child, key, mark)
            else:
                new[own_key] = self._value(child, mark, keys_are_own=key in _MAPPINGS)
        return self._pair(new, mark)

    def _list(self, old: list[Any], mark: Mark) -> list[Any]:
        """A list of arguments, in which a value may stand behind its option."""
        new: list[Any] = []
        option = ""
        for word in old:
            if not isinstance(word, str):
                new.append(self._value(word, mark, keys_are_own=False))
                option = ""
                continue
            is_value = bool(option and word) and not word.startswith("-")
            new.append(
                _mark_phrase(word, f"{option} {word}", mark) if is_value else self._word(word, mark)
            )
            option = word if word.startswith("-") and self._is_secret_name(word.lstrip("-")) else ""
        return new

    def _pair(self, old: dict[str, Json], mark: Mark) -> dict[str, Json]:
        """A mapping that holds a name and its value apart."""
        for of_name, of_value in _PAIRS:
            name = old.get(of_name)
            value = old.get(of_value)
            if isinstance(name, str) and self._is_secret_name(name):
                return {**old, of_value: _all_marked(value, name, mark)}
        return old


def _any_of(names: Iterable[str]) -> str:
    """Pattern text for any of the names; - and _ are the same."""
    shapes = []
    for name in names:
        literal = re.sub(r"\\-|_", "[-_]", re.escape(name.strip("*")))
        before = _WILD if name.startswith("*") else ""
        after = _WILD if name.endswith("*") else ""
        shapes.append(f"{before}{literal}{after}")
    return f"(?:{'|'.join(shapes)})"


def _compiled_pattern(kind: str, pattern: str) -> re.Pattern[str]:
    if not _KIND.fullmatch(kind):
        raise InvalidRuleError(
            f"{kind!r} is not a name of a pattern: it takes up to 31 small letters, digits and -"
        )
    try:
        return compile_bounded(pattern)
    except UnboundedPatternError as error:
        raise InvalidRuleError(f"pattern {kind!r} is refused: {error}") from None


def _mark_match(match: re.Match[str], *, kind: str, mark: Mark) -> str:
    """The whole match is the secret, or its first group where it has one."""
    group = 1 if match.re.groups and match[1] else 0
    before = match[0][: match.start(group) - match.start()]
    after = match[0][match.end(group) - match.start() :]
    return f"{before}{mark(kind, match[group], match[0])}{after}"


def _assignment(match: re.Match[str], mark: Mark) -> str:
    """The value of an assignment with one of the user's own names."""
    quoted = match["quoted"]
    bare = match["bare"]
    before = match[0][: len(match[0]) - len(quoted or bare)]
    if quoted:
        return before + mark(NAMED, quoted, match[0])
    if not (match["close"] or "").endswith('"'):
        return before + mark(NAMED, bare, match[0])
    # a number of JSON: what replaces it has to be a string
    number = bare.rstrip("]}")
    if not number:
        return match[0]
    brackets = bare[len(number) :]
    return f'{before}"{mark(NAMED, number, match[0])}"{brackets}'


def _all_marked(value: Json, name: str, mark: Mark) -> Json:
    """Everything under a name that is a secret's."""
    if isinstance(value, dict):
        return {key: _all_marked(part, name, mark) for key, part in value.items()}
    if isinstance(value, list):
        return [_all_marked(part, name, mark) for part in value]
    if value is None or isinstance(value, bool) or value == "":
        return value
    return _mark_phrase(str(value), f"{name}={value}", mark)


def _mark_phrase(raw: str, phrase: str, mark: Mark) -> str:
    return raw if is_token(raw) else mark(NAMED, raw, phrase)
