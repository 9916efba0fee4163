"""Values without quotes: how far they go, and whether they are values at all.

What follows a secret's name may be code, a reference, an image's tag, or the rest of a
sentence.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.looks import exempt, is_dense, is_mixed
from diagnose.redact.patterns import ESCAPE_CLOSE, ESCAPE_OPEN, OPEN, verbose
from diagnose.redact.spans import LONGEST, SecretName, SecretSpan, line_before, trimmed
from diagnose.word_sets import vocabulary

_LONGEST_RANDOM = 300
"""Characters of a value that is judged by its looks: it is a key, and keys are short."""

_LONGEST_WORD = 16
"""Characters of a word with digits and both cases that may be the subject of what follows."""
_CONTINUED = LazyPattern(r"\\\r?\n[ \t]{0,40}([^\s\\-][^\s\\]{0,1000})")

_END_OF_ANY = rf"\s\"'`\x00\x1b{ESCAPE_OPEN}{ESCAPE_CLOSE}"
UNQUOTED_LONG = LazyPattern(rf"[^{_END_OF_ANY}]+")
_UNQUOTED = LazyPattern(rf"[^{_END_OF_ANY},;&<>(){{}}\[\]|\\]+")
_UNQUOTED_PAIR = LazyPattern(rf"[^{_END_OF_ANY},;&]+")
_WORD_FOLLOWS = LazyPattern(r"[,;]?[ \t]{1,40}[A-Za-z]")
_PAIR_FOLLOWS = LazyPattern(r",[ \t]{0,40}[\w.-]{1,60}:[ \t]")
"""The next pair of `{user: bob, password: x, type: text}`."""
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
_CALLED_NAME = LazyPattern(r"[A-Za-z_$][\w.:$>-]*+")
_REFERENCE = LazyPattern(
    r"(?:self|this|os|process|args|config|cfg|settings|env|ctx|opts|options|params|request|req|c|s"
    r"|cls)\.[A-Za-z_][\w.]*"
)
"""Code that reads a value, and is none: config.password, self.token."""
_OBJECT_NAME = LazyPattern(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_NEAR_NAMESPACE = LazyPattern(r"(?i)[, \t\"']{1,3}(?:in )?namespace")
VERSION_OR_TAG = LazyPattern(
    r"v?\d+\.[\w.-]+|latest|stable|edge|main|master|dev|alpine[\w.-]*|slim[\w.-]*|amd64|arm64|armhf"
    r"|i386|all|any"
    r"|[\w.-]{1,80}:v?\d{1,6}(?:\.\d{1,6})+[\w.-]{0,40}"
)
"""A version, or the tag of an image: v1.2.3, stable, alpine3.20, redis:7.2. No secret."""
IN_MESSAGES = vocabulary(
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


def _first_of_several(text: str, sign: str) -> str:
    """The value without what a notation puts behind it: `&`, quotes and `;name=` of a next one."""
    value = re.split("%26|%22|%7D|%40", text, maxsplit=1)[0] if sign[0] == "%" else text
    value = trimmed(value)
    first, _, rest = value.partition(";")
    return first if "=" in rest else value


def _is_reference(value: str) -> bool:
    """Whether a value is a field of an object: `s.token`, and not Vault's `s.Z4bTMtng...`."""
    return _REFERENCE.fullmatch(value) is not None and not is_dense(value.rpartition(".")[2])


def _is_code(value: str, following: str, *, is_setting: bool) -> bool:
    """Whether a value is an expression of a program: a name, a call, a constructor."""
    if following == "(" and _CALLED_NAME.fullmatch(value):
        return True
    looks_like_code = _CODE.fullmatch(value) is not None
    if is_setting:
        return looks_like_code and not value[0].isupper()
    if value[0] in "([{" or looks_like_code:
        return True
    return following in ("{", "[") and value[0].isupper() and value.isalnum()


def unquoted(text: str, separator: re.Match[str], name: SecretName) -> SecretSpan | None:
    """A value without quotes behind a sign; None if it is none, or no secret."""
    sign = separator["sign"]
    at = separator.end()
    longest = _LONGEST_RANDOM if name.kind == "random" else len(text)
    match = _unquoted_pattern(text, sign, name).match(text, at, at + longest)
    if match is None:
        return None
    if len(match[0]) > LONGEST:
        return SecretSpan(at, match.end(), name.kind)
    value = _first_of_several(match[0], sign)
    if not value or _is_no_secret(text, separator, name, value):
        return None
    right = at + len(value)
    continued = _CONTINUED.match(text, right - value.endswith("\\"))
    return SecretSpan(at, continued.end() if continued else right, name.kind)


def _is_no_secret(text: str, separator: re.Match[str], name: SecretName, value: str) -> bool:
    """Whether what follows the sign is something else: a reference, code, a word."""
    right = separator.end() + len(value)
    if exempt(name.kind, name.text, value) or _is_reference(value):
        return True
    if _is_code(value, text[right : right + 1], is_setting=_is_setting(name)):
        return True
    if name.kind == "auth" and text.startswith(OPEN, right + 1):
        return True  # a scheme, whose secret is already replaced
    if _names_an_object(text, name, value, right):
        return True
    has_colon = separator["sign"] in (":", "：")
    return has_colon and not _is_value(text, separator, name.start, value, right)


def _is_setting(name: SecretName) -> bool:
    """Whether a name is that of an environment variable or of an option."""
    return name.text.isupper() or name.text[0] == "-"


def _unquoted_pattern(text: str, sign: str, name: SecretName) -> LazyPattern:
    """The pattern of a value without quotes behind this name."""
    if _is_setting(name) and sign != ":":
        return UNQUOTED_LONG
    is_line_start = not line_before(text, name.start).strip(" \t-\"'")
    return _UNQUOTED_PAIR if sign == ":" or is_line_start else _UNQUOTED


def _names_an_object(text: str, name: SecretName, value: str, right: int) -> bool:
    """Whether a value names the object that holds a secret.

    Kubernetes' `Secret: db-login, namespace: prod`, `secretKey: login`.
    """
    if name.kind != "secret" or not _OBJECT_NAME.fullmatch(value):
        return False
    if name.text == "secretKey":
        return not any(char.isdigit() for char in value)
    return name.text.lower() == "secret" and _NEAR_NAMESPACE.match(text, right) is not None


def _is_value(text: str, separator: re.Match[str], start: int, value: str, right: int) -> bool:
    """Whether what follows `name:` is a value.

    It may be the rest of a sentence, or an image's tag.
    """
    is_spaced = separator.end() > separator.end("sign")
    before = text[start - 1] if start else ""
    if before == "/" and not is_mixed(value):
        return False  # `team/token:latest` is an image, `10.0.0.1/pw:x` a login
    if not is_spaced:
        return before not in ("@", ":", "$") and not VERSION_OR_TAG.fullmatch(value)
    if value.lower() in IN_MESSAGES:
        return False
    if value.endswith(":") and not (len(value) > _LONGEST_WORD and is_mixed(value.rstrip(":"))):
        return False
    is_sentence = _WORD_FOLLOWS.match(text, right) is not None and not (
        _PAIR_FOLLOWS.match(text, right) and "{" in line_before(text, start)
    )
    return not (is_sentence and value.isalpha() and (value.islower() or value.istitle()))
