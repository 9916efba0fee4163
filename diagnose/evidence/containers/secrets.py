"""Where redacted values stood: evidence knows that there was a secret, under which name and of which kind, never
which."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from diagnose.redact import TOKEN, is_token

_TOKEN = re.compile(TOKEN)
_MARK = "<redacted:"
_NAMED = re.compile(rf"([A-Za-z_][\w.-]*)(?:=|:\s*|\s+)[\"']?[^\s=]*?({TOKEN})")


class Secret(msgspec.Struct, frozen=True):
    """The name it stood under ("" if none is known), its kind, and its token: equal secrets have equal tokens in one
    run."""

    name: str
    kind: str
    token: str


def has_secret(env: Iterable[str] | None) -> tuple[Secret, ...]:
    """The secrets among NAME=value items: values that were redacted, in whole or as a part (a URL's password)."""
    found = []
    for item in env or ():
        if _MARK not in item:
            continue
        name, _, value = item.partition("=")
        token = _TOKEN.search(value)
        if token:
            found.append(Secret(name, is_token(token[0]) or "secret", token[0]))
    return tuple(found)


def in_text(text: str) -> tuple[Secret, ...]:
    """The secrets in a command or any other text, each with the name in front of it."""
    if _MARK not in text:
        return ()
    names: dict[str, str] = {}
    for match in _NAMED.finditer(text):
        names.setdefault(match[2], match[1])
    return tuple(
        Secret(names.get(token, ""), is_token(token) or "secret", token)
        for token in dict.fromkeys(_TOKEN.findall(text))
    )
