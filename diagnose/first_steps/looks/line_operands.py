"""The word of a complaint about settings that is set somewhere: a key, an option, a value.

A family of complaints knows in what words programs object, and often not the name of the setting.
"""

import re
from collections.abc import Iterator

from diagnose.lazy_pattern import LazyPattern

_OPTION = LazyPattern(r"(?<![\w-])--(?P<word>[a-z][a-z0-9-]{2,60})(?![\w-])")
_VARIABLE = LazyPattern(r"(?<![\w./-])(?P<word>[A-Z][A-Z0-9]{1,40}_[A-Z0-9_]{1,60})(?![\w./-])")
_QUOTED = LazyPattern(r"(?<!\w)['\"`](?P<word>[A-Za-z][\w.-]{2,60})['\"`](?!\w)")
_DOTTED = LazyPattern(
    r"(?<![\w./:@$-])(?P<word>[a-z][a-z0-9_-]{1,40}(?:\.[a-z][a-z0-9_-]{1,60}){1,6})(?![\w./(:@-])"
)
"""A word with dots that may be the name of a setting: spring.datasource.url."""
_OF_CODE = LazyPattern(
    r"""
      (?:app|com|github|golang|io|java|javax|jdk|kotlin|net|node|org|scala|sun|system)\.
    | (?:ERR|SQLITE)_
    | .*\.(?:
            com | conf | cs | de | dev | ex | exs | go | html? | ini | io | java | jar
          | [cm]?jsx? | json | local | lua | net | org | php | pl | py | rb | rs | service
          | sh | so | toml | tsx? | txt | xml | ya?ml
        )$
    """,
    re.VERBOSE,
)
"""A package, a module, an error of Node.js or SQLite, a file, a host: no setting."""
_ORDINARY = frozenset(
    (
        "true",
        "false",
        "null",
        "none",
        "undefined",
        "string",
        "number",
        "object",
        "integer",
        "boolean",
    )
)


def named_operand(text: str) -> str:
    """The word that a line objects to; "" where it names none."""
    return next(_operands(text), "")


def _operands(text: str) -> Iterator[str]:
    """The words to which a line may object, the surest first: words that can only be a setting, a
    word in quotes, a key with dots."""
    for pattern in (_VARIABLE, _OPTION, _QUOTED, _DOTTED):
        for match in pattern.finditer(text):
            word = match["word"]
            if word.lower() not in _ORDINARY and not _OF_CODE.match(word):
                yield word
