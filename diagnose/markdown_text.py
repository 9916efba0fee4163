"""Text of others inside Markdown: no character of it means more than itself."""

from diagnose.lazy_pattern import LazyPattern

_SPECIAL = LazyPattern(r"([\\`*_{}\[\]<>#|~])")
_BACKTICKS = LazyPattern(r"`+")


def escaped(text: str) -> str:
    """Text that Markdown shows as it is written, on one line."""
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))


def code_span(text: str) -> str:
    """Text in a code span that its own backticks cannot end, on one line."""
    text = text.replace("\n", " ")
    fence = _backticks_around(text, at_least=1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str, info: str = "") -> str:
    """Text in a fenced block that its own backticks cannot end.

    info: the words behind the opening fence, such as the language.
    """
    fence = _backticks_around(text, at_least=3)
    return f"{fence}{info}\n{text}\n{fence}"


def _backticks_around(text: str, at_least: int) -> str:
    """More backticks than stand anywhere in the text in a row."""
    longest_run = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(at_least, longest_run + 1)
