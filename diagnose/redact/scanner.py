"""Secrets in free text: logs, error messages, tracebacks, Markdown, shell lines, and configuration in any notation.

Each rule has a sign, a substring without which it cannot apply, so that a text without secrets costs little more than the search for
signs. What a name says about its value is decided in `names`, what a token looks like in `tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from diagnose.redact.assigned import KEYWORD, SAID, VERSION_OR_TAG, assignments
from diagnose.redact.commands import command_secrets
from diagnose.redact.names import CLOSE, OPEN, TOKEN, exempt, kind_of, lazy, random_looking
from diagnose.redact.tokens import Mark, redact_shapes
from diagnose.redact.values import B64, cookies, credentials, is_basic, redact_value

_TOKEN = lazy(TOKEN)
_HELD = lazy(f"{OPEN}(\\d+){CLOSE}")
_ALL_HELD = lazy(f"(?:{OPEN}\\d+{CLOSE})+")

_PEM = lazy(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,16000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\\+[nr]|\s)+[\w+/=:,. -]*)*)"
)
_PEM_END = lazy(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINE = lazy(r"[A-Za-z0-9+/=]{16,}|=[A-Za-z0-9+/=]{4}|[A-Za-z0-9+/=]{1,15}=")
_PUTTY = lazy(r"(Private-(?:Lines|MAC|Hash): )(\d+(?:\s+[A-Za-z0-9+/=]{16,})+|[0-9a-f]{32,})")

_USERINFO = lazy(r"(?<=//)([^\s/?#\"'<>@:\\]{0,128}):([^\s\"'<>\\/?#]{1,256})@(?=[\w\[$*{%/-])")
# A password with an unescaped slash, as people write it.
_USERINFO_SLASH = lazy(r"(?<=//)([^\s/?#\"'<>@:\\]{0,128}):([^\s\"'<>\\@]{1,256})@(?=[\w\[$*{%-])")
_USER_ONLY = lazy(r"(?<=//)([^\s/?#\"'<>@:\\]{12,})@(?=[\w\[-])")
_DSN = lazy(r"(?<![\w./:])([\w.-]+):([^\s@\"'`/]+)@(?=(?:tcp|tcp6|unix|udp)\(|[\w.-]+:\d{2,5}(?:/|\b))")
_ORACLE = lazy(r"(?i)(\bjdbc:oracle:\w+:|\bsqlplus\s(?:-\w+\s)*)([\w.-]+)/([^\s@\"'`/]+)(?=@|\s|$)")

_BEARER = lazy(r"(?i)\b(bearer|token|apikey|basic|negotiate|ntlm)([ +]+|%20)([A-Za-z0-9._~+/=-]{8,})")
_COOKIE = lazy(r"(?i)\b(set-cookie2?|cookie)(\\?[\"']?\s{0,40}[:=]\s{0,40}\[?\\?[\"']?)([^\r\n\"'\]\\]+)")
_AUTHORIZATION = lazy(
    r"(?i)\b((?:proxy-|x-[\w-]+-)?authorization)(\\*[\"']?\s{0,40}[:=]\s{0,40}\[?\\*[\"']?)([^\r\n\"'\\,\]}]+)"
)
_QUERY = lazy(
    r"(?i)([?&;](?:amp;)?(?:sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|"
    r"x-goog-credential|awsaccesskeyid|key|code|auth|hash|sas|sid|session|sessionid|ticket|assertion|samlresponse|s)=)"
    r"([^&\s\"'#<>\\]{6,})"
)
_QUERY_STRONG = lazy(r"(?i)sig|amz|goog|awsaccess|assertion|saml|auth|ticket|session")

_HASH = lazy(
    r"\$(?:2[abxy]?|apr1|1|5|6|7|y|gy|sha1|md5|pbkdf2[\w-]*|argon2\w{0,2}|scrypt)\$[./A-Za-z0-9$=,+-]{16,}"
    r"|\{S?(?:SHA|MD5|CRYPT)\d*\}[A-Za-z0-9+/=$.]{16,}"
    r"|\bpbkdf2_sha\d+\$\d+\$[\w+/=.-]+\$[\w+/=]+|\bSCRAM-SHA-\d+\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=:]+"
    r"|(?<![\w*])\*[0-9A-F]{40}\b|\bscrypt:\d+:\d+:\d+\$\w+\$[0-9a-f]+|\bpbkdf2:sha\d+:\d+\$\w+\$[0-9a-f]+"
    r"|\b(?:aad3b435b51404eeaad3b435b51404ee):[0-9a-f]{32}"
)
_HASH_SIGNS = ("$", "{S", "{M", "{C", "*", "SCRAM-", "pbkdf2", "scrypt:", "aad3b")
_SCHEMES = ("bearer", "basic", "token ", "negotiate", "ntlm", "apikey ")
_ANNOUNCING = ("unseal key", "recovery key", "password", "passphrase", "token", "secret", "api key")
_PGPASS_SIGN = lazy(r":(?:\*|\d{4,5}):[\w.*-]+:")
_PGPASS = lazy(r"(?m)^([\w.*-]+:(?:\*|\d{4,5}):[\w.*-]+:[\w.*-]+:)((?:[^\s:\\]|\\.)+)$")
_XML = lazy(r"<([\w:.-]+)(?:\s[^<>]*)?>([^<>\r\n]{1,400})</\1\s{0,40}>")
_XML_NAMED = lazy(r"<\w+\s[^<>]{0,200}?\b(?:name|key|id)=[\"']([^\"'<>]+)[\"'][^<>]{0,200}>([^<>\r\n]{1,400})</")
_XML_ADD = lazy(r"(?i)<\w+\s[^<>]*?\b(?:key|name|id)=[\"']([^\"'<>]+)[\"'][^<>]*?\bvalue=[\"']([^\"'<>]+)[\"']")
_PAIR = lazy(
    r"(?i)[\"']?\b(?:name|key|k|env)[\"']?\s{0,40}[:=]\s{0,40}([\"']?)([\w.-]+)\1\s{0,40}[,;\n]?\s{0,40}(?:-\s)?[\"']?(?:value|val|v)[\"']?\s{0,40}[:=]\s{0,40}"
    r"(?:\"([^\"\r\n]+)\"|'([^'\r\n]+)'|([^\s\"',}]+))"
)
_PAIR_BACKWARDS = lazy(
    r'(?i)"value"\s{0,40}:\s{0,40}"([^"\r\n]+)"\s{0,40},\s{0,40}"(?:name|key)"\s{0,40}:\s{0,40}"([\w.-]+)"'
)
_SQL = lazy(
    r"(?i)\b(identified\s{1,40}(?:with\s{1,40}[\w']+\s{1,40})?(?:by|as)|(?:with|encrypted|set)\s{1,40}(?:encrypted\s{1,40})?password(?:\s{1,40}for\s{1,40}\S+)?(?:\s{0,40}=)?|password)(\s{1,40}\(?\s{0,40}|\(\s{0,40})(\\*['\"])([^'\"\r\n]+?)\3"
)
# The command as a client types it, and as MONITOR and the slow log show it.
_REDIS = lazy(r'(?m)(^AUTH |"AUTH" (?:"[^"\n]*" )?")([^\s"]+)(?="?\s*$)')
_NETRC = lazy(
    r"(?i)\b(machine\s{1,40}\S+\s{1,40}(?:login\s{1,40}\S+\s{1,40})?password\s{1,40}|login\s{1,40}\S+\s{1,40}password\s{1,40})(\S+)"
)
_ENV_PAIR = lazy(r"(?m)\b(?:ENV|ARG|setx|setenv)\s{1,40}([A-Za-z_]\w*)[ \t]{1,40}(?!=)([^\s=][^\s]*)")
_ANNOUNCED = lazy(
    r"(?i)\b(?:temporary password is generated for \S+?|generated (?:root |admin |random )?(?:password|token|secret|key)"
    r"(?: for [\w@. -]{1,40}?)?|(?:password|passphrase|token|secret|api key)"
    r"(?: for (?:the |user )?[\w@.'\"-]{1,40}(?: user)?(?: \([^)]*\))?)?"
    r"(?: is| was| has been| set to| reset to| changed to| to|: is)(?: set to| changed to| now)?"
    r"|following password to proceed to installation|(?:unseal|recovery) key \d+)[:=]?(\s{1,40})[`'\"]?([^\s`'\"]+)"
)


def redact_text(text: str, mark: Mark) -> str:
    """The text with every secret in it replaced by what `mark` gives for it.

    While the rules run, a replaced secret is held as an index between two private-use characters, which no rule reads: a token names
    its kind, and would look like one more `password: value`.
    """
    if len(text) < 5:
        return text
    held: list[tuple[str, str]] = []

    def hold(raw: str, token: str) -> str:
        held.append((raw, token))
        return f"{OPEN}{len(held) - 1}{CLOSE}"

    def original(part: str) -> str:
        return _HELD().sub(lambda m: held[int(m[1])][0], part) if OPEN in part else part

    def mark_held(kind: str, raw: str, phrase: str) -> str:
        if OPEN in raw:
            if _ALL_HELD().fullmatch(raw):
                return raw
            raw = original(raw)
        return hold(raw, mark(kind, raw, original(phrase)))

    if OPEN in text:
        text = text.replace(OPEN, "\ufffd")
    if "<redacted:" in text:
        text = _TOKEN().sub(lambda m: hold(m[0], m[0]), text)
    text = _rules(text, mark_held)
    return _HELD().sub(lambda m: held[int(m[1])][1], text) if held else text


def _rules(text: str, mark: Mark) -> str:
    if "-----" in text:
        if "-----BEGIN" in text:
            text = _PEM().sub(lambda m: mark("private-key", m[0], m[0]), text)
        if "-----END" in text:
            text = _key_tails(text, mark)
    if "Private-" in text:
        text = _PUTTY().sub(lambda m: m[1] + mark("private-key", m[2], m[0]), text)
    low = text.lower()
    named = KEYWORD.search(low) is not None
    if named:
        if "authorization" in low:
            text = _on_lines(text, "authorization", lambda t: _AUTHORIZATION().sub(lambda m: _header(m, mark), t))
        if "cookie" in low:
            text = _on_lines(text, "cookie", lambda t: _COOKIE().sub(lambda m: m[1] + m[2] + cookies(m[3], mark), t))
    if "@" in text:
        text = _on_lines(text, "@", lambda t: _userinfo(t, mark))
    text = redact_shapes(text, mark)
    if "=" in text and ("?" in text or "&" in text):
        text = _QUERY().sub(lambda m: m[1] + _query_value(m, mark), text)
    for scheme in _SCHEMES:
        if scheme in low:
            text = _on_lines(text, scheme, lambda t: _BEARER().sub(lambda m: _bearer(m, mark), t))
    for sign in _HASH_SIGNS:
        if sign in text:
            text = _on_lines(text, sign.lower(), lambda t: _HASH().sub(lambda m: mark("password-hash", m[0], m[0]), t))
    if _PGPASS_SIGN().search(text):
        text = _PGPASS().sub(lambda m: m[1] + mark("password", m[2], m[0]), text)
    text = command_secrets(text, low, mark)
    if named:
        text = _structured(text, low, mark)
        text = assignments(text, mark, _rules)
    return text


def _key_tails(text: str, mark: Mark) -> str:
    """The text without the ends of private keys whose beginnings were cut off."""
    pieces: list[str] = []
    done = 0
    for found in _PEM_END().finditer(text):
        newline = "\\n" if text.endswith("\\n", done, found.start()) else "\n"
        lines = text[max(done, found.start() - 8000) : found.start()].split(newline)
        start = found.start()
        for line in reversed(lines[:-1] if not lines[-1] else lines):
            if not _PEM_LINE().fullmatch(line.strip()):
                break
            start -= len(line) + len(newline)
        start = max(done, start)
        if start < found.start():
            pieces += (text[done:start], mark("private-key", text[start : found.end()], text[start : found.end()]))
            done = found.end()
    pieces.append(text[done:])
    return "".join(pieces)


def _on_lines(text: str, sign: str, rule: Callable[[str], str]) -> str:
    """The text with a rule applied to the lines that hold its sign: a rule costs fifty times what the search for a sign costs."""
    low = text.lower()
    if len(text) < 300 or len(low) != len(text):
        return rule(text)
    pieces: list[str] = []
    done = 0
    while (at := low.find(sign, done)) >= 0:
        start = max(done, text.rfind("\n", done, at) + 1)
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        pieces += (text[done:start], rule(text[start:end]))
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _structured(text: str, low: str, mark: Mark) -> str:
    """Names and values that a notation holds apart: XML, SQL, netrc, name and value pairs, announcements in prose."""
    if "</" in text:
        text = _on_lines(text, "</", lambda t: _XML().sub(lambda m: _named(m, m[1], 2, mark), t))
        text = _on_lines(text, "</", lambda t: _XML_NAMED().sub(lambda m: _named(m, m[1], 2, mark), t))
    if "val" in low:
        if "<" in text:
            text = _on_lines(text, "<", lambda t: _XML_ADD().sub(lambda m: _named(m, m[1], 2, mark), t))
        text = _PAIR_BACKWARDS().sub(lambda m: _named(m, m[2], 1, mark), text)
        text = _PAIR().sub(lambda m: _named(m, m[2], 3 if m[3] else 4 if m[4] else 5, mark), text)
    for sign in ("password", "identified"):
        if sign in low:
            text = _on_lines(text, sign, lambda t: _SQL().sub(lambda m: _named(m, "password", 4, mark), t))
    if "AUTH" in text:
        text = _REDIS().sub(lambda m: _named(m, "password", 2, mark), text)
    if "login" in low or "machine" in low:
        text = _on_lines(text, "password", lambda t: _NETRC().sub(lambda m: _named(m, "password", 2, mark), t))
    if "ENV " in text or "ARG " in text or "setx " in text or "setenv " in text:
        text = _ENV_PAIR().sub(lambda m: _named(m, m[1], 2, mark), text)
    for sign in _ANNOUNCING:
        if sign in low:
            text = _on_lines(text, sign, lambda t: _ANNOUNCED().sub(lambda m: _announced(m, mark), t))
    return text


def _named(found: re.Match[str], name: str, group: int, mark: Mark) -> str:
    """The match with one group replaced if its name makes it a secret."""
    kind, value = kind_of(name), found[group]
    if kind is None or exempt(kind, name, value):
        return found[0]
    start = found.start()
    new = redact_value(kind, name, value, mark, _rules)
    return found[0][: found.start(group) - start] + new + found[0][found.end(group) - start :]


def _header(found: re.Match[str], mark: Mark) -> str:
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


def _query_value(found: re.Match[str], mark: Mark) -> str:
    raw = found[2]
    if exempt("token", "", raw) or not (_QUERY_STRONG().search(found[1]) or random_looking(raw)):
        return raw
    return mark("url-signature" if "sig" in found[1].lower() else "url-token", raw, found[0])


def _userinfo(text: str, mark: Mark) -> str:
    def pair(found: re.Match[str]) -> str:
        user, raw = found[1], found[2]
        if exempt("password", "userinfo", raw) or (raw.partition("/")[0].isdigit() and "/" in raw):
            return found[0]
        return f"{user}:{mark('url-password', raw, f':{raw}@')}@"

    def alone(found: re.Match[str]) -> str:
        raw = found[1]
        return f"{mark('url-token', raw, f'{raw}@')}@" if random_looking(raw) else found[0]

    def data_source(found: re.Match[str]) -> str:
        user, raw = found[1], found[2]
        if exempt("password", "userinfo", raw) or raw.startswith("sha256:") or VERSION_OR_TAG().fullmatch(raw):
            return found[0]
        return f"{user}:{mark('url-password', raw, f':{raw}@')}@"

    if "//" in text:
        text = _USERINFO().sub(pair, text)
        text = _USERINFO_SLASH().sub(pair, text)
        text = _USER_ONLY().sub(alone, text)
    if ":" in text:
        text = _DSN().sub(data_source, text)
    if "/" in text:
        text = _ORACLE().sub(lambda m: f"{m[1]}{m[2]}/{mark('password', m[3], m[0])}", text)
    return text


def _announced(found: re.Match[str], mark: Mark) -> str:
    raw = found[2].rstrip(".,;")
    certain = "temporary password" in found[0].lower() or "following password" in found[0].lower()
    plain = raw.isalpha() and (raw.islower() or raw.istitle())
    if raw.lower() in SAID or exempt("password", "", raw) or (plain and not certain):
        return found[0]
    start = found.start(2) - found.start()
    return found[0][:start] + mark("password", raw, found[0]) + found[2][len(raw) :]
