"""Secrets that a program tells in a sentence.

Generated passwords, first tokens, logins to begin with.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.lines import on_lines
from diagnose.redact.looks import exempt, is_mixed
from diagnose.redact.names import kind_of
from diagnose.redact.patterns import COLOUR, ESCAPE_OPEN, Mark, verbose
from diagnose.redact.unquoted import IN_MESSAGES
from diagnose.redact.values import mark_mixed, raw_replaced

SIGNS = (
    "unseal key",
    "recovery key",
    "password",
    "passphrase",
    "token",
    "secret",
    "api key",
    "credential",
)
_ANNOUNCED = verbose(
    rf"""
    (?i:\b
      (?: temporary[ ]password[ ]is[ ]generated[ ]for[ ]\S{{1,80}}?
        | (?:generated[ ](?:root[ ]|admin[ ]|random[ ])?)?(?:password|passphrase|token|secret|api[ ]key)
          (?: [ ]for[ ](?:the[ ]|user[ ])?[\w@.'"-]{{1,40}}(?:[ ]user)?(?:[ ]\([^)\n]{{0,80}}\))? )?
          (?: [ ]is | [ ]was | [ ]has[ ]been | [ ]set[ ]to | [ ]reset[ ]to | [ ]changed[ ]to | [ ]to | :[ ]is )
          (?: [ ]set[ ]to | [ ]changed[ ]to | [ ]now )?
        | generated[ ](?:root[ ]|admin[ ]|random[ ])?(?:password|token|secret|key)(?:[ ]for[ ][\w@. -]{{1,40}}?)?
        | following[ ]password[ ]to[ ]proceed[ ]to[ ]installation
        | (?:unseal|recovery)[ ]key[ ]\d{{1,3}}
        | (?:with|using)[ ](?:the[ ])?(?:password|passphrase|token)
      )
    )
    [:=]?{COLOUR}(\s{{1,40}}){COLOUR}[`'"]?([^\s`'"{ESCAPE_OPEN}]++)(?<!:)
    """
)
"""What announces a secret, and the word after it."""
_AT_END = verbose(
    rf"""
    (?im:\b(?:password|passwd|passphrase|token|secret|api[ ]key|credentials?)\b)
    ([^\n:=]{{1,160}}) (?:{COLOUR}[:=])\s{{1,40}}
    {COLOUR}[`'"]?([^\s`'"{ESCAPE_OPEN}=&]{{8,300}}+=*+){COLOUR}[`'"]?\.?[ \t]{{0,40}}(?=[\r\n]|\Z)
    """
)
"""A sentence that names a secret and ends with it, on its own line or the next."""
_DASHED = LazyPattern(
    r"(?i)\b(?:password|passphrase|token|secret|api key) {1,3}-{1,2} {1,3}([`'\"])"
    r"([^\s`'\"]{8,300}+)\1"
)
"""`token - 'value'`."""
_THE_USER = LazyPattern(r"(?i)\bthe \S{1,80} (?:user|account)\W{0,9}$")
_CREDENTIALS_ARE = LazyPattern(
    r"(?i)\bcredentials (?:are|is):? [\"'`][\w.@-]{1,80}:([^\s\"'`]+)[\"'`]"
)
_USER_SLASH = LazyPattern(
    r"(?im)\b(?:credentials?|login"
    r"|log in)\b[^\n/]{0,60}\b[\w.@-]{1,80} ?/ ?([^\s`'\"/,;]{8,300})(?=[\r\n]|\Z)"
)
""""The credentials are admin / secret" at the end of a line."""


def in_sentences(text: str, low: str, mark: Mark) -> str:
    """The text without the secrets that its sentences tell."""
    for sign in ("login", "log in", "credential"):
        if sign in low and "/" in text:
            text = on_lines(
                text,
                sign,
                lambda lines: _USER_SLASH.sub(lambda hit: mark_mixed(hit, 1, mark), lines),
            )
    for sign in SIGNS:
        if sign in low:
            text = on_lines(text, sign, lambda lines: _redacted_sentence(lines, mark), more=2)
    return text


def _redacted_sentence(text: str, mark: Mark) -> str:
    text = _ANNOUNCED.sub(lambda hit: _redacted_after_announcement(hit, mark), text)
    text = _CREDENTIALS_ARE.sub(
        lambda hit: hit[0].replace(f":{hit[1]}", f":{mark('password', hit[1], hit[0])}"), text
    )
    if " -" in text:
        text = _DASHED.sub(lambda hit: mark_mixed(hit, 2, mark), text)
    return _AT_END.sub(lambda hit: _sentence_end(hit, mark), text)


def _redacted_after_announcement(match: re.Match[str], mark: Mark) -> str:
    """The word behind "password is" or the like, unless that is prose about passwords."""
    raw = match[2].rstrip(".,;")
    phrase = match[0].lower()
    if raw.lower() in IN_MESSAGES or exempt("password", "", raw):
        return match[0]
    is_certain = "temporary password" in phrase or "following password" in phrase
    is_vague = phrase.startswith(("with", "using")) or raw.isalpha()
    if not is_certain and is_vague and not is_mixed(raw):
        return match[0]
    return raw_replaced(match, 2, mark("password", raw, match[0]) + match[2][len(raw) :])


def _sentence_end(match: re.Match[str], mark: Mark) -> str:
    """The end of a sentence, unless its last word before the sign says that it is something else.

    `password file: X`.
    """
    last = re.findall(r"\w+", match[1].lower())[-1:]
    is_about = last and (last[0].isdigit() or kind_of(f"password_{last[0]}") is None)
    return match[0] if is_about and not _THE_USER.search(match[1]) else mark_mixed(match, 2, mark)
