"""Keys and hashes.

Private keys whole or cut off, pairs of a key's id and its secret, hashes of passwords.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.lines import on_lines
from diagnose.redact.patterns import Mark, verbose

_LONGEST_KEY = 16_000
"""Characters from a key's first line to its last: RSA of 16,384 bits, in lines, with what a log
puts before each."""
_KIND = r"(?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|OpenVPN [\w -]{0,40}key(?: V\d)?)"
_BEGIN = LazyPattern(rf"----[- ]BEGIN {_KIND}[- ]----")
_END = LazyPattern(rf"----[- ]END {_KIND}[- ]----")
_CUT_OFF = verbose(
    r"""
    (?: (?:\\+[nr]|\s)++ (?:[\w:.,+>-]{1,40}[ \t]+){0,2}?   # a new line or its escape, and what a log puts before it
        (?: [A-Za-z0-9+/]{40,}+={0,2}                       # a line of the key
          | [0-9a-f]{32}                                      # of OpenVPN
          | (?:Proc-Type|DEK-Info|Version|Comment):[ ][^\n\\]{0,80} )
    )*+
    (?: (?:\\+[nr]|\s)++ (?:[\w:.,+>-]{1,40}[ \t]+){0,2}?
        (?=[^\s\d+/=]{0,39}[\d+/=]) [A-Za-z0-9+/=]{1,39}+ (?![\w.:/-]) )?   # the shorter last line
    """
)
"""As much of a key without an end as there is before the text continues with something else."""
_TAIL_LINE = LazyPattern(r"[A-Za-z0-9+/=]{16,}|=[A-Za-z0-9+/=]{4}|[A-Za-z0-9+/=]{1,15}=")
_LONGEST_TAIL = 8000
_PUTTY = LazyPattern(
    r"(Private-(?:Lines|MAC|Hash): )(\d{1,4}(?:\s++[A-Za-z0-9+/=]{16,}+)+|[0-9a-f]{32,})"
)
_JWK = LazyPattern(r"(\"(?:d|k|p|q|dp|dq|qi)\"\s{0,9}:\s{0,9}\")([\w-]{20,}+)(?=\")")
_AWS_PAIR = LazyPattern(
    r"(\bA[KS]IA[A-Z0-9]{16}[\"']?[\s:/|,;]{1,3}[\"']?)([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/])"
)
_HASH = verbose(
    r"""
      \$(?:pbkdf2[\w-]{0,20}|argon2\w{0,2}|scrypt)\$[./A-Za-z0-9$=,+-]{16,}
    | \$(?:2[abxy]?|1|3|4|5|6|7|8|9|y|gy|sha1|md5|apr1|S|H|P)\$[./A-Za-z0-9$=+*-]{14,}        # crypt, Cisco, phpass
    | \$krb5(?:asrep|tgs|pa|cc)\$\d{1,2}\$[\w.@$*/:+-]{16,}                                   # Kerberos
    | \{S?(?:SHA|MD5|CRYPT)\d{0,3}\}[A-Za-z0-9+/=$.]{16,}                                     # LDAP
    | \bpbkdf2_sha\d{1,3}\$\d{1,9}\$[\w+/=.-]{1,200}\$[\w+/=]+                                # Django
    | \bSCRAM-SHA-\d{1,3}\$\d{1,9}:[A-Za-z0-9+/=]{1,200}\$[A-Za-z0-9+/=:]+                    # PostgreSQL
    | (?<![\w*])\*[0-9A-F]{40}\b                                                              # MySQL
    | \bscrypt:\d{1,9}:\d{1,9}:\d{1,9}\$\w{1,200}\$[0-9a-f]+                                  # werkzeug
    | \bpbkdf2:sha\d{1,3}:\d{1,9}\$\w{1,200}\$[0-9a-f]+
    | \baad3b435b51404eeaad3b435b51404ee:[0-9a-f]{32}                                         # Windows
    """
)
_STARRED = LazyPattern(r"\*[0-9A-F]{40}\b")
_HASH_SIGNS = ("$", "{S", "{M", "{C", "*", "SCRAM-", "pbkdf2", "scrypt:", "aad3b")


def in_private_keys(text: str, _low: str, mark: Mark) -> str:
    """The text without private keys, also where the beginning or the end is cut off."""
    if "PRIVATE KEY" in text or "OpenVPN" in text:
        if "BEGIN " in text:
            text = _whole_keys(text, mark)
        if "-----END" in text:
            text = _key_tails(text, mark)
    if "Private-" in text:
        text = _PUTTY.sub(lambda hit: hit[1] + mark("private-key", hit[2], hit[0]), text)
    if '"kty"' in text:
        text = on_lines(text, "kty", lambda lines: _without_web_keys(lines, mark))
    if "AKIA" in text or "ASIA" in text:
        text = _AWS_PAIR.sub(lambda hit: hit[1] + mark("aws-secret-key", hit[2], hit[0]), text)
    return text


def _without_web_keys(lines: str, mark: Mark) -> str:
    """The text without the secret numbers of keys in JSON (JWK)."""
    return _JWK.sub(lambda hit: hit[1] + mark("private-key", hit[2], hit[0]), lines)


def _whole_keys(text: str, mark: Mark) -> str:
    """The text without keys that begin in it.

    A key ends at its last line, or where it is cut off.
    """
    begins = [match.span() for match in _BEGIN.finditer(text)]
    ends = [match.span() for match in _END.finditer(text)]
    pieces: list[str] = []
    done = next_end = 0
    for index, (start, body) in enumerate(begins):
        while next_end < len(ends) and ends[next_end][0] < body:
            next_end += 1
        limit = begins[index + 1][0] if index + 1 < len(begins) else len(text)
        right = _cut_off_at(text, body)
        if next_end < len(ends) and ends[next_end][0] < min(limit, body + _LONGEST_KEY):
            right = ends[next_end][1]
        pieces += (text[done:start], mark("private-key", text[start:right], text[start:right]))
        done = right
    return "".join([*pieces, text[done:]])


def _cut_off_at(text: str, body: int) -> int:
    match = _CUT_OFF.match(text, body)
    return match.end() if match else body


def _key_tails(text: str, mark: Mark) -> str:
    """The text without the ends of private keys whose beginnings are cut off."""
    pieces: list[str] = []
    done = 0
    for match in _END.finditer(text):
        start = _tail_start(text, done, match.start())
        if start < match.start():
            tail = text[start : match.end()]
            pieces += (text[done:start], mark("private-key", tail, tail))
            done = match.end()
    pieces.append(text[done:])
    return "".join(pieces)


def _tail_start(text: str, first: int, end: int) -> int:
    """The place where the lines of a key begin that reach to this end; the end for none.

    first: the place before which nothing is read.
    """
    newline = "\\n" if text.endswith("\\n", first, end) else "\n"
    lines = text[max(first, end - _LONGEST_TAIL) : end].split(newline)
    if not lines[-1]:
        lines.pop()
    start = end
    for line in reversed(lines):
        if not _TAIL_LINE.fullmatch(line.strip()):
            break
        start -= len(line) + len(newline)
    return max(first, start)


def in_hashes(text: str, _low: str, mark: Mark) -> str:
    """The text without the hashes of passwords."""
    for sign in _HASH_SIGNS:
        if sign in text and (sign != "*" or _STARRED.search(text)):
            text = on_lines(
                text,
                sign.lower(),
                lambda lines: _HASH.sub(lambda hit: mark("password-hash", hit[0], hit[0]), lines),
            )
    return text
