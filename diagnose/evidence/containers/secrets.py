"""Secrets that redaction replaced: their names and kinds, never their values."""

from collections.abc import Iterable

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact import TOKEN, is_token

_TOKEN = LazyPattern(TOKEN)
MARK = "<redacted:"
"""Prefix of each token that replaces a secret."""
_NAME_BEFORE = LazyPattern(r"([A-Za-z_][\w.-]{0,80})(?:=|:\s{0,20}|\s{1,20})[\"']?[^\s=]{0,200}$")
"""The name in front of a secret. Bounded, and sought from the secret back: a text may be one long
word."""
_NEAR = 320
"""Characters before a secret in which its name is sought."""


class Secret(msgspec.Struct, frozen=True):
    """The name it stood under ("" if none is known), its kind, and its token.

    Equal secrets have equal tokens in one run.
    """

    name: str
    kind: str
    token: str


def same_value(value: str, other: str) -> bool:
    """Whether two values are equal: of secrets, the ends of their tokens tell."""
    return _without_mark(value) == _without_mark(other)


def _without_mark(value: str) -> str:
    return value.rpartition(":")[2] if value.startswith(MARK) else value


def has_secret(env: Iterable[str] | None) -> tuple[Secret, ...]:
    """The secrets among NAME=value items.

    Values that were redacted, in whole or as a part (a URL's password).
    """
    secrets = []
    for assignment in env or ():
        if MARK not in assignment:
            continue
        name, _, value = assignment.partition("=")
        token = _TOKEN.search(value)
        if token:
            secrets.append(Secret(name, is_token(token[0]) or "secret", token[0]))
    return tuple(secrets)


def in_text(text: str) -> tuple[Secret, ...]:
    """The secrets in a command or any other text, each with the name in front of it."""
    if MARK not in text:
        return ()
    names: dict[str, str] = {}
    for secret in _TOKEN.finditer(text):
        before = _NAME_BEFORE.search(text[max(0, secret.start() - _NEAR) : secret.start()])
        if not names.get(secret[0]):
            names[secret[0]] = before[1] if before else ""
    return tuple(Secret(name, is_token(token) or "secret", token) for token, name in names.items())
