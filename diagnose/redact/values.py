"""A value that its name makes a secret: what of it goes, and what stays to be read."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from re import Match

from diagnose.redact.names import OPEN, exempt, is_mixed, is_token, is_url, lazy, words
from diagnose.redact.tokens import Mark

Scan = Callable[[str, Mark], str]
"""The free-text scanner: for a value that is a URL or holds more than one thing."""

_COOKIE_PAIR = lazy(r"([^=;,\s]+)=([^;,\s]+)")
_COOKIE_ATTRIBUTES = words("path domain expires max-age samesite version comment priority")
_SCHEME = lazy(
    r"(?i)(bearer|basic|token|digest|negotiate|ntlm|apikey|aws4-hmac-sha256|hawk|splunk|sso-key)\s{1,40}(.+)"
)

B64 = lazy(r"[A-Za-z0-9+/]{8,}={0,2}")

_SHELL_DEFAULT = lazy(r"\$\{\w+:?[-=]([^{}]+)\}")


def redact_value(kind: str, name: str, value: str, mark: Mark, scan: Scan, phrase: str = "") -> str:
    """The whole value under a secret's name, replaced; of a URL, a default or several parts, what is secret in it."""
    if is_url(value):
        return scan(value, mark)
    if default := _SHELL_DEFAULT().fullmatch(value):
        raw = default[1]
        return value if exempt(kind, name, raw) else value.replace(raw, mark(kind, raw, value))
    if "-----BEGIN" in value and "CERTIFICATE-----" in value and "PRIVATE" not in value:
        return value
    if kind in ("auth", "credential") and _SCHEME().fullmatch(value):
        return credentials(value, mark)
    if kind == "cookie" and _COOKIE_PAIR().match(value):
        return cookies(value, mark)
    if value.startswith("pass:"):
        return "pass:" + mark(kind, value[5:], value)
    if kind == "random":
        kind = "key"
    if kind == "auth" and B64().fullmatch(value):
        is_basic(value, mark)
    return mark(kind, value, phrase or f"{name}={value}")


def mark_password(raw: str, phrase: str, mark: Mark) -> str:
    """What stands at a password's place, replaced unless it is a reference, a path or a switch."""
    return raw if exempt("password", "", raw) else mark("password", raw, phrase)


def mark_word(raw: str, phrase: str, mark: Mark) -> str:
    """What may be a password, replaced if it is no word of a language."""
    return raw if OPEN in raw or not is_mixed(raw) else mark_password(raw, phrase, mark)


def mark_mixed(found: Match[str], group: int, mark: Mark) -> str:
    """A match with one group replaced if that is no word of a language."""
    raw, start = found[group], found.start(group) - found.start()
    return found[0][:start] + mark_word(raw, found[0], mark) + found[0][start + len(raw) :]


def is_basic(value: str, mark: Mark) -> bool:
    """Whether a value is base64 of user:password; the password is remembered then."""
    try:
        plain = binascii.a2b_base64(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    user, colon, password = plain.partition(":")
    if not colon or not user or not plain.isprintable():
        return False
    if password and len(password) >= 4:
        mark("password", password, plain)
    return True


def credentials(value: str, mark: Mark) -> str:
    """An Authorization header's value: the scheme stays."""
    stripped = value.rstrip()
    rest = value[len(stripped) :]
    if found := _SCHEME().fullmatch(stripped):
        scheme, raw = found[1], found[2]
    else:
        scheme, raw = "", stripped
    if exempt("token", "authorization", raw) or is_token(raw.strip()):
        return value
    if scheme.lower() == "basic":
        is_basic(raw, mark)
    if not scheme and (len(raw) < 8 or " " in raw):
        return value
    return value[: value.index(raw)] + mark("auth", raw, stripped) + rest


def cookies(value: str, mark: Mark) -> str:
    """A cookie header's value: names and attributes stay."""

    def pair(found: Match[str]) -> str:
        name, raw = found[1], found[2]
        if name.lower() in _COOKIE_ATTRIBUTES or exempt("cookie", name, raw):
            return found[0]
        return f"{name}={mark('cookie', raw, found[0])}"

    return _COOKIE_PAIR().sub(pair, value)
