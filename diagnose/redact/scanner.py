"""Secrets in free text: logs, error messages, tracebacks, Markdown, shell lines, and configuration in any notation.

Each rule has a sign, a substring without which it cannot apply, so that a text without secrets costs little more than the search for
signs. What a name says about its value is decided in `names`, what a token looks like in `tokens`.
"""

from __future__ import annotations

import re

from diagnose.redact.assigned import assignments, names_secrets
from diagnose.redact.commands import command_secrets
from diagnose.redact.encoded import in_base64, in_wide_text
from diagnose.redact.headers import after_schemes, in_headers
from diagnose.redact.keys import in_hashes, in_private_keys
from diagnose.redact.lines import at_signs, has_sign, on_lines
from diagnose.redact.names import CLOSE, OPEN, TOKEN, exempt, kind_of, lazy
from diagnose.redact.prose import in_sentences
from diagnose.redact.tokens import Mark, long_words, redact_shapes
from diagnose.redact.urls import in_addresses, in_queries
from diagnose.redact.values import mark_mixed, redact_value

_TOKEN = lazy(TOKEN)
_HELD = lazy(f"{OPEN}(\\d+){CLOSE}")
_ALL_HELD = lazy(f"(?:{OPEN}\\d+{CLOSE})+")
_PGPASS_SIGN = lazy(r":(?:\*|\d{4,5}):[\w.*-]+:")
_PGPASS = lazy(r"(?m)(?:^|(?<=[\"']))([\w.*-]+:(?:\*|\d{4,5}):[\w.*-]+:[\w.*-]+:)((?:[^\s:\\\"']|\\.)+)(?:$|(?=[\"']))")
_XML = lazy(
    r"<([\w:.-]+)(?:\s[^<>]*)?>\s{0,40}(?:<!\[CDATA\[)?([^<>\s](?:[^<>\r\n]{0,398}[^<>\s\]])?)(?:\]\]>)?\s{0,40}</\1\s{0,40}>"
)
_XML_NAMED = lazy(
    r"<\w+\s[^<>]{0,200}?\b(?:name|key|id)=[\"']([^\"'<>]+)[\"'][^<>]{0,200}>(?:\s{0,40}<value>)?([^<>\r\n]{1,400})</"
)
_XML_PAIR = lazy(r"<(\w*[Nn]ame|[Kk]ey)>([\w.-]+)</\1>\s{0,40}<(\w*[Vv]alue)>([^<>\r\n]{1,400})</\3>")
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
    r"(?i)\b(machine\s{1,40}\S+\s{1,40}(?:login\s{1,40}\S+\s{1,40})?password\s{1,40}|login\s{1,40}\S+\s{1,40}password\s{1,40})([^\s\"']+)"
)
_ENV_PAIR = lazy(r"(?m)\b(?:ENV|ARG|setx|setenv)\s{1,40}([A-Za-z_]\w*)[ \t]{1,40}(?!=)([^\s=][^\s]*)")
_CALLS = ("login", "connect", "credential", "auth", "pdo")
_CALL = lazy(
    r"(?i)(?:login|connect|credentials?|auth|authenticate|pdo)[ \t]?=?[ \t]?(\([^()\n]{0,100}[\"'],[^()\n]{1,100}\))"
)
_LITERAL = lazy(r"(?<=,)[ \t]*[\"']([^\"'\n]{8,100})(?=[\"'])")


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

    if "\0" in text and (wide := in_wide_text(text, lambda t: redact_text(t, mark))) is not None:
        return wide
    if OPEN in text:
        text = text.replace(OPEN, "\ufffd")
    if "<redacted:" in text:
        text = _TOKEN().sub(lambda m: hold(m[0], m[0]), text)
    text = _rules(text, mark_held)
    return _HELD().sub(lambda m: held[int(m[1])][1], text) if held else text


def _rules(text: str, mark: Mark) -> str:
    text = in_private_keys(text, mark)
    low = text.lower()
    named = names_secrets(low)
    if named:
        text = in_headers(text, low, mark)
    text = in_addresses(text, low, mark)
    words = long_words(text)
    if words:
        text = redact_shapes(text, words, mark)
        text = in_base64(text, words, mark, _rules)
    text = in_queries(text, low, mark)
    text = after_schemes(text, low, mark)
    text = in_hashes(text, mark)
    if _PGPASS_SIGN().search(text):
        text = _PGPASS().sub(lambda m: m[1] + mark("password", m[2], m[0]), text)
    if "(" in text and has_sign(low, _CALLS):
        text = at_signs(text, _CALLS, _CALL(), lambda m: _called(m, mark))
    text = command_secrets(text, low, mark)
    text = in_sentences(text, low, mark)
    if named:
        text = _structured(text, low, mark)
        text = assignments(text, mark, _rules)
    return text


def _structured(text: str, low: str, mark: Mark) -> str:
    """Names and values that a notation holds apart: XML, SQL, netrc, name and value pairs, announcements in prose."""
    if "</" in text:
        text = _XML().sub(lambda m: _named(m, m[1], 2, mark), text)
        text = on_lines(text, "</", lambda t: _XML_NAMED().sub(lambda m: _named(m, m[1], 2, mark), t), more=1)
        text = on_lines(text, "</", lambda t: _XML_PAIR().sub(lambda m: _named(m, m[2], 4, mark), t), more=1)
    if "val" in low:
        if "<" in text:
            text = on_lines(text, "<", lambda t: _XML_ADD().sub(lambda m: _named(m, m[1], 2, mark), t))
        text = _PAIR_BACKWARDS().sub(lambda m: _named(m, m[2], 1, mark), text)
        text = _PAIR().sub(lambda m: _named(m, m[2], 3 if m[3] else 4 if m[4] else 5, mark), text)
    for sign in ("password", "identified"):
        if sign in low:
            text = on_lines(text, sign, lambda t: _SQL().sub(lambda m: _named(m, "password", 4, mark), t))
    if "AUTH" in text:
        text = _REDIS().sub(lambda m: _named(m, "password", 2, mark), text)
    if "login" in low or "machine" in low:
        text = on_lines(text, "password", lambda t: _NETRC().sub(lambda m: _named(m, "password", 2, mark), t))
    if "ENV " in text or "ARG " in text or "setx " in text or "setenv " in text:
        text = _ENV_PAIR().sub(lambda m: _named(m, m[1], 2, mark), text)
    return text


def _named(found: re.Match[str], name: str, group: int, mark: Mark) -> str:
    """The match with one group replaced if its name makes it a secret."""
    kind, value = kind_of(name), found[group]
    if kind is None or exempt(kind, name, value):
        return found[0]
    start = found.start()
    new = redact_value(kind, name, value, mark, _rules)
    return found[0][: found.start(group) - start] + new + found[0][found.end(group) - start :]


def _called(found: re.Match[str], mark: Mark) -> str:
    """What is handed to `connect("db", "root", "x")` after its first argument."""
    return found[0].replace(found[1], _LITERAL().sub(lambda m: mark_mixed(m, 1, mark), found[1]))
