"""Secrets in what protocols send: headers of HTTP, logins of mail and file transfer."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.lines import at_signs, on_lines
from diagnose.redact.looks import exempt, is_scrambled, random_looking, unpacked
from diagnose.redact.patterns import Mark, verbose
from diagnose.redact.values import B64, cookies, credentials, is_basic, mark_group, mark_mixed

_AUTHORIZATION = verbose(
    r"""
    (?P<head> (?i:\b(?:proxy-|x-[\w-]{1,40}-)?authorization)
      (?: \\*+["']?\s{0,40}+ (?: [:=]\s{0,40}+\[?\\*+["']?      # Authorization: x, 'Authorization' = ['x
                          | ,\s{0,40}+\\*+["'] )            # ("Authorization", "x")
        | \s\\*+["'] ) )                                    # Authorization "x"
    (?P<value>[^\r\n"'\\,\]}]++)
    """
)
_SIGNED = LazyPattern(
    r"(?i)\b(?P<scheme>digest|aws4-hmac-sha256|hawk|oauth|signature)(?P<parts>[ +][^\r\n]{1,2000})"
)
"""Authorization: Digest username="x", and the signature as response="..."."""
_SIGNED_PART = LazyPattern(
    r"(?i)\b(?P<head>(?:response|signature|oauth_signature|oauth_token|mac|credential)=\"?)"
    r"(?P<value>[^\",\s]{6,})"
)
"""Parameters of an Authorization header: what proves, and what the proof is made with."""
_COOKIE = verbose(
    r"""
    (?P<head> (?i:\b(?:set-cookie2?|cookie))
      (?: \\?["']?\s{0,40}+[:=]\s{0,40}+\[?\\?["']? | \s\\?["'] ) )   # Cookie: x, 'cookie' = ['x, Cookie "x"
    (?P<value>[^\r\n"'\]\\]++)
    """
)
SCHEMES = ("bearer", "basic", "token ", "negotiate", "ntlm", "apikey ", "ssws ")
_BEARER = verbose(
    r"""
    (?i:\b(bearer|token|apikey|basic|negotiate|ntlm|ssws))
    ([ +]{1,40}+|%20)
    ([A-Za-z0-9._~+/-]{8,}+={0,2}+)(?!=)                    # no name before a sign: `bearer expires_in=3600`
    """
)
_MAIL = verbose(
    r"""
    (?i: (AUTH[ ](?:PLAIN|LOGIN|XOAUTH2)[ ]                 # the client says it at once
         | 334[ ]UGFzc3dvcmQ6\r?\n) )                       # or after the server's "Password:"
    ([A-Za-z0-9+/]{8,}+={0,2})(?![\w-])
    """
)
_IMAP = LazyPattern(r"(\b[A-Za-z]{0,3}\d{1,5} LOGIN \"?[\w.@-]{1,80}\"? \"?)([^\s\"]{6,})")
_FTP_LOGIN = LazyPattern(
    r"(\bUSER [^\s]{1,80}\"?\s{1,3}(?:[^\n]{0,80}\n){0,2}[^\n]{0,40}?\bPASS )([^\s\"]{4,})"
)
"""The password right after its user, as POP3 and FTP send them."""
_FTP_PASS = LazyPattern(r"(?m)((?:^|[>\"'] ?)PASS )([^\s\"]{6,})(?=\"?\s*$)")


def in_headers(text: str, low: str, mark: Mark) -> str:
    """The text without the values of Authorization and Cookie headers."""
    if "authorization" in low:
        text = on_lines(
            text,
            "authorization",
            lambda lines: _SIGNED.sub(lambda hit: _redact_signed(hit, mark), lines),
        )
        text = on_lines(
            text,
            "authorization",
            lambda lines: _AUTHORIZATION.sub(lambda hit: _header(hit, mark), lines),
        )
    if "cookie" in low:
        text = on_lines(
            text,
            "cookie",
            lambda lines: _COOKIE.sub(lambda hit: hit["head"] + cookies(hit["value"], mark), lines),
        )
    return text


def after_schemes(text: str, low: str, mark: Mark) -> str:
    """The text without what follows `Bearer`, `Basic`, `AUTH PLAIN` and the like.

    Wherever they stand.
    """
    for scheme in SCHEMES:
        if scheme in low:
            text = on_lines(
                text, scheme, lambda lines: _BEARER.sub(lambda hit: _bearer(hit, mark), lines)
            )
    if "auth " in low or "334 " in text:
        text = at_signs(text, ("auth ", "334 "), _MAIL, lambda hit: _redacted_mail(hit, mark))
    if " LOGIN " in text:
        text = on_lines(
            text, " login ", lambda lines: _IMAP.sub(lambda hit: mark_mixed(hit, 2, mark), lines)
        )
    if "PASS " in text:
        if "USER " in text:
            text = at_signs(text, ("user ",), _FTP_LOGIN, lambda hit: mark_group(hit, 2, mark))
        text = _FTP_PASS.sub(lambda hit: mark_mixed(hit, 2, mark), text)
    return text


def _redact_signed(match: re.Match[str], mark: Mark) -> str:
    return match["scheme"] + _SIGNED_PART.sub(
        lambda hit: hit["head"] + mark("auth", hit["value"], hit[0]), match["parts"]
    )


def _header(match: re.Match[str], mark: Mark) -> str:
    if _SIGNED.match(match["value"]):
        return match[0]
    return match["head"] + credentials(match["value"], mark)


def _bearer(match: re.Match[str], mark: Mark) -> str:
    scheme, gap, raw = match.groups()
    proof = raw.rstrip(".")
    if not _is_proof(scheme.lower(), proof, mark) or exempt("token", "", proof):
        return match[0]
    return f"{scheme}{gap}{mark('auth', proof, match[0])}{raw[len(proof) :]}"


def _is_proof(scheme: str, raw: str, mark: Mark) -> bool:
    """Whether the word after a scheme proves who asks, and is not a word of a sentence."""
    if scheme in ("basic", "negotiate", "ntlm"):
        is_base64 = len(raw) % 4 == 0 and B64.fullmatch(raw) is not None
        return is_base64 and (is_basic(raw, mark) or len(raw) > 40)
    if random_looking(raw) or is_scrambled(raw):
        return True
    return scheme in ("bearer", "ssws") and any(char.isdigit() for char in raw)


def _redacted_mail(match: re.Match[str], mark: Mark) -> str:
    raw = match[2]
    if len(raw) % 4 or unpacked(raw) is None:
        return match[0]
    return match[1] + mark("auth", raw, match[0])
