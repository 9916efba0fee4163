"""Secrets that a program tells in a sentence: generated passwords, first tokens, logins to begin with."""

from __future__ import annotations

import re

from diagnose.redact.assigned import SAID
from diagnose.redact.lines import on_lines
from diagnose.redact.names import exempt, kind_of, lazy
from diagnose.redact.tokens import Mark
from diagnose.redact.values import mark_mixed

_SIGNS = ("unseal key", "recovery key", "password", "passphrase", "token", "secret", "api key", "credential")
_ANNOUNCED = lazy(
    r"(?i)\b(?:temporary password is generated for \S+?|generated (?:root |admin |random )?(?:password|token|secret|key)"
    r"(?: for [\w@. -]{1,40}?)?|(?:password|passphrase|token|secret|api key)"
    r"(?: for (?:the |user )?[\w@.'\"-]{1,40}(?: user)?(?: \([^)]*\))?)?"
    r"(?: is| was| has been| set to| reset to| changed to| to|: is)(?: set to| changed to| now)?"
    r"|following password to proceed to installation|(?:unseal|recovery) key \d+)[:=]?(\s{1,40})[`'\"]?([^\s`'\"]++)(?<!:)"
)
_COLOUR = r"(?:\x1b\[[\d;]*m)*"
_AT_END = lazy(
    rf"(?im)\b(?:password|passwd|passphrase|token|secret|api key|credentials?)\b([^\n:=]{{1,160}})(?:{_COLOUR}[:=])\s{{1,40}}"
    rf"{_COLOUR}[`'\"]?([^\s`'\"\x1b=&]{{8,300}}=*){_COLOUR}[`'\"]?\.?[ \t]{{0,40}}$"
)
"""A sentence that names a secret and ends with it, on its own line or the next."""
_THE_USER = lazy(r"(?i)\bthe \S+ (?:user|account)\W*$")
_CREDENTIALS_ARE = lazy(r"(?i)\bcredentials (?:are|is):? [\"'`][\w.@-]+:([^\s\"'`]+)[\"'`]")
_USER_SLASH = lazy(r"(?im)\b(?:credentials?|login|log in)\b[^\n/]{0,60}\b[\w.@-]+ ?/ ?([^\s`'\"/,;]{8,300})$")


def in_sentences(text: str, low: str, mark: Mark) -> str:
    """The text without the secrets that its sentences tell."""
    for sign in ("login", "log in", "credential"):
        if sign in low and "/" in text:
            text = on_lines(text, sign, lambda t: _USER_SLASH().sub(lambda m: mark_mixed(m, 1, mark), t))
    for sign in _SIGNS:
        if sign in low:
            text = on_lines(text, sign, lambda t: _told(t, mark), more=2)
    return text


def _told(text: str, mark: Mark) -> str:
    text = _ANNOUNCED().sub(lambda m: _announced(m, mark), text)
    text = _CREDENTIALS_ARE().sub(lambda m: m[0].replace(f":{m[1]}", f":{mark('password', m[1], m[0])}"), text)
    return _AT_END().sub(lambda m: _ending(m, mark), text)


def _announced(found: re.Match[str], mark: Mark) -> str:
    raw = found[2].rstrip(".,;")
    certain = "temporary password" in found[0].lower() or "following password" in found[0].lower()
    plain = raw.isalpha() and (raw.islower() or raw.istitle())
    if raw.lower() in SAID or exempt("password", "", raw) or (plain and not certain):
        return found[0]
    start = found.start(2) - found.start()
    return found[0][:start] + mark("password", raw, found[0]) + found[2][len(raw) :]


def _ending(found: re.Match[str], mark: Mark) -> str:
    """The end of a sentence, unless its last word before the sign says that it is something else: `password file: X`."""
    last = re.findall(r"\w+", found[1].lower())[-1:]
    about = last and (last[0].isdigit() or kind_of(f"password_{last[0]}") is None)
    return found[0] if about and not _THE_USER().search(found[1]) else mark_mixed(found, 2, mark)
