"""Secrets in addresses: a user's password before a host, tokens in a query, paths that only their owner knows."""

from __future__ import annotations

import re

from diagnose.redact.assigned import VERSION_OR_TAG, names_secrets
from diagnose.redact.lines import at_signs, has_sign, on_lines
from diagnose.redact.names import OPEN, exempt, lazy, random_looking
from diagnose.redact.tokens import Mark
from diagnose.redact.values import mark_mixed

_USERINFO = lazy(r"(?<=//)([^\s/?#\"'<>@:\\]{0,128}):([^\s\"'<>\\/?#]{1,256})@(?=[\w\[$*{%/-])")
# A password with an unescaped slash, as people write it.
_USERINFO_SLASH = lazy(r"(?<=//)([^\s/?#\"'<>@:\\]{0,128}):([^\s\"'<>\\@]{1,256})@(?=[\w\[$*{%-])")
_USERINFO_ESCAPED = lazy(
    r"(?<=%3A%2F%2F)([\w.~-]{1,128})%3A((?:[\w.~!*-]|%(?!40|2F)[0-9A-F]{2}){1,256})(?=%40)", re.IGNORECASE
)
# A token in the user's place, whatever stands in the password's: `https://TOKEN:x-oauth-basic@`, `s3://KEY:secret@`.
_USER_ONLY = lazy(r"(?<=//)([^\s/?#\"'<>@:\\]{12,})(?=(?::[^\s/?#\"'@]{0,60})?@[\w\[-])")
_ACCESS_KEY = lazy(r"(?=\w*[A-Z])(?=\w*\d)[A-Z0-9]{20}")
_DSN = lazy(r"(?<![\w./])([\w.-]+):([^\s@\"'`/:]+)@(?=(?:tcp|tcp6|unix|udp)\(|[\w.-]+:\d{2,5}(?:/|\b))")
# With nothing else to tell that it is a login: `sip:bob:x@pbx`, `bob:x@:8080`.
_AT = lazy(r"(?<![\w./@])([\w.-]+):([^\s@\"'`/:]{8,})@(?!sha256:)(?=[A-Za-z_]|:\d|\d{1,3}(?:\.\d{1,3}){3})")
_ORACLE = lazy(r"(?i)(\bjdbc:oracle:\w+:|\bsqlplus\s(?:-\w+\s)*)([\w.-]+)/([^\s@\"'`/]+)(?=@|\s|$)")
_OF_USER = lazy(
    r"(?i)((?:(?:users?|username|login|account)[\"']?[ \t]?[=:][ \t]?|auth[ \t])[\"']?)([\w.@%-]{1,64})([:|])([^\s\"',;:|]{8,})"
)
"""A user and a password under the user's name: `SFTP_USERS=bob:x`, `login=bob:x`."""
_QUERY = lazy(
    r"(?i)([?&;](?:amp;)?(?:sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|"
    r"x-goog-credential|awsaccesskeyid|key|code|auth|hash|sas|sid|session|sessionid|ticket|assertion|samlresponse|s)=)"
    r"([^&\s\"'#<>\\]{6,})"
)
_QUERY_STRONG = lazy(r"(?i)sig|amz|goog|awsaccess|assertion|saml|auth|ticket|session")
_QUERY_PAIR = lazy(r"([?&]u=[^&\s]{1,80}&p=)([^&\s\"'#<>\\]+)")
_PATH_SIGNS = ("hook", "reset-password/", "password-reset/", "hc-ping.com/", "v1/http/", "invite/")
_PATH = lazy(
    r"(?i)(hooks?/(?:[\w.-]{1,24}/)?|(?:reset-password|password-reset|invite|v1/http)/|hc-ping\.com/)([\w+/=-]{20,})"
)
"""What is called by whoever knows the address: webhooks, pings, one-time links."""
_UUID_OR_HEX = lazy(r"[0-9a-f-]{32,}")


_PLAIN = lazy(
    r"([a-z][a-z0-9+.-]{1,17}://[\w.-]{0,11}):([^\s\"'<>\\/?#@:]{1,256})@(?=[\w-].{0,17}$)([\w-]+(?:\.[\w-]+)*(?::\d{1,5})?(?:/[\w.-]*)?)"
)
"""An address and nothing else, too short for any secret but its password: what most services have in their environment."""


def plain_address(text: str, mark: Mark) -> str | None:
    """An address of the plainest form without its password, as all rules together would leave it at ten times the cost; None for
    anything else.
    """
    found = _PLAIN().fullmatch(text)
    if found is None or OPEN in text or exempt("password", "userinfo", found[2]):
        return None
    around = f"{found[1]} {found[3]}".lower()
    if names_secrets(around) or "login" in around:
        return None
    return f"{found[1]}:{mark('url-password', found[2], f':{found[2]}@')}@{found[3]}"


def in_addresses(text: str, low: str, mark: Mark) -> str:
    """The text without the passwords before hosts and behind users."""
    if "@" in text:
        text = on_lines(text, "@", lambda t: _before_hosts(t, mark))
    if "%40" in text:
        text = _USERINFO_ESCAPED().sub(lambda m: f"{m[1]}%3A{mark('url-password', m[2], m[0])}", text)
    users = tuple(sign for sign in ("user", "login", "account", "auth ") if sign in low)
    if users and (":" in text or "|" in text):
        text = at_signs(text, users, _OF_USER(), lambda m: m[0] if m[2].isdigit() else mark_mixed(m, 4, mark))
    return text


def in_queries(text: str, low: str, mark: Mark) -> str:
    """The text without the signatures and tokens in its queries and paths."""
    if "=" in text and ("?" in text or "&" in text):
        text = _QUERY().sub(lambda m: m[1] + _query_value(m, mark), text)
        if "&p=" in text:
            text = _QUERY_PAIR().sub(lambda m: m[1] + mark("url-password", m[2], m[0]), text)
    if has_sign(low, _PATH_SIGNS):
        text = at_signs(text, _PATH_SIGNS, _PATH(), lambda m: m[1] + _path(m[2], mark))
    return text


def _query_value(found: re.Match[str], mark: Mark) -> str:
    raw = found[2]
    if exempt("token", "", raw) or not (_QUERY_STRONG().search(found[1]) or random_looking(raw)):
        return raw
    return mark("url-signature" if "sig" in found[1].lower() else "url-token", raw, found[0])


def _path(raw: str, mark: Mark) -> str:
    head, slash, last = raw.rpartition("/") if "=" not in raw else ("", "", raw)
    is_secret = random_looking(last) or _UUID_OR_HEX().fullmatch(last)
    return head + slash + mark("url-token", last, raw) if is_secret else raw


def _before_hosts(text: str, mark: Mark) -> str:
    def pair(found: re.Match[str]) -> str:
        user, raw = found[1], found[2]
        if exempt("password", "userinfo", raw) or (raw.partition("/")[0].isdigit() and "/" in raw):
            return found[0]
        return f"{user}:{mark('url-password', raw, f':{raw}@')}@"

    def alone(found: re.Match[str]) -> str:
        raw = found[1]
        return mark("url-token", raw, raw) if random_looking(raw) or _ACCESS_KEY().fullmatch(raw) else raw

    def data_source(found: re.Match[str]) -> str:
        user, raw = found[1], found[2]
        if exempt("password", "userinfo", raw) or raw.startswith("sha256:") or VERSION_OR_TAG().fullmatch(raw):
            return found[0]
        return f"{user}:{mark('url-password', raw, f':{raw}@')}@"

    def at_host(found: re.Match[str]) -> str:
        return found[0] if VERSION_OR_TAG().fullmatch(found[2]) else mark_mixed(found, 2, mark)

    if "//" in text:
        text = _USERINFO().sub(pair, text)
        text = _USERINFO_SLASH().sub(pair, text)
        text = _USER_ONLY().sub(alone, text)
    if ":" in text:
        text = _DSN().sub(data_source, text)
        text = _AT().sub(at_host, text)
    if "/" in text:
        text = _ORACLE().sub(lambda m: f"{m[1]}{m[2]}/{mark('password', m[3], m[0])}", text)
    return text
