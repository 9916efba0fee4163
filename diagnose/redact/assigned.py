"""Values assigned to names in any notation.

NAME=x, name: x, "name": "x", name => x, --name x, ("name", "x"), YAML blocks.
"""

import re
from functools import lru_cache

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.assigned_values import (
    BLOCK,
    after_comma,
    after_gap,
    after_sign,
    in_block,
    literal,
    spoken,
)
from diagnose.redact.lines import has_sign
from diagnose.redact.names import kind_of
from diagnose.redact.patterns import COLOUR, Mark, Scan, verbose
from diagnose.redact.spans import SecretName, SecretSpan, line_before
from diagnose.redact.values import redact_value
from diagnose.word_sets import vocabulary

_KEYWORDS = {
    **dict.fromkeys(
        vocabulary(
            "pass pwd psw psswd pasword pwrd pword identified unseal recovery secret token key "
            "auth cred salt pepper cookie jwt psk "
            "bearer community dsn seed webhook phpsessid jsessionid connectionstring connection_string "
            "connection-string contrase encrypt dockerc kennwort "
            "wachtwoord adgangskode salasana senha clave haslo hasło heslo parola lösenord şifre "
            "пароль 密码 密碼 口令 パスワード 비밀번호"
        )
    ),
    "pin": r"pin\b",
    "pw": r"pw(?:\b|_)",
    "sas": r"sas\b",
    "mdp": r"mdp\b",
    "_pat": r"_pat\b",
}
"""Without one of these, in lower case, no name in a text is a secret's; and where one must end."""
ASCII_KEYWORDS = tuple(keyword for keyword in _KEYWORDS if keyword.isascii())
_ALL = tuple(_KEYWORDS)
_LARGE = 2000
"""In a text of so many characters it pays to look only for those keywords that it has."""
_LONGEST_NAME = 100
_NAME_END = LazyPattern(r"[\w.-]*+")

_ESCAPED_QUOTE = r"&quot;|&\#0?3[49];|\\+u0022|\\+x22|%22"
_BEFORE_QUOTED = r"""
      [ubrneUBRNE]{1,2}(?=["'])                              # Python's u'x', SQL's N'x'
    | <<(?=["'])                                             # Erlang's <<"x">>
    | \(\w{1,12}\)[ \t]?(?:\(len=\d{1,9}\)[ \t])?(?=")       # Go's (string) (len=9) "x"
    | (?:\r?\n[ \t]{0,40})?string\(\d{1,9}\)[ \t](?=")       # PHP's string(9) "x"
    | (?:\[\]byte|bytes|str|String|SecretStr|Buffer\.from)\((?=["'])
"""
"""What languages write between the sign and a literal."""
_SEPARATOR = verbose(
    rf"""
    {COLOUR}
    (?:{_ESCAPED_QUOTE}|\\*+["'`](?:>>)?|\]|\\*+["']\])?       # what closes a quoted name
    (?:\[\w{{0,40}}\])?{COLOUR}[ \t]{{0,20}}
    (?P<sign> =>|:=|%3[dDaA]|&\#61;|=(?!=)|:(?!//|:)|::(?=[ ])|[：＝] )   # twice in LDIF
    {COLOUR}[ \t]{{0,20}}(?:\\\r?\n[ \t]{{0,40}}(?!-))?         # the value may stand on the next line
    (?:!{{1,2}}[\w:/]{{1,60}}[ \t]{{1,4}}|&\w{{1,60}}[ \t]{{1,4}}|{_BEFORE_QUOTED})?   # YAML's !tag and &anchor
    {COLOUR}
    (?P<quote> {_ESCAPED_QUOTE}|\"\"\"(?:\r?\n)?|\'\'\'(?:\r?\n)?|\\*+["'`“‘]|\| )?   # opens the value
    """
)
_TYPED = verbose(
    r"""
    (?: [ \t]?:[ \t]{0,9}&?(?:'static[ ])?[A-Za-z][\w.]{0,20}(?:[ \t]?\|[ \t]?None)?   # password: str = "x"
      | [ \t]{1,9}string )                                                             # password string = "x"
    [ \t]{0,9}=[ \t]{0,9}(?P<quote>["'])
    """
)
_FLAG_GAP = verbose(
    r"""
    (?:\\*+["'])?
    (?: ,\s{0,40} | (?:[ \t]|\\\r?\n)++ | [ \t]{0,40}\r?\n[ \t]{0,40}-[ \t]+ )   # a list, a line (also continued), YAML
    (?P<quote>\\*+["'])?(?![-|<>&;])
    """
)
_SET_GAP = LazyPattern(r"(?:\\*+[\"'])?[ \t]++(?P<quote>\\*+[\"'])?(?![|<>&;])")
"""After the name that a directive sets; its value may begin like an option."""
_CALL_GAP = LazyPattern(
    r"(?:\\*+[\"'](?:>>)?)?[ \t]{0,20},[ \t]{0,20}(?P<binary><<)?(?P<quote>\\*+[\"'])"
)
_CALLED = LazyPattern(r"\([bur]?(?P<quote>[\"'])")
_ASKING = LazyPattern(
    r"(?i)_*(?:get|read|fetch|load|find|has|is|check|validate|verify|decode|lookup|create|delete"
    r"|list|describe)"
)
"""Calls that name what they look for, not what it is."""
_WORD_BEFORE = LazyPattern(r"(?i)\b([a-z]{2,20}) $")
_DIRECTIVES = vocabulary(
    "requirepass masterauth bindpw rootpw rocommunity rwcommunity storepass keypass auth_pass "
    "bind_password insecure-password server_password serverpassword wpa_passphrase"
)
"""Lines of configuration that take their secret after a space: redis.conf, nslcd.conf, slapd.conf,
snmpd.conf, keepalived.conf, haproxy.cfg, hostapd.conf."""
_SENTENCE = LazyPattern(
    r"(?i)[\"']?[ \t]{1,40}(?:are|cannot|for|has|in|is|must"
    r"|not|of|should|to|too|was|with)[ \t]{1,40}[\w\"']"
)
"""After the name of such a directive: an error message that mentions it."""
_SETS = LazyPattern(
    r"(?i)(?:^|[;{]|\\n)[ \t]*(?:(?:fastcgi|uwsgi|scgi)_param|(?:proxy|grpc)_set_header|setenv|set(?= +\$))"
    r"[ \t]+[\"']?\$?$"
)
"""Before a name: what gives it the value that follows after a space, in nginx and Apache."""
_DEFINES = LazyPattern(r"(?i)(?<![a-z])(?:define|setenv|putenv|setdefault|set_?property)\($")
"""Calls whose second argument is the value of the first, whatever it looks like."""
_PASSED_TEST = LazyPattern(r"--- PASS: (?:Benchmark|Example|Fuzz|Test)")
"""What `go test` says of a test."""


@lru_cache(maxsize=64)
def _pattern(keywords: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_KEYWORDS[keyword] or keyword for keyword in keywords))


def names_secrets(low: str) -> bool:
    """Whether a text in lower case may hold a name of secrets at all."""
    return has_sign(low, ASCII_KEYWORDS if low.isascii() else _ALL)


def assignments(text: str, mark: Mark, scan: Scan) -> str:
    """The text with the values of secrets' names replaced."""
    low = _lower_in_place(text)
    present = _ALL if len(low) < _LARGE else tuple(keyword for keyword in _ALL if keyword in low)
    if not present:
        return text
    pieces: list[str] = []
    done = past = 0
    for keyword in _pattern(present).finditer(low):
        if keyword.start() < past:
            continue
        start = _name_start(text, keyword.start(), past)
        past = end = _name_end(text, keyword.end())
        name = _name(text, start, end)
        span = _value_span(text, name) if name else None
        if name is None or span is None:
            continue
        raw = text[span.left : span.right]
        new = redact_value(
            span.kind,
            text[start:end],
            value=raw,
            mark=mark,
            scan=scan,
            phrase=text[start : span.right],
        )
        if new == raw:
            continue
        pieces += (text[done : span.left], new)
        done = past = span.right
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _lower_in_place(text: str) -> str:
    """The text in lower case, each character at its place: that of some is longer."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def _name_start(text: str, start: int, past: int) -> int:
    """The start of the name around a keyword."""
    farthest = max(past, start - _LONGEST_NAME)
    while start > farthest and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    return start


def _name_end(text: str, end: int) -> int:
    """The end of the name around a keyword."""
    rest = _NAME_END.match(text, end)
    return rest.end() if rest else end


def _name(text: str, start: int, end: int) -> SecretName | None:
    """The name at [start, end); None if it names no secret."""
    name = text[start:end].rstrip(".")
    if text[end : end + 1] in ("/", ""):
        return None
    if text.startswith(":?", end) and text.startswith("${", start - 2):
        return None  # what a shell says where the variable is not set
    if name == "PASS" and start >= 4 and _PASSED_TEST.match(text, start - 4):
        return None
    is_plain_key = name.lower() in ("key", "keys") and text[start - 1 : start] == " "
    if is_plain_key and (before := _WORD_BEFORE.search(text, max(0, start - 21), start)):
        name = f"{before[1]}_{name}"  # `api key: x` is a key, `routing key: x` is none
    kind = kind_of(name)
    return SecretName(start, end, name, kind) if kind else None


def _value_span(text: str, name: SecretName) -> SecretSpan | None:
    """The span of a name's secret value. None if it has none."""
    end = name.end
    after = text[end]
    if after == "(":
        only_asks = _ASKING.match(name.text)
        return None if only_asks else literal(text, _CALLED.match(text, end), name)
    if after in " \t:" and (typed := _TYPED.match(text, end)):
        return literal(text, typed, name)
    separator = _SEPARATOR.match(text, end)
    if separator is not None:
        if separator["sign"] == ":" and (block := BLOCK.match(text, end)):
            return in_block(text, block, name)
        return after_sign(text, separator, name)
    if _is_set(text, name):
        return after_gap(text, _SET_GAP.match(text, end), name)
    if _stands_before_value(text, name):
        return after_gap(text, _FLAG_GAP.match(text, end), name)
    if after in "\\\"'," and _is_first_argument(text, name):
        is_defined = _DEFINES.search(_text_before_quotes(text, name)) is not None
        return after_comma(text, _CALL_GAP.match(text, end), name, any_word=is_defined)
    return spoken(text, name) if after in " \t\r\n" else None


def _stands_before_value(text: str, name: SecretName) -> bool:
    """Whether only a gap lies between the name and its value: an option, or a directive."""
    if name.text[0] == "-":
        return True
    return name.text.lower() in _DIRECTIVES and not _SENTENCE.match(text, name.end)


def _is_set(text: str, name: SecretName) -> bool:
    """Whether a directive before the name gives it the value that follows, and no variable."""
    after = text[name.end : name.end + 40].lstrip(" \t\"'")
    is_apart = text[name.end] in " \t\"'" and not after.startswith("$")
    return is_apart and bool(_SETS.search(line_before(text, name.start)))


def _is_first_argument(text: str, name: SecretName) -> bool:
    """Whether a bracket opens before the name, with quotes and blanks between them."""
    return _text_before_quotes(text, name).endswith(("(", "[", "{"))


def _text_before_quotes(text: str, name: SecretName) -> str:
    """The text before a name, without the quotes and blanks between them."""
    return text[max(0, name.start - 40) : name.start].rstrip(" \t\"'<\\")
