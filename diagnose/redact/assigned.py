"""Values assigned to names in any notation: NAME=x, name: x, "name": "x", name => x, --name x, ("name", "x"), YAML blocks."""

from __future__ import annotations

import re
from functools import lru_cache

from diagnose.redact.lines import has_sign
from diagnose.redact.names import exempt, is_mixed, kind_of, lazy, words
from diagnose.redact.tokens import Mark
from diagnose.redact.values import Scan, redact_value

_KEYWORDS = {
    **dict.fromkeys(
        words(
            "pass pwd psw identified unseal recovery secret token key auth cred salt pepper cookie jwt psk bearer community dsn seed "
            "webhook connectionstring contrase encrypt dockerc kennwort wachtwoord adgangskode salasana senha clave haslo hasło heslo "
            "parola lösenord şifre пароль 密码 密碼 口令 パスワード 비밀번호"
        )
    ),
    "pin": r"pin\b",
    "pw": r"pw(?:\b|_)",
    "sas": r"sas\b",
    "mdp": r"mdp\b",
    "_pat": r"_pat\b",
}
"""Without one of these, in lower case, no name in a text is a secret's; and where one must end."""
_OF_ASCII = tuple(each for each in _KEYWORDS if each.isascii())
_ALL = tuple(_KEYWORDS)
_LARGE = 2000
"""In a text of so many characters it pays to look for those keywords only that it has."""
_NAME_END = re.compile(r"[\w.-]*")
_COLOUR = r"(?:\x1b\[[\d;]*m)*"
_ESCAPED_QUOTE = r"&quot;|&#0?3[49];|\\+u0022|\\+x22|%22"
_BEFORE_QUOTED = (
    r"[ubrUBR]{1,2}(?=[\"'])|<<(?=[\"'])|\(\w{1,12}\)[ \t]?(?:\(len=\d+\)[ \t])?(?=\")"
    r"|(?:\r?\n[ \t]{0,40})?string\(\d+\)[ \t](?=\")|(?:\[\]byte|bytes|str|String|SecretStr|Buffer\.from)\((?=[\"'])"
)
"""What languages write between the sign and a literal: u'x', <<"x">>, (string) (len=9) "x", string(9) "x", []byte("x")."""
_SEPARATOR = re.compile(
    rf"{_COLOUR}({_ESCAPED_QUOTE}|\\*[\"'`](?:>>)?|\]|\\*[\"']\])?(?:\[\w*\])?{_COLOUR}[ \t]{{0,20}}"
    rf"(=>|:=|%3[dDaA]|&#61;|=(?!=)|:(?!//|:)|[：＝]){_COLOUR}[ \t]{{0,20}}"
    rf"(?:![\w:/]+[ \t]{{1,4}}|&\w+[ \t]{{1,4}}|{_BEFORE_QUOTED})?{_COLOUR}"
    rf"({_ESCAPED_QUOTE}|\"\"\"(?:\r?\n)?|\'\'\'(?:\r?\n)?|\\*[\"'`“‘]|\|)?"
)
_TYPED = lazy(
    r"(?:[ \t]?:[ \t]*&?(?:'static )?[A-Za-z][\w.]{0,20}(?:[ \t]?\|[ \t]?None)?|[ \t]+string)[ \t]*=[ \t]*([\"'])"
)
_FLAG_GAP = lazy(r"(\\*[\"'])?(?:,\s{0,40}|[ \t]+|[ \t]*\r?\n[ \t]*-[ \t]+)(\\*[\"'])?(?![-|<>&;])")
_CALL_GAP = lazy(r"(\\*[\"'](?:>>)?)?[ \t]*,[ \t]*(?:<<)?(\\*[\"'])")
_CALLED = lazy(r"\([bur]?([\"'])")
_ASKING = lazy(
    r"(?i)_*(?:get|read|fetch|load|find|has|is|check|validate|verify|decode|lookup|create|delete|list|describe)"
)
"""Calls that name what they look for, not what it is."""
_BRACKETED = lazy(r"[(\[<]([^\s()\[\]<>\"',;]{8,300})[)\]>]")
_CONTINUED = lazy(r"\\\r?\n[ \t]*([^\s\\-][^\s\\]*)")
_BLOCK = lazy(r"(?:\\*[\"'])?[ \t]*:[ \t]*([|>][-+]?\d?)?[ \t]*\r?\n([ \t]+)(?![ \t#-])([^\r\n]+)")
_SPOKEN = lazy(
    r"(?:[ \t]{1,40}(?:(?:is|was|->|→|\||\.{3,})[ \t]{1,40})?|[ \t]{0,40}\r?\n-{3,}[ \t]{0,40}\r?\n[ \t]{0,40})"
    r"(?:([\"'`])(?=[^\"'`\r\n]{8,300}\1))?[\"'`(\[<]?([A-Za-z0-9_!#$%&*+./:=?@^~-]{8,300})"
)
_QUALIFIER = lazy(r"(?i)\b(api|access|secret|private|license|master|encryption|account|signing) $")
_DIRECTIVES = words("requirepass masterauth bindpw rootpw rocommunity rwcommunity storepass keypass")
"""Lines of configuration that take their secret after a space: redis.conf, nslcd.conf, slapd.conf, snmpd.conf."""
_LONGEST, _LONGEST_RANDOM = 16_000, 300
"""How far an unquoted value may reach; what is judged by its looks is a key, and keys are short."""
_UNQUOTED_LONG = lazy(r"[^\s\"'`\x00\x1b]+")
_UNQUOTED = lazy(r"[^\s\"'`\x00\x1b,;&<>(){}\[\]|\\]+")
_UNQUOTED_PAIR = lazy(r"[^\s\"'`\x00\x1b,;&]+")
_WORD_FOLLOWS = lazy(r"[,;]?[ \t]+[A-Za-z]")
_CODE = lazy(
    r"[A-Za-z_]+(?:\.[A-Za-z_]+)+\(.*|[A-Za-z_][\w.]*\[.*|\$\(.*|[A-Z]\w*<[\w<>:&]*|(?:await|new|async|yield|typeof)(?!\S)"
)
_REFERENCE = lazy(
    r"(?:self|this|os|process|args|config|cfg|settings|env|ctx|opts|options|params|request|req|c|s|cls)\.[A-Za-z_][\w.]*"
)
VERSION_OR_TAG = lazy(
    r"v?\d+\.[\w.-]+|latest|stable|edge|main|master|dev|alpine[\w.-]*|slim[\w.-]*|amd64|arm64|armhf|i386|all|any"
)
SAID = words(
    "incorrect invalid required expired missing none empty not must is too cannot failed failure unexpected "
    "unauthorized denied mismatch wrong unknown ok valid accepted unset set changed rejected malformed revoked "
    "unable no signature unsupported authentication permission error does was has verified found given provided "
    "enabled disabled unavailable read write invalid_token invalid_grant success succeeded true false null "
    "redacted hidden nil string integer boolean number object array bytes str bool int float any dict list the a "
    "an and or for to from in on of with by as at if this that used using please default undefined eof"
)
"""What messages say after `password:` or `token is`."""
_ASKS = SAID | words("your enter password token secret key")


@lru_cache(maxsize=64)
def _pattern(keywords: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_KEYWORDS[each] or each for each in keywords))


def names_secrets(low: str) -> bool:
    """Whether a text in lower case may hold a name of secrets at all."""
    return has_sign(low, _OF_ASCII if low.isascii() else _ALL)


def assignments(text: str, mark: Mark, scan: Scan) -> str:
    """The text with the values of secrets' names replaced."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    pieces: list[str] = []
    done = past = 0
    present = _ALL if len(low) < _LARGE else tuple(each for each in _ALL if each in low)
    for hit in _pattern(present).finditer(low):
        start, end = hit.span()
        if start < past:
            continue
        while start > past and (text[start - 1].isalnum() or text[start - 1] in "_.-") and hit.start() - start < 100:
            start -= 1
        found_end = _NAME_END.match(text, end)
        past = end = found_end.end() if found_end else end
        span = _value_span(text, start, end)
        if span is None:
            continue
        left, right, kind = span
        name, raw = text[start:end], text[left:right]
        new = redact_value(kind, name, raw, mark, scan, text[start:right])
        if new == raw:
            continue
        pieces += (text[done:left], new)
        done = past = right
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


_Span = tuple[int, int, str]


def _value_span(text: str, start: int, end: int) -> _Span | None:
    """Where the secret value of the name at [start, end) begins and ends, and its kind; None if there is none."""
    name = text[start:end].rstrip(".")
    after = text[end : end + 1]
    if after in ("/", ""):
        return None
    if (
        text[start - 1 : start] == " "
        and name.lower() in ("key", "keys")
        and (qualifier := _QUALIFIER().search(text, max(0, start - 12), start))
    ):
        name = f"{qualifier[1]}_{name}"
    kind = kind_of(name)
    if kind is None:
        return None
    if after == "(":
        return None if _ASKING().match(name) else _literal(text, _CALLED().match(text, end), kind, name)
    if after in " \t:" and (typed := _TYPED().match(text, end)):
        return _literal(text, typed, kind, name)
    separator = _SEPARATOR.match(text, end)
    if separator is not None:
        if separator[2] == ":" and (block := _BLOCK().match(text, end)):
            return _in_block(text, start, block, kind, name)
        return _after_sign(text, start, separator, kind, name)
    if name[0] == "-" or name.lower() in _DIRECTIVES:
        return _after_gap(text, _FLAG_GAP().match(text, end), kind, name)
    if after in "\\\"'," and text[max(0, start - 40) : start].rstrip(" \t\"'<\\")[-1:] in ("(", "[", "{"):
        called = _after_gap(text, _CALL_GAP().match(text, end), kind, name)
        return called if called and not text[called[0] : called[1]].isalpha() else None
    if after in " \t\r\n" and (spoken := _SPOKEN().match(text, end)):
        value = spoken[2].rstrip(".:")
        if kind != "random" and is_mixed(value) and not exempt(kind, name, value):
            left = spoken.start(2)
            return left, text.index(spoken[1], left) if spoken[1] else left + len(value), kind
    return None


def _literal(text: str, opened: re.Match[str] | None, kind: str, name: str) -> _Span | None:
    """A literal that is no word of a language: what is handed to `setPassword("x")`, what a typed name is set to."""
    if opened is None:
        return None
    right = _closing(text, opened.end(), opened[1])
    value = text[opened.end() : right]
    return (opened.end(), right, kind) if is_mixed(value) and not exempt(kind, name, value) else None


def _in_block(text: str, start: int, block: re.Match[str], kind: str, name: str) -> _Span | None:
    """The value on the lines below its name, further in than the name."""
    line = _line_before(text, start)
    indent, first = len(block[2]), block[3].strip()
    if indent <= len(line) - len(line.lstrip(" \t")) or line.strip(" \t-\"'"):
        return None
    if block[1] is None:
        value = first.rstrip(",").strip("\"'")
        if " " in value or value.endswith(":") or value[:1] in "{[&*" or exempt(kind, name, value):
            return None
        left = text.index(value, block.start(3))
        return left, left + len(value), kind
    right = block.end()
    for following in text[right:].splitlines(keepends=True)[1:]:
        if following.strip() and len(following) - len(following.lstrip(" \t")) < indent:
            break
        right += len(following)
    return block.start(3), len(text[: max(right, block.end())].rstrip()), kind


def _after_gap(text: str, gap: re.Match[str] | None, kind: str, name: str) -> _Span | None:
    """The value after a flag and a space, or after a comma where both are quoted."""
    if gap is None:
        return None
    at = gap.end()
    if gap[2]:
        right = _closing(text, at, gap[2])
    else:
        found = _UNQUOTED_LONG().match(text, at)
        right = at + len(_trim(found[0])) if found else at
    value = text[at:right]
    return None if not value or exempt(kind, name, value) else (at, right, kind)


def _after_sign(text: str, start: int, separator: re.Match[str], kind: str, name: str) -> _Span | None:
    """The value after an equals sign, a colon or an arrow."""
    sign, quote, at = separator[2], separator[3], separator.end()
    if name[0] == "-" and sign == "=" and text[at - 1] == " " and not quote:
        return None  # `the --token= switch`
    if quote == "|" or (sign == ":" and text[start - 1 : start] == "/"):
        return None
    if quote:
        right = _closing(text, at, {"“": "”", "‘": "’"}.get(quote, quote.rstrip("\r\n")))
        value = text[at:right]
        if right < 0:
            return None
        prose = sign in (":", "：") and " " in value and _is_prose(value)
        return None if exempt(kind, name, value) or prose else (at, right, kind)
    if bracketed := _BRACKETED().match(text, at):
        value = bracketed[1]
        return (at + 1, at + 1 + len(value), kind) if is_mixed(value) and not exempt(kind, name, value) else None
    line_start = not _line_before(text, start).strip(" \t-\"'")
    upper = name.isupper() or name[0] == "-"
    pattern = _UNQUOTED_LONG if upper and sign != ":" else _UNQUOTED_PAIR if sign == ":" or line_start else _UNQUOTED
    found = pattern().match(text, at, at + (_LONGEST_RANDOM if kind == "random" else _LONGEST))
    if found is None:
        return None
    value = _trim(re.split("%26|%22|%7D|%40", found[0], maxsplit=1)[0] if sign[0] == "%" else found[0])
    right = at + len(value)
    if not value or exempt(kind, name, value) or _REFERENCE().fullmatch(value) or _CODE().fullmatch(value):
        return None
    if ";" in value and "=" in value.partition(";")[2]:
        value = value.partition(";")[0]
        right = at + len(value)
    if text[right : right + 1] == "(" or (value[0] in "([{" and not upper):
        return None
    if sign in (":", "：") and not _is_value(text, separator, start, value, right):
        return None
    continued = _CONTINUED().match(text, right - value.endswith("\\"))
    return at, continued.end() if continued else right, kind


def _is_value(text: str, separator: re.Match[str], start: int, value: str, right: int) -> bool:
    """Whether what follows `name:` is a value, not the rest of a sentence and not an image's tag."""
    spaced = separator.end() > separator.end(2)
    if not spaced:
        before = text[start - 1] if start else ""
        return before not in ("/", "@", ":", "$") and not VERSION_OR_TAG().fullmatch(value)
    if value.lower() in SAID or value.endswith(":"):
        return False
    more = _WORD_FOLLOWS().match(text, right) is not None
    return not (more and value.isalpha() and (value.islower() or value.istitle()))


def _line_before(text: str, start: int) -> str:
    """What stands before a place on its line, no more of it than tells indentation from text."""
    return text[max(0, start - 200) : start].rpartition("\n")[2]


def _is_prose(value: str) -> bool:
    """Whether a quoted value is a sentence rather than a passphrase."""
    said = value.split()
    return len(said) >= 3 and said[0].lower().strip(",.:;") in _ASKS


def _closing(text: str, at: int, quote: str) -> int:
    """Where a quoted value ends: before the same quote, unescaped, else at the end of the line; -1 for a lone backtick."""
    farthest = min(len(text), at + _LONGEST)
    line_end = text.find(quote if len(quote) == 3 and quote[0] != "\\" else "\n", at, farthest)
    line_end = line_end if line_end >= 0 else farthest
    position = at
    while (position := text.find(quote, position, line_end)) >= 0:
        backslashes = 0
        while text[position - 1 - backslashes] == "\\" and position - 1 - backslashes >= at:
            backslashes += 1
        if backslashes % 2 == 0:
            return position
        position += 1
    return -1 if quote == "`" else line_end


def _trim(value: str) -> str:
    """A value without the punctuation of the sentence or list that it stands in."""
    value = value.rstrip(",;")
    for opening, closing in ("()", "[]", "{}"):
        while value.endswith(closing) and value.count(closing) > value.count(opening):
            value = value[:-1].rstrip(",;")
    return value
