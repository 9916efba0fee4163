"""Values whose notation says where they begin and end: quotes, brackets, blocks, flags."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.looks import exempt, is_mixed
from diagnose.redact.patterns import verbose
from diagnose.redact.spans import LONGEST, SecretName, SecretSpan, closing, line_before, trimmed
from diagnose.redact.unquoted import IN_MESSAGES, UNQUOTED_LONG, unquoted
from diagnose.word_sets import vocabulary

_BRACKETED = LazyPattern(r"[(\[<]([^\s()\[\]<>\"',;]{8,300})[)\]>]")
_BRACED = LazyPattern(r"\{([^{}\r\n]{4,300})\}(?=[;\"']|\s|$)")
"""How ODBC writes a value that has a semicolon: `Pwd={a;b};`."""
_WRAPPER = verbose(
    r"""
    (?: (?:new[ ]|&)?
        (?P<type>[A-Z]\w{0,40}(?:(?:::|\.)\w{1,20})?)(?:<[\w, ]{0,40}>)?   # Some, SecretBox::new, Option<String>
        (?: \s?[(\[{]\s{0,3}(?:\w{1,20}\s?[:=]\s?)? | [ ](?=["]) )  # its bracket, perhaps a field: Secret { value: x }
    ){1,3}
    (?: (?P<quote>\\*+["']) | (?P<value>[^\s"'()\[\]{}][^"'()\[\]{}\n]{0,200})(?=[)\]}]) )   # up to the bracket
    """
)
"""What languages wrap a value in when they print it: Some("x"), Optional[x], Secret(Some("x"))."""
_KNOWN_WRAPPERS = vocabulary(
    "Some Optional Option Maybe Just Ok Right Present Value String Str Text Secret SecretStr "
    "SecretString SecretBox SecretValue Password Passphrase Token ApiKey Key Sensitive Protected "
    "Redacted Hidden Masked Private Credential Credentials Zeroizing Box Arc Rc Cow Owned "
    "Borrowed Full NonEmpty Full Literal Plain PlainText Constant Fixed Configured Known Set"
)
BLOCK = verbose(
    r"""
    (?:\\*+["'])?[ \t]{0,20}:[ \t]{0,20}
    (?P<sign>[|>][-+]?\d?)?[ \t]{0,20}\r?\n
    (?P<indent>[ \t]{1,200}+)(?![#-])
    (?P<first_line>[^\r\n]++)
    """
)
_SPOKEN = verbose(
    r"""
    (?: [ \t]{1,40}(?:(?:is|was|->|→|\||\.{3,9})[ \t]{1,40})?          # token is x, token | x, token .... x
      | [ \t]{0,40}\r?\n-{3,200}[ \t]{0,40}\r?\n[ \t]{0,40} )          # a table's head, its line, its row
    (?:(?P<quote>["'`])(?=[^"'`\r\n]{8,300}(?P=quote)))?["'`(\[<]?
    (?P<value>[A-Za-z0-9_!\#$%&*+./:=?@^~-]{8,300})
    """
)

_ASKS = IN_MESSAGES | vocabulary("your enter password token secret key")


def spoken(text: str, name: SecretName) -> SecretSpan | None:
    """A value that follows its name without a sign, and is not a word of a language."""
    match = _SPOKEN.match(text, name.end)
    if match is None or name.kind == "random":
        return None
    value = match["value"].rstrip(".:")
    if not is_mixed(value) or exempt(name.kind, name.text, value):
        return None
    left = match.start("value")
    right = text.index(match["quote"], left) if match["quote"] else left + len(value)
    return SecretSpan(left, right, name.kind)


def literal(text: str, opened: re.Match[str] | None, name: SecretName) -> SecretSpan | None:
    """A literal that is not a word of a language.

    The argument of `setPassword("x")`, the value of a typed name.
    """
    if opened is None:
        return None
    right = closing(text, opened.end(), opened["quote"])
    value = text[opened.end() : right]
    is_secret = is_mixed(value) and not exempt(name.kind, name.text, value)
    return SecretSpan(opened.end(), right, name.kind) if is_secret else None


def in_block(text: str, block: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The value on the lines below its name, further in than the name."""
    line = line_before(text, name.start)
    indent = len(block["indent"])
    first = block["first_line"].strip()
    if indent <= len(line) - len(line.lstrip(" \t")) or line.strip(" \t-\"'"):
        return None
    if block["sign"] is None:
        value = first.rstrip(",").strip("\"'")
        is_more = " " in value or value.endswith(":") or value[:1] in ("{", "[", "&", "*", "")
        if is_more or exempt(name.kind, name.text, value):
            return None
        left = text.index(value, block.start("first_line"))
        return SecretSpan(left, left + len(value), name.kind)
    left = block.start("first_line")
    lines = text[left : _block_end(text, block.end(), indent)].rstrip()
    return SecretSpan(left, left + len(lines), name.kind)


def _block_end(text: str, at: int, indent: int) -> int:
    """The end of the indented lines that follow the line which ends here."""
    farthest = min(len(text), at + LONGEST)
    while at < farthest:
        start = at + 1
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        line = text[start:stop]
        if line.strip() and len(line) - len(line.lstrip(" \t")) < indent:
            break
        at = stop
    return at


def after_gap(text: str, gap: re.Match[str] | None, name: SecretName) -> SecretSpan | None:
    """The value after a flag and a blank, or after a comma where both are quoted."""
    if gap is None:
        return None
    at = gap.end()
    quote = gap["quote"]
    if quote:
        right = closing(text, at, quote)
    else:
        match = UNQUOTED_LONG.match(text, at)
        right = at + len(trimmed(match[0])) if match else at
    value = text[at:right]
    if not value or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(at, right, name.kind)


def after_comma(
    text: str, gap: re.Match[str] | None, name: SecretName, *, any_word: bool
) -> SecretSpan | None:
    """The second of two literals: ("password", "x"), {password,<<"x">>}.

    any_word: also a word of a language, which may otherwise be the second of a list of names.
    """
    if gap is None:
        return None
    right = closing(text, gap.end(), gap["quote"])
    value = text[gap.end() : right]
    is_list_of_names = value.isalpha() and gap["binary"] is None and not any_word
    if not value or is_list_of_names or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(gap.end(), right, name.kind)


def after_sign(text: str, separator: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The value after an equals sign, a colon or an arrow."""
    sign = separator["sign"]
    quote = separator["quote"]
    at = separator.end()
    is_bare_option = name.text[0] == "-" and sign == "=" and text[at - 1] == " "
    if is_bare_option and not quote:
        return None  # `the --token= switch`
    if quote == "|":
        return None
    if quote == "`" and closing(text, at, quote) < 0:
        return unquoted(text, separator, name)  # a password may begin with one
    if quote:
        return _quoted_span(text, separator, name)
    if wrapper := _WRAPPER.match(text, at):
        return _wrapped_span(text, wrapper, name)
    bracketed = (_BRACED if sign == "=" and text[at : at + 1] == "{" else _BRACKETED).match(
        text, at
    )
    if bracketed and not text[bracketed.end() : bracketed.end() + 1].isalnum():
        value = bracketed[1]
        is_secret = is_mixed(value) and not exempt(name.kind, name.text, value)
        return SecretSpan(at + 1, at + 1 + len(value), name.kind) if is_secret else None
    return unquoted(text, separator, name)


_CLOSES = {"“": "”", "‘": "’"}
"""What closes a quote that is not closed by itself."""


def _quoted_span(text: str, separator: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The secret between quotes; none where they hold a sentence or a harmless value."""
    quote = separator["quote"]
    at = separator.end()
    right = closing(text, at, _CLOSES.get(quote, quote.rstrip("\r\n")))
    if right < 0:
        return None
    value = text[at:right]
    if len(value) > LONGEST and name.kind != "random":
        return SecretSpan(at, right, name.kind)
    is_sentence = separator["sign"] in (":", "：") and " " in value and _is_prose(value)
    if is_sentence or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(at, right, name.kind)


def _wrapped_span(text: str, wrapper: re.Match[str], name: SecretName) -> SecretSpan | None:
    """The value in Some("x") or Optional[x].

    In a wrapper that is not known only what is not a word of a language.
    """
    if wrapper["quote"]:
        left = wrapper.end()
        right = closing(text, left, wrapper["quote"])
    else:
        left, right = wrapper.span("value")
    value = text[left:right]
    is_known = re.split(r"::|\.", wrapper["type"])[0] in _KNOWN_WRAPPERS
    may_be_secret = bool(value) and (is_known or is_mixed(value))
    if not may_be_secret or exempt(name.kind, name.text, value):
        return None
    return SecretSpan(left, right, name.kind)


def _is_prose(value: str) -> bool:
    """Whether a quoted value is a sentence rather than a passphrase."""
    first_words = value[:400].split()
    return len(first_words) >= 3 and first_words[0].lower().strip(",.:;") in _ASKS
