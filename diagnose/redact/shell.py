"""Secrets in shell lines that stand under no option: what is piped, redirected, or taken at a place of its own."""

from __future__ import annotations

import re

from diagnose.redact.lines import has_sign
from diagnose.redact.names import lazy
from diagnose.redact.tokens import Mark
from diagnose.redact.values import mark_password, mark_word

_OPENSSL = lazy(r"\bpass:([^\s\"']+)")
_PIPED = lazy(
    r"(\b(?:echo|printf)\s(?:-n\s|-e\s|'%s'\s|\"%s\"\s|%s\s)?[\"']?)([^\s\"'|;]+)"
    r"([\"']?\s{0,9}\|[^|\n]{0,80}?(?:--(?:password|token|passphrase)-stdin|sudo -S|passwd --stdin|cryptsetup|-pass stdin))"
)
_HERE = lazy(
    r"((?:--(?:password|token|passphrase)-stdin|sudo -S|passwd --stdin)[^\n|;<]{0,80}<<<\s{0,9}[\"']?)([^\s\"']+)"
)
_ACL = lazy(
    r"(?i)((?:\bacl setuser \S+ (?:[^\s>#]+ ){0,9}|\b(?:user \S+|default) (?:[^\s>#]+ ){0,9}(?=[>#]\S+ [^\n]{0,80}?[~&+%]))[>#])(\S+)"
)
_CHPASSWD = lazy(
    r"(\b[\w.-]+:)([^\s\"'|:]+)(?=[\"']?\s*\|\s*(?:sudo\s+)?chpasswd)|(\bchpasswd <<<\s?[\"']?[\w.-]+:)([^\s\"']+)"
)
_FED = lazy(r"\b(?:echo|printf) [^|]{1,200}\|\s{0,9}(?:sudo )?(?:smbpasswd|passwd|cryptsetup)\b")
_FED_WORD = lazy(r"[^\s\"'();|\\]{6,}")
_WRITTEN = lazy(
    r"(\b(?:echo|printf) (?:-n |-e )?[\"']?)([^\s\"'|;>]{6,})"
    r"(?=[\"']?\s{0,9}>>?\s{0,9}\S{0,99}(?:secret|passw|token|credential|private|\.key))"
)
_PLACE = lazy(
    r"(\bhttp-basic\.\S+ \S+ |\bbundle config (?:set )?(?:--\w+ )*[\w.-]+\.[a-z]{2,} "
    r"|\bopenssl passwd (?:-\w+ )*|\bdb2 connect .{1,80} using "
    r"|\bsend(?: --)? [\"']|\bopen -u [^\s,]+,|\bvault (?:kv put|write) \S+ \w+=|\bsqlplus (?:-\w+ )*[\w.-]+/"
    r"|\bcurl [^|\n]{0,200}?(?:-b|--cookie)[ =][\"']?[\w.-]+=)([^\s\"'\\@;)]+)"
)
"""Commands that take a secret at a place of its own."""
_PLACE_SIGNS = (
    "http-basic",
    "bundle config",
    "openssl passwd",
    "db2 connect",
    "send ",
    "open -u ",
    "vault ",
    "sqlplus ",
    "curl ",
)


def in_shell(text: str, low: str, mark: Mark) -> str:
    """The text without the secrets that its shell lines feed to programs."""
    if "pass:" in low:
        text = _OPENSSL().sub(lambda m: "pass:" + mark_password(m[1], m[0], mark), text)
    if "echo" in low or "printf" in low or "<<<" in low:
        text = _PIPED().sub(lambda m: m[1] + mark_password(m[2], m[0], mark) + m[3], text)
        text = _HERE().sub(lambda m: m[1] + mark_password(m[2], m[0], mark), text)
    if "echo " in low or "printf " in low:
        text = _FED().sub(lambda m: _FED_WORD().sub(lambda w: mark_word(w[0], m[0], mark), m[0]), text)
        text = _WRITTEN().sub(lambda m: m[1] + mark_word(m[2], m[0], mark), text)
    if " >" in text or " #" in text:
        text = _ACL().sub(lambda m: m[1] + mark_password(m[2], m[0], mark), text)
    if "chpasswd" in low:
        text = _CHPASSWD().sub(lambda m: (m[1] or m[3]) + mark_password(m[2] or m[4], m[0], mark), text)
    if has_sign(text, _PLACE_SIGNS):
        text = _PLACE().sub(lambda m: m[1] + _at_place(m, mark), text)
    return text


def at_places_in_words(words: list[str], mark: Mark) -> list[str]:
    """The words of a command line without what stands at a secret's place."""
    line = " ".join(words)
    for found in _PLACE().finditer(line) if has_sign(line, _PLACE_SIGNS) else ():
        new = _at_place(found, mark)
        words = [word.replace(found[2], new) for word in words]
    return words


def _at_place(found: re.Match[str], mark: Mark) -> str:
    certain = found[1].startswith("bundle")  # 8 and 8 hexadecimal digits
    return (mark_password if certain else mark_word)(found[2], found[0], mark)
