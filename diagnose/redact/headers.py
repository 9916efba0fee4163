"""Secrets in what protocols send: the headers of HTTP, the logins of mail."""

from __future__ import annotations

import re

from diagnose.redact.lines import at_signs, on_lines
from diagnose.redact.names import exempt, lazy, random_looking, unpacked
from diagnose.redact.tokens import Mark
from diagnose.redact.values import B64, cookies, credentials, is_basic, mark_mixed

_AUTHORIZATION = lazy(
    r"(?i)\b((?:proxy-|x-[\w-]+-)?authorization)"
    r"(\\*[\"']?\s{0,40}(?:[:=]\s{0,40}\[?\\*[\"']?|,\s{0,40}\\*[\"']|\s\\*[\"']))([^\r\n\"'\\,\]}]+)"
)
_SIGNED = lazy(r"(?i)\b(digest|aws4-hmac-sha256|hawk|oauth|signature)([ +][^\r\n]{1,2000})")
_SIGNED_PART = lazy(r"(?i)\b(response|signature|oauth_signature|oauth_token|mac|credential)=(\"?)([^\",\s]{6,})")
"""Parameters of an Authorization header: what proves, and what it proves with."""
_COOKIE = lazy(r"(?i)\b(set-cookie2?|cookie)(\\?[\"']?\s{0,40}[:=]\s{0,40}\[?\\?[\"']?)([^\r\n\"'\]\\]+)")
_SCHEMES = ("bearer", "basic", "token ", "negotiate", "ntlm", "apikey ")
_BEARER = lazy(r"(?i)\b(bearer|token|apikey|basic|negotiate|ntlm)([ +]+|%20)([A-Za-z0-9._~+/=-]{8,})")
_SMTP = lazy(r"(?i)(AUTH (?:PLAIN|LOGIN|XOAUTH2) |334 UGFzc3dvcmQ6\r?\n)([A-Za-z0-9+/]{8,}={0,2})(?![\w-])")
_IMAP = lazy(r"(\b[A-Za-z]{0,3}\d{1,5} LOGIN \"?[\w.@-]+\"? \"?)([^\s\"]{6,})")


def in_headers(text: str, low: str, mark: Mark) -> str:
    """The text without the values of Authorization and Cookie headers."""
    if "authorization" in low:
        text = on_lines(text, "authorization", lambda t: _SIGNED().sub(lambda m: _signed(m, mark), t))
        text = on_lines(text, "authorization", lambda t: _AUTHORIZATION().sub(lambda m: _header(m, mark), t))
    if "cookie" in low:
        text = on_lines(text, "cookie", lambda t: _COOKIE().sub(lambda m: m[1] + m[2] + cookies(m[3], mark), t))
    return text


def after_schemes(text: str, low: str, mark: Mark) -> str:
    """The text without what follows `Bearer`, `Basic`, `AUTH PLAIN` and the like, wherever they stand."""
    for scheme in _SCHEMES:
        if scheme in low:
            text = on_lines(text, scheme, lambda t: _BEARER().sub(lambda m: _bearer(m, mark), t))
    if "auth " in low or "334 " in text:
        text = at_signs(text, ("auth ", "334 "), _SMTP(), lambda m: _of_mail(m, mark))
    if " LOGIN " in text:
        text = on_lines(text, " login ", lambda t: _IMAP().sub(lambda m: mark_mixed(m, 2, mark), t))
    return text


def _signed(found: re.Match[str], mark: Mark) -> str:
    return found[1] + _SIGNED_PART().sub(lambda m: f"{m[1]}={m[2]}{mark('auth', m[3], m[0])}", found[2])


def _header(found: re.Match[str], mark: Mark) -> str:
    if _SIGNED().match(found[3]):
        return found[0]
    return found[1] + found[2] + credentials(found[3], mark)


def _bearer(found: re.Match[str], mark: Mark) -> str:
    scheme, gap, raw = found.groups()
    raw = raw.rstrip(".")
    if scheme.lower() in ("basic", "negotiate", "ntlm"):
        if not (B64().fullmatch(raw) and len(raw) % 4 == 0 and (is_basic(raw, mark) or len(raw) > 40)):
            return found[0]
    elif not (random_looking(raw) or (scheme.lower() == "bearer" and any(c.isdigit() for c in raw))):
        return found[0]
    if exempt("token", "", raw):
        return found[0]
    return f"{scheme}{gap}{mark('auth', raw, found[0])}" + found[3][len(raw) :]


def _of_mail(found: re.Match[str], mark: Mark) -> str:
    raw = found[2]
    return found[0] if len(raw) % 4 or unpacked(raw) is None else found[1] + mark("auth", raw, found[0])
