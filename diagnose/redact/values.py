"""A value that its name makes a secret: what of it is replaced, and what stays to be read."""

import binascii
from re import Match

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.looks import exempt, is_mixed, is_token, is_url
from diagnose.redact.patterns import OPEN, Mark, Scan, verbose
from diagnose.word_sets import vocabulary

_COOKIE_PAIR = LazyPattern(r"(?<![^=;,\s])([^=;,\s]{1,200})=([^;,\s]++)")
"""name=value; tried only where a name begins, so that a long word without a sign is read once."""
_COOKIE_ATTRIBUTES = vocabulary("path domain expires max-age samesite version comment priority")
_SCHEME = verbose(
    r"""
    (?i:(bearer|basic|token|digest|negotiate|ntlm|apikey|aws4-hmac-sha256|hawk|splunk|sso-key|ssws|genie-?key|klaviyo-api-key
        |deepl-auth-key|gitlab|private-token|pve[a-z]{3,8}token))
    \s{1,40}(\S.*)
    """
)
"""What an Authorization header begins with. Schemes of vendors are words of their own."""
_OTHER_SCHEME = LazyPattern(r"([A-Za-z][\w-]{1,30})\s{1,40}(\S{16,})")
B64 = LazyPattern(r"[A-Za-z0-9+/]{8,}={0,2}")
_SHELL_DEFAULT = LazyPattern(r"\$\{\w{1,100}:?[-=]([^{}]+)\}")


def redact_value(kind: str, name: str, value: str, mark: Mark, scan: Scan, phrase: str = "") -> str:
    """The value under a secret's name with its secret replaced.

    Most values go whole. Of a URL, a shell default or a header only the part that is secret goes.
    phrase: the text that held the value, by default `name=value`.
    """
    if is_url(value):
        return scan(value, mark)
    partly = _partly_redacted(kind, name, value, mark)
    if partly is not None:
        return partly
    if kind == "random":
        kind = "key"
    if kind == "auth" and B64.fullmatch(value):
        is_basic(value, mark)
    return mark(kind, value, phrase or f"{name}={value}")


def _partly_redacted(kind: str, name: str, value: str, mark: Mark) -> str | None:
    """A value of which a part is not a secret, or which holds none; None where all of it is one."""
    if default := _SHELL_DEFAULT.fullmatch(value):
        raw = default[1]
        return value if exempt(kind, name, raw) else value.replace(raw, mark(kind, raw, value))
    if "-----BEGIN" in value and "CERTIFICATE-----" in value and "PRIVATE" not in value:
        return value
    if kind in ("auth", "credential") and _SCHEME.fullmatch(value):
        return credentials(value, mark)
    if kind == "cookie" and _COOKIE_PAIR.match(value):
        return cookies(value, mark)
    if value.startswith("pass:"):
        return "pass:" + mark(kind, value[5:], value)
    return None


def mark_password(raw: str, phrase: str, mark: Mark) -> str:
    """The text at a password's place, replaced unless it is a reference, a path or a switch."""
    return raw if exempt("password", "", raw) else mark("password", raw, phrase)


def mark_word(raw: str, phrase: str, mark: Mark) -> str:
    """A text that may be a password, replaced if it is not a word of a language."""
    return raw if OPEN in raw or not is_mixed(raw) else mark_password(raw, phrase, mark)


def mark_group(match: Match[str], group: int, mark: Mark) -> str:
    """A match with the password in one of its groups replaced."""
    return raw_replaced(match, group, mark_password(match[group], match[0], mark))


def mark_mixed(match: Match[str], group: int, mark: Mark) -> str:
    """A match with one of its groups replaced if that is not a word of a language."""
    return raw_replaced(match, group, mark_word(match[group], match[0], mark))


def raw_replaced(match: Match[str], group: int | str, new: str) -> str:
    """A match with one of its groups replaced by this text."""
    start = match.start(group) - match.start()
    return match[0][:start] + new + match[0][start + len(match[group]) :]


def is_basic(value: str, mark: Mark) -> bool:
    """Whether a value is the base64 of user:password; the password is remembered then."""
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
    """The value of an Authorization header: the scheme stays."""
    stripped = value.rstrip()
    scheme = ""
    raw = stripped
    if shape := _SCHEME.fullmatch(stripped):
        scheme = shape[1]
        raw = shape[2]
    elif (other := _OTHER_SCHEME.fullmatch(stripped)) and is_mixed(other[2]):
        scheme = other[1]
        raw = other[2]
    if exempt("token", "authorization", raw) or is_token(raw.strip()):
        return value
    if scheme.lower() == "basic":
        is_basic(raw, mark)
    is_too_vague = not scheme and (len(raw) < 8 or " " in raw)
    if is_too_vague:
        return value
    return value[: value.index(raw)] + mark("auth", raw, stripped) + value[len(stripped) :]


def cookies(value: str, mark: Mark) -> str:
    """The value of a Cookie header: names and attributes stay."""

    def pair(match: Match[str]) -> str:
        name = match[1]
        raw = match[2]
        if name.lower() in _COOKIE_ATTRIBUTES or exempt("cookie", name, raw):
            return match[0]
        return f"{name}={mark('cookie', raw, match[0])}"

    return _COOKIE_PAIR.sub(pair, value)
