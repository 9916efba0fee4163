"""Values assigned to names in any notation.

NAME=x, name: x, "name": "x", name => x, --name x, ("name", "x"), YAML blocks.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from diagnose.redact.lines import has_sign
from diagnose.redact.looks import exempt, is_dense, is_mixed
from diagnose.redact.names import kind_of
from diagnose.redact.patterns import (
    COLOUR,
    ESCAPE_CLOSE,
    ESCAPE_OPEN,
    OPEN,
    Mark,
    Scan,
    lazy,
    verbose,
    words,
)
from diagnose.redact.values import redact_value

_KEYWORDS = {
    **dict.fromkeys(
        words(
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
_NAME_END = lazy(r"[\w.-]*+")

_ESCAPED_QUOTE = r"&quot;|&\#0?3[49];|\\+u0022|\\+x22|%22"
_BEFORE_QUOTED = r"""
      [ubrUBR]{1,2}(?=["'])                                  # Python's u'x'
    | <<(?=["'])                                             # Erlang's <<"x">>
    | \(\w{1,12}\)[ \t]?(?:\(len=\d{1,9}\)[ \t])?(?=")       # Go's (string) (len=9) "x"
    | (?:\r?\n[ \t]{0,40})?string\(\d{1,9}\)[ \t](?=")       # PHP's string(9) "x"
    | (?:\[\]byte|bytes|str|String|SecretStr|Buffer\.from)\((?=["'])
"""
"""What languages write between the sign and a literal."""
_SEPARATOR = verbose(
    rf"""
    {COLOUR}
    ({_ESCAPED_QUOTE}|\\*+["'`](?:>>)?|\]|\\*+["']\])?       # 1: what closes a quoted name
    (?:\[\w{{0,40}}\])?{COLOUR}[ \t]{{0,20}}
    (=>|:=|%3[dDaA]|&\#61;|=(?!=)|:(?!//|:)|[：＝])          # 2: the sign
    {COLOUR}[ \t]{{0,20}}
    (?:!{{1,2}}[\w:/]{{1,60}}[ \t]{{1,4}}|&\w{{1,60}}[ \t]{{1,4}}|{_BEFORE_QUOTED})?   # YAML's !tag and &anchor
    {COLOUR}
    ({_ESCAPED_QUOTE}|\"\"\"(?:\r?\n)?|\'\'\'(?:\r?\n)?|\\*+["'`“‘]|\|)?        # 3: the quote that opens the value
    """
)
_TYPED = verbose(
    r"""
    (?: [ \t]?:[ \t]{0,9}&?(?:'static[ ])?[A-Za-z][\w.]{0,20}(?:[ \t]?\|[ \t]?None)?   # password: str = "x"
      | [ \t]{1,9}string )                                                             # password string = "x"
    [ \t]{0,9}=[ \t]{0,9}(["'])
    """
)
_FLAG_GAP = verbose(
    r"""
    (\\*+["'])?
    (?: ,\s{0,40} | (?:[ \t]|\\\r?\n)++ | [ \t]{0,40}\r?\n[ \t]{0,40}-[ \t]+ )   # a list, a line (also continued), YAML
    (\\*+["'])?(?![-|<>&;])
    """
)
_CALL_GAP = lazy(r"(\\*+[\"'](?:>>)?)?[ \t]{0,20},[ \t]{0,20}(<<)?(\\*+[\"'])")
_CALLED = lazy(r"\([bur]?([\"'])")
_ASKING = lazy(
    r"(?i)_*(?:get|read|fetch|load|find|has|is|check|validate|verify|decode|lookup|create|delete"
    r"|list|describe)"
)
"""Calls that name what they look for, not what it is."""
_BRACKETED = lazy(r"[(\[<]([^\s()\[\]<>\"',;]{8,300})[)\]>]")
_WRAPPER = verbose(
    r"""
    (?: (?:new[ ]|&)?
        ([A-Z]\w{0,40}(?:(?:::|\.)\w{1,20})?)(?:<[\w, ]{0,40}>)?   # 1: Some, Optional, SecretBox::new, Option<String>
        (?: \s?[(\[{]\s{0,3}(?:\w{1,20}\s?[:=]\s?)? | [ ](?=["]) )  # its bracket, perhaps a field: Secret { value: x }
    ){1,3}
    (?: (\\*+["']) | ([^\s"'()\[\]{}][^"'()\[\]{}\n]{0,200})(?=[)\]}]) )   # 2: a quote, or 3: a value up to the bracket
    """
)
"""What languages wrap a value in when they print it: Some("x"), Optional[x], Secret(Some("x"))."""
_KNOWN_WRAPPERS = words(
    "Some Optional Option Maybe Just Ok Right Present Value String Str Text Secret SecretStr "
    "SecretString SecretBox SecretValue Password Passphrase Token ApiKey Key Sensitive Protected "
    "Redacted Hidden Masked Private Credential Credentials Zeroizing Box Arc Rc Cow Owned "
    "Borrowed Full NonEmpty Full Literal Plain PlainText Constant Fixed Configured Known Set"
)
_CONTINUED = lazy(r"\\\r?\n[ \t]{0,40}([^\s\\-][^\s\\]{0,1000})")
_BLOCK = verbose(
    r"""
    (?:\\*+["'])?[ \t]{0,20}:[ \t]{0,20}
    ([|>][-+]?\d?)?[ \t]{0,20}\r?\n                          # 1: the sign of a block
    ([ \t]{1,200}+)(?![#-])                                  # 2: the indentation of its first line
    ([^\r\n]++)                                              # 3: that line
    """
)
_SPOKEN = verbose(
    r"""
    (?: [ \t]{1,40}(?:(?:is|was|->|→|\||\.{3,9})[ \t]{1,40})?          # token is x, token | x, token .... x
      | [ \t]{0,40}\r?\n-{3,200}[ \t]{0,40}\r?\n[ \t]{0,40} )          # a table's head, its line, its row
    (?:(["'`])(?=[^"'`\r\n]{8,300}\1))?["'`(\[<]?
    ([A-Za-z0-9_!\#$%&*+./:=?@^~-]{8,300})
    """
)
_WORD_BEFORE = lazy(r"(?i)\b([a-z]{2,20}) $")
_DIRECTIVES = words(
    "requirepass masterauth bindpw rootpw rocommunity rwcommunity storepass keypass"
)
"""Lines of configuration that take their secret after a space: redis.conf, nslcd.conf, slapd.conf,
snmpd.conf."""
_LONGEST, _LONGEST_RANDOM = 4000, 300
"""A longer value is replaced without a second look; what is judged by its looks is a key, and keys
are short."""
_END_OF_ANY = rf"\s\"'`\x00\x1b{ESCAPE_OPEN}{ESCAPE_CLOSE}"
_UNQUOTED_LONG = lazy(rf"[^{_END_OF_ANY}]+")
_UNQUOTED = lazy(rf"[^{_END_OF_ANY},;&<>(){{}}\[\]|\\]+")
_UNQUOTED_PAIR = lazy(rf"[^{_END_OF_ANY},;&]+")
_WORD_FOLLOWS = lazy(r"[,;]?[ \t]{1,40}[A-Za-z]")
_CODE = verbose(
    r"""
      [A-Za-z_]{1,60}(?:\.[A-Za-z_]{1,60}){1,9}\(.*          # os.environ.get(...
    | [A-Za-z_][\w.]{0,99}\[.*                               # config[...
    | [A-Z]\w{0,60}(?:(?:::|\.)\w{1,40})?[({].*              # Secret(..., where no wrapper was read
    | \$\(.*
    | [A-Z]\w{0,99}<[\w<>:&]*
    | (?:await|new|async|yield|typeof)(?!\S)
    """
)
_REFERENCE = lazy(
    r"(?:self|this|os|process|args|config|cfg|settings|env|ctx|opts|options|params|request|req|c|s"
    r"|cls)\.[A-Za-z_][\w.]*"
)
_OBJECT_NAME = lazy(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_NEAR_NAMESPACE = lazy(r"(?i)[, \t\"']{1,3}(?:in )?namespace")
VERSION_OR_TAG = lazy(
    r"v?\d+\.[\w.-]+|latest|stable|edge|main|master|dev|alpine[\w.-]*|slim[\w.-]*|amd64|arm64|armhf"
    r"|i386|all|any"
    r"|[\w.-]{1,80}:v?\d{1,6}(?:\.\d{1,6})+[\w.-]{0,40}"
)
IN_MESSAGES = words(
    "incorrect invalid required expired missing none empty not must is too cannot failed failure "
    "unexpected "
    "unauthorized denied mismatch wrong unknown ok valid accepted unset set changed rejected "
    "malformed revoked "
    "unable no signature unsupported authentication permission error does was has verified found "
    "given provided "
    "enabled disabled unavailable read write invalid_token invalid_grant success succeeded true "
    "false null "
    "redacted hidden nil string integer boolean number object array bytes str bool int float any "
    "dict list the a "
    "an and or for to from in on of with by as at if this that used using please default undefined "
    "eof"
)
"""What messages say after `password:` or `token is`."""
_ASKS = IN_MESSAGES | words("your enter password token secret key")


class SecretSpan(NamedTuple):
    """Where a secret value begins and ends in a text, and its kind."""

    left: int
    right: int
    kind: str


class SecretName(NamedTuple):
    """A name of a secret in a text.

    Where it begins and ends, how it reads, and the kind of its value.
    """

    start: int
    end: int
    text: str
    kind: str


@lru_cache(maxsize=64)
def _pattern(keywords: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_KEYWORDS[keyword] or keyword for keyword in keywords))


def names_secrets(low: str) -> bool:
    """Whether a text in lower case may hold a name of secrets at all."""
    return has_sign(low, ASCII_KEYWORDS if low.isascii() else _ALL)


def assignments(text: str, mark: Mark, scan: Scan) -> str:
    """The text with the values of secrets' names replaced."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    pieces: list[str] = []
    done = past = 0
    present = _ALL if len(low) < _LARGE else tuple(keyword for keyword in _ALL if keyword in low)
    if not present:
        return text
    for hit in _pattern(present).finditer(low):
        start, end = hit.span()
        if start < past:
            continue
        start = _name_start(text, start, past)
        found_end = _NAME_END().match(text, end)
        past = end = found_end.end() if found_end else end
        name = _name(text, start, end)
        span = _value_span(text, name) if name else None
        if name is None or span is None:
            continue
        raw = text[span.left : span.right]
        new = redact_value(span.kind, text[start:end], raw, mark, scan, text[start : span.right])
        if new == raw:
            continue
        pieces += (text[done : span.left], new)
        done = past = span.right
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _name_start(text: str, start: int, past: int) -> int:
    """Where the name around a keyword begins."""
    farthest = max(past, start - _LONGEST_NAME)
    while start > farthest and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    return start


def _name(text: str, start: int, end: int) -> SecretName | None:
    """The name at [start, end); None if it names no secret."""
    name = text[start:end].rstrip(".")
    if text[end : end + 1] in ("/", ""):
        return None
    is_plain_key = name.lower() in ("key", "keys") and text[start - 1 : start] == " "
    if is_plain_key and (before := _WORD_BEFORE().search(text, max(0, start - 21), start)):
        name = f"{before[1]}_{name}"  # `api key: x` is a key, `routing key: x` is none
    kind = kind_of(name)
    return SecretName(start, end, name, kind) if kind else None


def _value_span(text: str, name: SecretName) -> SecretSpan | None:
    """Where the secret value of a name is; None if there is none."""
    end = name.end
    after = text[end]
    if after == "(":
        return (
            None if _ASKING().match(name.text) else _literal(text, _CALLED().match(text, end), name)
        )
    if after in " \t:" and (typed := _TYPED().match(text, end)):
        return _literal(text, typed, name)
    separator = _SEPARATOR().match(text, end)
    if separator is not None:
        if separator[2] == ":" and (block := _BLOCK().match(text, end)):
            return _in_block(text, block, name)
        return _after_sign(text, separator, name)
    if name.text[0] == "-" or name.text.lower() in _DIRECTIVES:
        return _after_gap(text, _FLAG_GAP().match(text, end), name)
    if after in "\\\"'," and text[max(0, name.start - 40) : name.start].rstrip(" \t\"'<\\")[
        -1:
    ] in ("(", "[", "{"):
        return _after_comma(text, _CALL_GAP().match(text, end), name)
    return _spoken(text, name) if after in " \t\r\n" else None


def _spoken(text: str, name: SecretName) -> SecretSpan | None:
    """A value that follows its name without a sign, and is no word of a language."""
    spoken = _SPOKEN().match(text, name.end)
    if spoken is None or name.kind == "random":
        return None
    value = spoken[2].rstrip(".:")
    if not is_mixed(value) or exempt(name.kind, name.text, value):
        return None
    left = spoken.start(2)
    right = text.index(spoken[1], left) if spoken[1] else left + len(value)
    return SecretSpan(left, right, name.kind)


def _literal(text: str, opened: re.Match[str] | None, name: SecretName) -> SecretSpan | None:
    """A literal that is no word of a language.

    The argument of `setPassword("x")`, the value of a typed name.
    """
    if opened is None:
        return None
    right = _closing(text, opened.end(), opened[1])
    value = text[opened.end() : right]
    is_secret = is_mixed(value) and not exempt(name.kind, name.text, value)
    return SecretSpan(opened.end(), right, name.kind) if is_secret else None


def _in_block(text: str, block: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The value on the lines below its name, further in than the name."""
    line = _line_before(text, name.start)
    indent, first = len(block[2]), block[3].strip()
    if indent <= len(line) - len(line.lstrip(" \t")) or line.strip(" \t-\"'"):
        return None
    if block[1] is None:
        value = first.rstrip(",").strip("\"'")
        is_more = " " in value or value.endswith(":") or value[:1] in ("{", "[", "&", "*", "")
        if is_more or exempt(name.kind, name.text, value):
            return None
        left = text.index(value, block.start(3))
        return SecretSpan(left, left + len(value), name.kind)
    right = _block_end(text, block.end(), indent)
    return SecretSpan(
        block.start(3), block.start(3) + len(text[block.start(3) : right].rstrip()), name.kind
    )


def _block_end(text: str, at: int, indent: int) -> int:
    """Where the lines end that are as far in as this, after the line that ends here."""
    farthest = min(len(text), at + _LONGEST)
    while at < farthest:
        start = at + 1
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        line = text[start:stop]
        if line.strip() and len(line) - len(line.lstrip(" \t")) < indent:
            break
        at = stop
    return at


def _after_gap(text: str, gap: re.Match[str] | None, name: SecretName) -> SecretSpan | None:
    """The value after a flag and a blank, or after a comma where both are quoted."""
    if gap is None:
        return None
    at = gap.end()
    if gap[2]:
        right = _closing(text, at, gap[2])
    else:
        match = _UNQUOTED_LONG().match(text, at)
        right = at + len(_trim(match[0])) if match else at
    value = text[at:right]
    if not value or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(at, right, name.kind)


def _after_comma(text: str, gap: re.Match[str] | None, name: SecretName) -> SecretSpan | None:
    """The second of two literals: ("password", "x"), {password,<<"x">>}."""
    if gap is None:
        return None
    right = _closing(text, gap.end(), gap[3])
    value = text[gap.end() : right]
    is_list_of_names = value.isalpha() and gap[2] is None
    if not value or is_list_of_names or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(gap.end(), right, name.kind)


def _after_sign(text: str, separator: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The value after an equals sign, a colon or an arrow."""
    sign, quote, at = separator[2], separator[3], separator.end()
    if name.text[0] == "-" and sign == "=" and text[at - 1] == " " and not quote:
        return None  # `the --token= switch`
    if quote == "|":
        return None
    if quote:
        return _quoted(text, separator, name)
    if wrapper := _WRAPPER().match(text, at):
        return _wrapped(text, wrapper, name)
    if bracketed := _BRACKETED().match(text, at):
        value = bracketed[1]
        is_secret = is_mixed(value) and not exempt(name.kind, name.text, value)
        return SecretSpan(at + 1, at + 1 + len(value), name.kind) if is_secret else None
    return _unquoted(text, separator, name)


def _quoted(text: str, separator: re.Match[str], name: SecretName) -> SecretSpan | None:
    quote, at = separator[3], separator.end()
    right = _closing(text, at, {"“": "”", "‘": "’"}.get(quote, quote.rstrip("\r\n")))
    if right < 0:
        return None
    value = text[at:right]
    if len(value) > _LONGEST and name.kind != "random":
        return SecretSpan(at, right, name.kind)
    is_sentence = separator[2] in (":", "：") and " " in value and _is_prose(value)
    if is_sentence or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(at, right, name.kind)


def _wrapped(text: str, wrapper: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The value in Some("x") or Optional[x].

    In a wrapper that is not known only what is no word of a language.
    """
    if wrapper[2]:
        left = wrapper.end()
        right = _closing(text, left, wrapper[2])
    else:
        left, right = wrapper.span(3)
    value = text[left:right]
    is_known = re.split(r"::|\.", wrapper[1])[0] in _KNOWN_WRAPPERS
    is_secret = (
        bool(value) and (is_known or is_mixed(value)) and not exempt(name.kind, name.text, value)
    )
    return SecretSpan(left, right, name.kind) if is_secret else None


def _first_of_several(text: str, sign: str) -> str:
    """The value without what a notation puts behind it: `&`, quotes and `;name=` of a next one."""
    value = re.split("%26|%22|%7D|%40", text, maxsplit=1)[0] if sign[0] == "%" else text
    value = _trim(value)
    first, _, rest = value.partition(";")
    return first if "=" in rest else value


def _is_reference(value: str) -> bool:
    """Whether a value is a field of an object: `s.token`, and not Vault's `s.Z4bTMtng...`."""
    return _REFERENCE().fullmatch(value) is not None and not is_dense(value.rpartition(".")[2])


def _is_code(value: str, following: str, *, is_setting: bool) -> bool:
    """Whether a value is an expression of a program: a name, a call, a constructor."""
    if following == "(":
        return True
    looks_like_code = _CODE().fullmatch(value) is not None
    if is_setting:
        return looks_like_code and not value[0].isupper()
    if value[0] in "([{" or looks_like_code:
        return True
    return following in ("{", "[") and value[0].isupper() and value.isalnum()


def _unquoted(text: str, separator: re.Match[str], name: SecretName) -> SecretSpan | None:
    sign, at = separator[2], separator.end()
    longest = _LONGEST_RANDOM if name.kind == "random" else len(text)
    match = _unquoted_pattern(text, sign, name).match(text, at, at + longest)
    if match is None:
        return None
    if len(match[0]) > _LONGEST:
        return SecretSpan(at, match.end(), name.kind)
    value = _first_of_several(match[0], sign)
    right = at + len(value)
    if not value or exempt(name.kind, name.text, value) or _is_reference(value):
        return None
    if _is_code(value, text[right : right + 1], is_setting=_is_setting(name)):
        return None
    if name.kind == "auth" and text.startswith(OPEN, right + 1):
        return None  # a scheme, whose secret is already replaced
    if _names_an_object(text, name, value, right):
        return None
    if sign in (":", "：") and not _is_value(text, separator, name.start, value, right):
        return None
    continued = _CONTINUED().match(text, right - value.endswith("\\"))
    return SecretSpan(at, continued.end() if continued else right, name.kind)


def _is_setting(name: SecretName) -> bool:
    """Whether a name is that of an environment variable or of an option."""
    return name.text.isupper() or name.text[0] == "-"


def _unquoted_pattern(text: str, sign: str, name: SecretName) -> re.Pattern[str]:
    """What a value without quotes may look like behind this name."""
    if _is_setting(name) and sign != ":":
        return _UNQUOTED_LONG()
    is_line_start = not _line_before(text, name.start).strip(" \t-\"'")
    return _UNQUOTED_PAIR() if sign == ":" or is_line_start else _UNQUOTED()


def _names_an_object(text: str, name: SecretName, value: str, right: int) -> bool:
    """Whether a value names the object that holds a secret.

    Kubernetes' `Secret: db-login, namespace: prod`, `secretKey: login`.
    """
    if name.kind != "secret" or not _OBJECT_NAME().fullmatch(value):
        return False
    if name.text == "secretKey":
        return not any(c.isdigit() for c in value)
    return name.text.lower() == "secret" and _NEAR_NAMESPACE().match(text, right) is not None


def _is_value(text: str, separator: re.Match[str], start: int, value: str, right: int) -> bool:
    """Whether what follows `name:` is a value.

    It may be the rest of a sentence, or an image's tag.
    """
    is_spaced = separator.end() > separator.end(2)
    before = text[start - 1] if start else ""
    if before == "/" and not is_mixed(value):
        return False  # `team/token:latest` is an image, `10.0.0.1/pw:x` a login
    if not is_spaced:
        return before not in ("@", ":", "$") and not VERSION_OR_TAG().fullmatch(value)
    if value.lower() in IN_MESSAGES or value.endswith(":"):
        return False
    is_sentence = _WORD_FOLLOWS().match(text, right) is not None
    return not (is_sentence and value.isalpha() and (value.islower() or value.istitle()))


def _line_before(text: str, start: int) -> str:
    """The text before a place on its line, no more of it than tells indentation from text."""
    return text[max(0, start - 200) : start].rpartition("\n")[2]


def _is_prose(value: str) -> bool:
    """Whether a quoted value is a sentence rather than a passphrase."""
    spoken = value[:400].split()
    return len(spoken) >= 3 and spoken[0].lower().strip(",.:;") in _ASKS


def _closing(text: str, at: int, quote: str) -> int:
    """Where a quoted value ends: before the same quote, unescaped, else at the end of the line.

    -1 for a lone backtick.
    """
    line_end = text.find(quote if len(quote) == 3 and quote[0] != "\\" else "\n", at)
    line_end = line_end if line_end >= 0 else len(text)
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
        unopened = value.count(closing) - value.count(opening)
        while unopened > 0 and value.endswith(closing):
            ending = len(value) - len(value.rstrip(closing))
            taken = min(ending, unopened)
            value = value[: len(value) - taken].rstrip(",;")
            unopened -= taken
    return value
