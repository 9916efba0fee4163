"""Secrets by field: what the shape of an answer says about its strings.

A plan says by the key what is done with a value; the walk takes it through an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.looks import exempt
from diagnose.redact.names import kind_of, names_users, unexplained
from diagnose.redact.patterns import Mark
from diagnose.redact.scanner import redact_text
from diagnose.redact.urls import plain_address
from diagnose.redact.values import redact_value

if TYPE_CHECKING:
    from diagnose.model import Json


CLEAN_LIMIT = 50_000
"""Strings known to hold no secret that are remembered: what a host of 1,000 containers repeats, in
a few MB."""
_SHORTEST_SECRET = 5
"""Characters of free text that may hold a secret."""
_LONGEST_WORD = 20
"""Characters of a harmless value under a secret's name; a longer one is looked through as text."""
_DEEPEST = 100
"""A value that is nested deeper is replaced whole: no answer of an engine comes near, and the
interpreter's own limit is 500."""
TOO_DEEP = "a value nested more than 100 deep"
"""What is remembered for such a value."""

_LOGINS = LazyPattern(r"(?i)\b(?:basic|digest)_?auth\.(?:users|\w+$(?<!file|ealm|ader|ield))")
_LOGIN = LazyPattern(r"((?:^|,)[^:,]+:(?:[^:,]+:)?|^)([^:,]{20,})")
"""Labels that give a proxy its accounts: `traefik...basicauth.users`, `caddy.basicauth.bob`."""
_ID_LENGTHS = frozenset({64, 69, 71})
_LEAST_ID = min(_ID_LENGTHS)
_ID = LazyPattern(r"(?:sha256:)?[0-9a-f]{64}(?:-init)?")
"""An id of the engine's or a folder named by one: by the thousand in an answer about layers, and
never read as a secret by itself."""
_IDS = LazyPattern(r"\b[0-9a-f]{64}\b")

# What is done with a value by its key.
_Handler = Callable[["Walk", str, Any], Any]


class Plan(dict[str, "_Handler | None"]):
    """The treatment of values by their keys.

    A handler, or None to go on. `suspicious` are keys that may be a secret themselves: a URL with a
    password, a token.
    """

    def __init__(self) -> None:
        super().__init__()
        self.suspicious: set[str] = set()

    def __missing__(self, key: str) -> _Handler | None:
        # a host of 1,000 containers has 2,500 keys with an id
        words_of_key = _IDS.sub("", key) if len(key) >= _LEAST_ID else key
        todo = Walk.secret if kind_of(words_of_key) is not None else None
        is_path = "." in words_of_key or "/" in words_of_key
        if "@" in key or (len(words_of_key) > 24 and not is_path):
            self.suspicious.add(key)
        if len(self) < CLEAN_LIMIT:
            self[key] = todo
        return todo


def keep(_walk: Walk, _key: str, value: Any) -> Any:
    """The value as it is: an id, address, path or time holds no secret."""
    return value


class Walk:
    """A walk through one answer; what held no secret is the same object afterwards.

    `clean` holds what was found to hold no secret in any answer of the run, `seen` gets the strings
    that were new to this one, `names` the names of containers and images. One that raised an error
    is not used again: its depth is lost.
    """

    __slots__ = ("_depth", "_plan", "clean", "mark", "names", "seen")

    def __init__(self, plan: Plan, mark: Mark, clean: set[object], names: set[str]) -> None:
        self._plan = plan
        self.mark = mark
        self.clean = clean
        self.names = names
        self.seen: list[str] = []
        self._depth = 0

    def value(self, old: Json) -> Json:
        """Any value."""
        if isinstance(old, str):  # as most are
            return self.string(old)
        if isinstance(old, dict):
            return self.dictionary(old)
        return self.items(old) if isinstance(old, list) else old

    def string(self, old: str) -> str:
        """Free text."""
        if len(old) < 5 or old in self.clean:
            return old
        if len(old) in _ID_LENGTHS and _ID.fullmatch(old):
            self.seen.append(old)
            return old
        new = (plain_address(old, self.mark) if "://" in old else None) or redact_text(
            old, self.mark
        )
        self.seen.append(new)
        if new is old or new == old:
            self.remember(old)
        return new

    def remember(self, clean: object) -> None:
        """Takes note that a string, or the words of a command line, hold no secret."""
        if len(self.clean) > CLEAN_LIMIT:
            self.clean.clear()
        self.clean.add(clean)

    def dictionary(self, old: dict[str, Any]) -> dict[str, Any]:
        """A mapping whose keys say what is done with their values."""
        if self._depth == _DEEPEST:
            return {"too deep": self.mark("unread", TOO_DEEP, "")}
        self._depth += 1
        new = old
        plan = self._plan
        for key, child in old.items():
            if not child or child is True:
                continue
            todo = plan[key]
            if todo is None:
                changed = self.value(child)
            elif todo is keep:
                continue
            else:
                changed = todo(self, key, child)
            if changed is not child:
                if new is old:
                    new = dict(old)
                new[key] = changed
        self._depth -= 1
        suspicious = plan.suspicious
        if suspicious and not suspicious.isdisjoint(old):
            new = {self.string(key): child for key, child in new.items()}
        return self.pair(new) if "value" in old or "Value" in old else new

    def path(self, key: str) -> str:
        """The key of a mapping by paths: read as a text where it may hold a secret itself."""
        _ = self._plan[key]  # takes note of suspicious keys
        return self.string(key) if key in self._plan.suspicious else key

    def pair(self, old: dict[str, Any]) -> dict[str, Any]:
        """The mapping without the secret, where two fields hold a name and its value.

        For example {"name": "DB_PASSWORD", "value": "x"}.
        """
        for of_name, of_value in (
            ("name", "value"),
            ("Name", "Value"),
            ("key", "value"),
            ("Key", "Value"),
        ):
            label = old.get(of_name)
            value = old.get(of_value)
            if isinstance(label, str) and isinstance(value, str) and value:
                new = self.named(label, value)
                return old if new == value else {**old, of_value: new}
        return old

    def items(self, old: list[Any]) -> list[Any]:
        """A list of anything."""
        if self._depth == _DEEPEST:
            return [self.mark("unread", TOO_DEEP, "")]
        self._depth += 1
        new = old
        for index, child in enumerate(old):
            changed = self.value(child)
            if changed is not child:
                if new is old:
                    new = list(old)
                new[index] = changed
        self._depth -= 1
        return new

    def secret(self, key: str, value: Any) -> Any:
        """The value under a secret's name, redacted: a string or number is one.

        The strings of a list are redacted; a mapping has names of its own.
        """
        if isinstance(value, str):
            return self.named(key, value)
        if isinstance(value, dict):
            return self.dictionary(value)
        if isinstance(value, list):
            new = [self.named(key, part) if isinstance(part, str) else part for part in value]
            return self.items(value if new == value else new)
        kind = kind_of(key)
        raw = str(value)
        if kind in ("password", "secret", "pin") and not exempt(kind, key, raw):
            return self.mark(kind, raw, f'"{key}": {raw}')
        return value

    def named(self, label: str, value: str) -> str:
        """A string under a name: a secret if the name says so, free text otherwise."""
        if not value:
            return value
        kind = kind_of(label)
        if kind is None:
            if len(value) < _SHORTEST_SECRET:
                return value
            accounts = _accounts_under(label)
            if accounts.of_proxy:
                return _LOGIN.sub(
                    lambda hit: hit[1] + self.mark("password-hash", hit[2], hit[0]), value
                )
            if accounts.named and (":" in value or "|" in value):
                return redact_text(f"{label}={value}", self.mark)[len(label) + 1 :]
            return self.string(value)
        if exempt(kind, label, value):
            return self.string(value) if len(value) > _LONGEST_WORD else value
        return redact_value(kind, label, value, self.mark, redact_text)

    def assignment(self, old: str) -> str:
        """NAME=value, as in an environment."""
        if old in self.clean:
            return old
        label, equals, whole = old.partition("=")
        if not equals:
            return self.string(old)
        before, value, after = _without_marks(whole)
        new = self.named(label, value)
        if new == value and unexplained(label, value):
            new = self.mark("key", value, old)
        if new == value:
            self.remember(old)
            return old
        return f"{label}={before}{new}{after}"


def _without_marks(whole: str) -> tuple[str, str, str]:
    """The text before a value, the value, and the text behind it, by the marks of an env file.

    `docker run --env-file` keeps quotes, spaces and carriage returns. They hold no secret, and stay
    outside of the token: it is the same as that of a container which has the value without them.
    """
    bare = whole.rstrip()
    quote = bare[:1]
    inner = bare[1:-1]
    is_enclosed = quote in ("'", '"') and bare.endswith(quote)
    is_quoted = is_enclosed and inner and quote not in inner
    value = inner if is_quoted else bare
    start = whole.index(value)
    return whole[:start], value, whole[start + len(value) :]


class _Accounts(msgspec.Struct, frozen=True):
    """Whether a label has accounts as its value."""

    of_proxy: bool
    """It gives a proxy those that it lets in."""
    named: bool
    """Its name says so."""


@lru_cache(maxsize=8192)
def _accounts_under(label: str) -> _Accounts:
    return _Accounts(_LOGINS.search(label) is not None, names_users(label))
