"""Keys and hashes: private keys whole or cut off, pairs of a key's id and its secret, hashes of passwords."""

from __future__ import annotations

from diagnose.redact.lines import on_lines
from diagnose.redact.names import lazy
from diagnose.redact.tokens import Mark

_BREAK = r"(?:\\+[nr]|\s)+(?:[\w:.,+>-]{1,40}[ \t]+){0,2}?"
"""Between two lines of a key: a new line or what stands for one, and what a log puts before each line."""
_PEM = lazy(
    r"----[- ]BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?[- ]----"
    r"(?:(?:(?!----[- ]BEGIN )[\s\S]){0,16000}?----[- ]END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?[- ]----"
    rf"|(?:{_BREAK}(?:[A-Za-z0-9+/]{{40,}}={{0,2}}|(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{{0,80}}))*"
    rf"(?:{_BREAK}(?=\S*[\d+/=])[A-Za-z0-9+/=]{{1,39}}(?![\w.:/-]))?)"
)
"""A whole private key, or as much of it as there is before the text goes on with something else."""
_PEM_END = lazy(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINE = lazy(r"[A-Za-z0-9+/=]{16,}|=[A-Za-z0-9+/=]{4}|[A-Za-z0-9+/=]{1,15}=")
_PUTTY = lazy(r"(Private-(?:Lines|MAC|Hash): )(\d+(?:\s+[A-Za-z0-9+/=]{16,})+|[0-9a-f]{32,})")
_JWK = lazy(r"(\"(?:d|k|p|q|dp|dq|qi)\"\s{0,9}:\s{0,9}\")([\w-]{20,})(?=\")")
_AWS_PAIR = lazy(r"(\bA[KS]IA[A-Z0-9]{16}[\"']?[\s:/|,;]{1,3}[\"']?)([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/])")
_HASH = lazy(
    r"\$(?:pbkdf2[\w-]*|argon2\w{0,2}|scrypt)\$[./A-Za-z0-9$=,+-]{16,}"
    r"|\$(?:2[abxy]?|apr1|1|5|6|7|y|gy|sha1|md5)\$[./A-Za-z0-9$=+-]{16,}"
    r"|\{S?(?:SHA|MD5|CRYPT)\d*\}[A-Za-z0-9+/=$.]{16,}"
    r"|\bpbkdf2_sha\d+\$\d+\$[\w+/=.-]+\$[\w+/=]+|\bSCRAM-SHA-\d+\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=:]+"
    r"|(?<![\w*])\*[0-9A-F]{40}\b|\bscrypt:\d+:\d+:\d+\$\w+\$[0-9a-f]+|\bpbkdf2:sha\d+:\d+\$\w+\$[0-9a-f]+"
    r"|\b(?:aad3b435b51404eeaad3b435b51404ee):[0-9a-f]{32}"
)
_STARRED = lazy(r"\*[0-9A-F]{40}\b")
_HASH_SIGNS = ("$", "{S", "{M", "{C", "*", "SCRAM-", "pbkdf2", "scrypt:", "aad3b")


def in_private_keys(text: str, mark: Mark) -> str:
    """The text without private keys, also where the beginning or the end was cut off."""
    if "PRIVATE KEY" in text:
        if "BEGIN " in text:
            text = _PEM().sub(lambda m: mark("private-key", m[0], m[0]), text)
        if "-----END" in text:
            text = _key_tails(text, mark)
    if "Private-" in text:
        text = _PUTTY().sub(lambda m: m[1] + mark("private-key", m[2], m[0]), text)
    if '"kty"' in text:
        text = on_lines(text, "kty", lambda t: _JWK().sub(lambda m: m[1] + mark("private-key", m[2], m[0]), t))
    if "AKIA" in text or "ASIA" in text:
        text = _AWS_PAIR().sub(lambda m: m[1] + mark("aws-secret-key", m[2], m[0]), text)
    return text


def in_hashes(text: str, mark: Mark) -> str:
    """The text without the hashes of passwords."""
    for sign in _HASH_SIGNS:
        if sign in text and (sign != "*" or _STARRED().search(text)):
            text = on_lines(text, sign.lower(), lambda t: _HASH().sub(lambda m: mark("password-hash", m[0], m[0]), t))
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
