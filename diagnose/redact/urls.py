"""Secrets in addresses.

A user's password before a host, a key in the user's place, in a query or in a path.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.assigned import names_secrets
from diagnose.redact.lines import at_signs, has_sign, on_lines
from diagnose.redact.looks import exempt, is_mixed, is_scrambled, random_looking
from diagnose.redact.patterns import ESCAPE_OPEN, OPEN, Mark, verbose
from diagnose.redact.unquoted import VERSION_OR_TAG
from diagnose.redact.values import mark_mixed, mark_password, raw_replaced
from diagnose.word_sets import vocabulary

_AFTER_SCHEME = r"(?:(?<=//)|(?<=/\\/))"
"""Pattern text: the slashes before a host, also as PHP writes them in JSON: `https:\\/\\/`."""
_USERINFO = LazyPattern(
    rf"{_AFTER_SCHEME}((?:[^\s/?#\"'<>@:\\]|\\{{1,2}}(?=\w)){{0,128}}):([^\s\"'<>\\/?#]{{1,256}})@(?=[\w\[$*{{%/-]|:\d)"
)
"""user:password@ after `//`; the user of a Windows domain has a backslash: `corp\\bob`. A host may
be missing before the port."""
_USERINFO_SLASH = LazyPattern(
    r"(?<=//)([^\s/?#\"'<>@:\\]{0,128}):([^\s\"'<>\\@]{1,256})@(?=[\w\[$*{%-])"
)
"""The same with a slash in the password that should have been escaped, as people write it."""
_USERINFO_ESCAPED = LazyPattern(
    r"(?<=%3A%2F%2F)([\w.~-]{1,128})%3A((?:[\w.~!*-]|%(?!40|2F)[0-9A-F]{2}){1,256})(?=%40)",
    re.IGNORECASE,
)
_USER_ONLY = LazyPattern(
    rf"{_AFTER_SCHEME}([^\s/?#\"'<>@:\\]{{12,512}})(?=(?::[^\s/?#\"'@]{{0,60}})?@[\w\[-])"
)
"""A token in the user's place, whatever is in the password's: `https://TOKEN:x-oauth-basic@`,
`s3://KEY:secret@`."""
_ACCESS_KEY = LazyPattern(r"(?=[^\s\d]{0,19}\d)[A-Z0-9]{20}")
_LOGIN_AT = verbose(
    r"""
    (?<![\w./@-]) [\w.-]{1,128}+ : (?P<password>[^\s@"'`/:]{1,256}+) @
    (?: (?P<source>(?=(?:tcp|tcp6|unix|udp)\())              # of Go: bob:x@tcp(db:3306)/shop
      | (?!sha256:)(?=[A-Za-z_]|\d{1,3}(?:\.\d{1,3}){3})     # a host
        [\w.-]{1,128}+ (?: (?=: \d{2,5} (?P<database>/[\w-])) )?   # behind its port
      | (?=:\d) )
    """
)
"""user:password@ without a scheme: a data source, or something else with the same signs
(`worker:celery@web-1:8000`)."""
_LOGIN_AT_PROTOCOL = LazyPattern(
    r"(?<![\w./@-])([\w.-]{1,128}+):([^\s\"'`/]{1,128}?)@(?=(?:tcp6?|unix|udp)\()"
)
"""The same for a data source of Go, which takes a password with any sign, an @ too."""
PROTOCOL_SIGNS = ("@tcp(", "@tcp6(", "@unix(", "@udp(")
_SYMBOL = LazyPattern(r"[!$%^&*+=~#?|;]")
_INNER_CLASS = LazyPattern(r"[A-Z]\w*(?:\$\w+)+")
"""A class of Java with its object's number behind the sign: Manager$Listener@493."""
_ORACLE = verbose(
    r"""
    (?i:(\bjdbc:oracle:\w{1,20}:|\bsqlplus\s(?:-\w{1,20}\s){0,5}))
    ([\w.-]{1,128}+) / ([^\s@"'`/]++) (?=@|\s|$)
    """
)
_OF_USER = verbose(
    r"""
    (?i: ( (?:(?:users?|username|login|account)["']?[ \t]?[=:][ \t]? | auth[ \t]) ["']? ) )
    ([\w.@%-]{1,64}) ([:|]) ([^\s"',;:|]{6,256})
    """
)
"""A user and a password under the user's name: `SFTP_USERS=bob:x`, `login=bob:x`."""
_GROUPS = vocabulary(
    "users staff docker nogroup nobody daemon www-data "
    "wheel admin admins root adm sudo group public"
)
"""What follows a user and a colon without being a password: its group."""
_QUERY = verbose(
    r"""
    (?i: ( [?&;](?:amp;)?
      (?: sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token
        |x-goog-signature|x-goog-credential|awsaccesskeyid
        | key|code|auth|hash|sas|sid|session|sessionid|ticket|assertion|samlresponse|s|apik|appid|k ) = ) )
    ([^&\s"'#<>\\]{6,}+)
    """
)
_QUERY_STRONG = LazyPattern(r"(?i)sig|amz|goog|awsaccess|assertion|saml|auth|ticket|session")
_QUERY_PAIR = LazyPattern(r"([?&]u=[^&\s]{1,80}&p=)([^&\s\"'#<>\\]+)")
PATH_SIGNS = (
    *(
        "hook",
        "reset-password/",
        "password-reset/",
        "invite/",
        "v1/http/",
        "verify/",
        "unsubscribe/",
        "magic/",
        "hc-ping.com/",
    ),
    *("/apikey/", "/api-key/", "/api_key/", "/token/", "/key/", "/secret/", "/auth/"),
    *("infura.io/", "alchemy.com/", "alchemyapi.io/", "quiknode.pro/", "ankr.com/"),
)
"""Where a match of the pattern below begins, in lower case."""
_PATH = verbose(
    r"""
    (?i: ( hooks?/(?:[\w.-]{1,24}/)?                         # webhooks
         | (?:reset-password|password-reset|invite|v1/http|verify|unsubscribe|magic)/     # one-time links
         | hc-ping\.com/                                     # pings
         | /(?:api[_-]?key|token|key|secret|auth)/           # an API that takes its key in the path
         | (?:infura\.io|alchemy\.com|alchemyapi\.io|quiknode\.pro|ankr\.com/\w{1,20})/(?:ws/)?(?:v[23]/)? ) )
    ([\w+/=-]{20,512})
    """
)
"""What is called by whoever knows the address."""
_UUID_OR_HEX = LazyPattern(r"[0-9a-f-]{32,}")
_PLAIN = verbose(
    r"""
    (?P<user>[a-z][a-z0-9+.-]{1,17}://[\w.-]{0,11}) : (?P<password>[^\s"'<>\\/?#@:]{1,256}) @
    (?=[\w-].{0,17}$) (?P<place>[\w-]+(?:\.[\w-]+)*(?::\d{1,5})?(?:/[\w.-]*)?)
    """
)
"""An address and nothing else, too short for any secret but its password: what most services have
in their environment."""
_ESCAPED = LazyPattern(r"%[0-9A-Fa-f]{2}")
"""A sign that an address cannot have as it is (RFC 3986, section 2.1)."""


def plain_address(text: str, mark: Mark) -> str | None:
    """An address of the plainest form without its password.

    As all rules together leave it, at a tenth of their cost.

    None for anything else.
    """
    match = _PLAIN.fullmatch(text)
    if match is None or OPEN in text or ESCAPE_OPEN in text:
        return None
    user, password, place = match.groups()
    if exempt("password", "userinfo", password):
        return None
    text_around = f"{user} {place}".lower()
    if names_secrets(text_around) or "login" in text_around:
        return None
    return f"{user}:{mark(_kind(password), password, f':{password}@')}@{place}"


def _kind(password: str) -> str:
    """The kind of a password in an address: whether it stands there as it is.

    `p%40ss` is the password `p@ss`, and their tokens differ.
    """
    return "url-password-escaped" if _ESCAPED.search(password) else "url-password"


def in_addresses(text: str, low: str, mark: Mark) -> str:
    """The text without the passwords before an @ and those that follow the name of a user."""
    if "@" in text:
        text = on_lines(text, "@", lambda line: _without_logins(line, mark))
    if "%40" in text:
        text = _USERINFO_ESCAPED.sub(
            lambda hit: f"{hit[1]}%3A{mark('url-password', hit[2], hit[0])}", text
        )
    if ":" in text or "|" in text:
        users = tuple(sign for sign in ("user", "login", "account", "auth ") if sign in low)
        if users:
            text = at_signs(text, users, _OF_USER, lambda hit: _redacted_user(hit, mark))
    return text


def in_queries(text: str, low: str, mark: Mark) -> str:
    """The text without the signatures and tokens in its queries and paths."""
    if "=" in text and ("?" in text or "&" in text):
        text = _QUERY.sub(lambda hit: hit[1] + _query_value(hit, mark), text)
        if "&p=" in text:
            text = _QUERY_PAIR.sub(lambda hit: hit[1] + mark("url-password", hit[2], hit[0]), text)
    if "/" in text and has_sign(low, PATH_SIGNS):
        text = at_signs(text, PATH_SIGNS, _PATH, lambda hit: hit[1] + _path(hit[2], mark))
    return text


def _query_value(match: re.Match[str], mark: Mark) -> str:
    raw = match[2]
    is_key = _QUERY_STRONG.search(match[1]) or random_looking(raw) or is_scrambled(raw)
    if not is_key or exempt("token", "", raw):
        return raw
    return mark("url-signature" if "sig" in match[1].lower() else "url-token", raw, match[0])


def _path(raw: str, mark: Mark) -> str:
    """A path with the segments replaced that look generated."""
    segments = [raw] if "=" in raw else raw.split("/")
    return "/".join(
        [
            mark("url-token", segment, raw) if _is_generated(segment) else segment
            for segment in segments
        ]
    )


def _is_generated(segment: str) -> bool:
    return random_looking(segment) or _UUID_OR_HEX.fullmatch(segment) is not None


def _redacted_user(match: re.Match[str], mark: Mark) -> str:
    """`users=bob:x`: x is a password unless it is the user's group, a number or a word."""
    name, user, sign, raw = match.groups()
    is_group = raw == user or raw.lower() in _GROUPS
    if is_group or user.isdigit() or OPEN in raw:
        return match[0]
    is_list = name.strip(" \t\"'=:").lower().endswith("users") and sign == ":"
    if is_list and _has_letter_and_digit(raw) and not VERSION_OR_TAG.fullmatch(raw):
        return raw_replaced(match, 4, mark_password(raw, match[0], mark))
    return mark_mixed(match, 4, mark) if len(raw) >= 8 else match[0]


def _has_letter_and_digit(text: str) -> bool:
    return any(char.isdigit() for char in text) and any(char.isalpha() for char in text)


def _without_logins(text: str, mark: Mark) -> str:
    """Logins that stand before a host: user:password@, a token alone, Oracle's user/password@."""

    def pair(match: re.Match[str]) -> str:
        user = match[1]
        raw = match[2]
        is_port_and_path = "/" in raw and raw.partition("/")[0].isdigit()
        if is_port_and_path or exempt("password", "userinfo", raw):
            return match[0]
        return f"{user}:{mark(_kind(raw), raw, f':{raw}@')}@"

    def alone(match: re.Match[str]) -> str:
        raw = match[1]
        is_key = random_looking(raw) or is_scrambled(raw) or _ACCESS_KEY.fullmatch(raw)
        return mark("url-token", raw, raw) if is_key else raw

    if "//" in text or "/\\/" in text:
        text = _USERINFO.sub(pair, text)
        text = _USERINFO_SLASH.sub(pair, text)
        text = _USER_ONLY.sub(alone, text)
    if ":" in text:
        if has_sign(text, PROTOCOL_SIGNS):
            text = _LOGIN_AT_PROTOCOL.sub(pair, text)
        text = _LOGIN_AT.sub(lambda hit: _login_at(hit, mark), text)
    if "/" in text:
        text = _ORACLE.sub(lambda hit: f"{hit[1]}{hit[2]}/{mark('password', hit[3], hit[0])}", text)
    return text


def _login_at(match: re.Match[str], mark: Mark) -> str:
    """`root:x@tcp(db)` and `root:x@db:3306/shop` are data sources.

    Elsewhere x must look like a password.
    """
    raw = match["password"]
    is_version = raw.startswith("sha256:") or VERSION_OR_TAG.fullmatch(raw)
    if is_version or _INNER_CLASS.fullmatch(raw) or exempt("password", "userinfo", raw):
        return match[0]
    is_source = match["source"] is not None or match["database"] is not None
    has_symbol = _SYMBOL.search(raw) is not None and any(map(str.isalnum, raw))
    is_like_one = len(raw) >= 6 and (is_mixed(raw) or has_symbol)
    if not (is_source or is_like_one):
        return match[0]
    kind = "url-password" if is_source else "password"
    return raw_replaced(match, "password", mark(kind, raw, f":{raw}@"))
