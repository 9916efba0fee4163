"""Secrets in shell lines that stand under no option.

What is piped, redirected, or taken at a place of its own.
"""

from __future__ import annotations

import re

from diagnose.redact.lines import has_sign
from diagnose.redact.patterns import Mark, lazy, verbose
from diagnose.redact.values import mark_password, mark_word

_PASS_ARGUMENT = lazy(r"\bpass:([^\s\"']+)")
_READERS = (
    r"(?:--(?:password|token|passphrase)-stdin|sudo -S|passwd --stdin|cryptsetup|-pass stdin"
    r"|(?:docker|podman) secret create"
    r"|auth login --with-token|--passphrase-fd 0|mkpasswd|htpasswd -[a-zA-Z]{0,5}i|openssl passwd)"
)
"""Programs and options that read a secret from a pipe."""
_PIPED = verbose(
    rf"""
    (\b(?:echo|printf)\s (?:-n\s|-e\s|'%s'\s|"%s"\s|%s\s)? ["']?)
    ([^\s"'|;]{{1,400}})
    (["']?\s{{0,9}}\|[^|\n]{{0,80}}?{_READERS.replace(" ", "[ ]")})
    """
)
_HERE = lazy(
    r"((?:--(?:password|token|passphrase)-stdin|sudo -S"
    r"|passwd --stdin)[^\n|;<]{0,80}<<<\s{0,9}[\"']?)([^\s\"']+)"
)
_ACL = verbose(
    r"""
    (?i: ( (?: \bacl[ ]setuser[ ]\S{1,80}[ ](?:[^\s>\#]{1,40}[ ]){0,9}
             | \b(?:user[ ]\S{1,80}|default)[ ](?:[^\s>\#]{1,40}[ ]){0,9}(?=[>\#]\S{1,200}[ ][^\n]{0,80}?[~&+%]) )
           [>\#] ) )
    (\S+)
    """
)
"""A user of Redis with a password."""
_CHPASSWD = verbose(
    r"""
      (\b[\w.-]{1,64}:)([^\s"'|:]{1,200})(?=["']?\s{0,9}\|\s{0,9}(?:sudo\s{1,9})?chpasswd)
    | (\bchpasswd[ ]<<<\s?["']?[\w.-]{1,64}:)([^\s"']+)
    """
)
_FED = lazy(r"\b(?:echo|printf) [^|]{1,200}\|\s{0,9}(?:sudo )?(?:smbpasswd|passwd|cryptsetup)\b")
_FED_WORD = lazy(r"[^\s\"'();|\\]{6,}")
_WRITTEN = verbose(
    r"""
    (\b(?:echo|printf)[ ](?:-n[ ]|-e[ ])?["']?)([^\s"'|;>]{6,400})
    (?=["']?\s{0,9} (?:>>?|\|\s{0,9}(?:sudo[ ])?tee[ ]) \s{0,9}\S{0,99}?(?:secret|passw|token|credential|private|\.key))
    """
)
_PLACE = verbose(
    r"""
    ( \bhttp-basic\.\S{1,100}[ ]\S{1,100}[ ]                                      # composer
    | \bbundle[ ]config[ ](?:set[ ])?(?:--\w{1,20}[ ]){0,3}[\w.-]{1,100}\.[a-z]{2,20}[ ]
    | \bopenssl[ ]passwd[ ](?:-\w{1,20}[ ]){0,3}
    | \bdb2[ ]connect[ ][^\n]{1,80}[ ]using[ ]
    | \bsend(?:[ ]--)?[ ]["']                                                     # expect
    | \bopen[ ]-u[ ][^\s,]{1,80},                                                 # lftp
    | \bvault[ ](?:kv[ ]put|write)[ ]\S{1,100}[ ]\w{1,60}=
    | \bsqlplus[ ](?:-\w{1,20}[ ]){0,5}[\w.-]{1,80}/
    | \bcurl[ ][^|\n]{0,200}?(?:-b|--cookie)[ =]["']?[\w.-]{1,80}= )
    ([^\s"'\\@;)]+)
    """
)
"""Commands that take a secret at a place of its own."""
PLACE_SIGNS = (
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
        text = _PASS_ARGUMENT().sub(lambda m: "pass:" + mark_password(m[1], m[0], mark), text)
    if "<<<" in text:
        text = _HERE().sub(lambda m: m[1] + mark_password(m[2], m[0], mark), text)
    if "echo " in low or "printf " in low:
        text = _PIPED().sub(lambda m: m[1] + mark_password(m[2], m[0], mark) + m[3], text)
        text = _FED().sub(
            lambda m: _FED_WORD().sub(lambda w: mark_word(w[0], m[0], mark), m[0]), text
        )
        text = _WRITTEN().sub(lambda m: m[1] + mark_word(m[2], m[0], mark), text)
    if " >" in text or " #" in text:
        text = _ACL().sub(lambda m: m[1] + mark_password(m[2], m[0], mark), text)
    if "chpasswd" in low:
        text = _CHPASSWD().sub(
            lambda m: (m[1] or m[3]) + mark_password(m[2] or m[4], m[0], mark), text
        )
    if has_sign(text, PLACE_SIGNS):
        text = _PLACE().sub(lambda m: m[1] + _at_place(m, mark), text)
    return text


def at_places_in_words(words: list[str], mark: Mark) -> list[str]:
    """The words of a command line without what stands at a secret's place."""
    line = " ".join(words)
    for match in _PLACE().finditer(line) if has_sign(line, PLACE_SIGNS) else ():
        new = _at_place(match, mark)
        words = [word.replace(match[2], new) for word in words] if new != match[2] else words
    return words


def _at_place(match: re.Match[str], mark: Mark) -> str:
    is_certain = match[1].startswith("bundle")  # 8 and 8 hexadecimal digits
    return (mark_password if is_certain else mark_word)(match[2], match[0], mark)
