"""Variables under almost a wanted name, and values with marks of their file. Pure."""

import posixpath
import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.network.addresses import is_itself
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.lazy_pattern import LazyPattern

_ALMOST = 0.92
"""Similarity of two names where one letter is wrong, or two are swapped."""
COMMENT = LazyPattern(r"(?<!\s)\s+#.*$")
"""A comment behind a value in an env file."""
_QUOTED_URL = LazyPattern(
    r"[\"'](?:\w{1,20}:){0,2}\w{1,20}://(?:[^/@\s]{0,300}@)?\[?(?P<host>[\w.-]{1,250})"
)
"""A URL behind a quote, with or without `jdbc:` before it and a user in it."""
_NO_URL = LazyPattern(
    r"\b(?:invalid|malformed|unsupported|unknown|missing|bad|no suitable|not a valid)\b.{0,40}"
    r"\b(?:ur[il]|scheme|protocol|dsn|driver|connection string)\b"
    r"|\b(?:ur[il]|dsn|connection string)\b.{0,40}\b(?:invalid|malformed|must (?:start|begin))\b",
    re.IGNORECASE,
)
"""Errors of programs about a text that should be a URL, and is none."""
_SHORTEST = 4
"""Characters of a quoted value that a log line can name without chance, its quotes included."""
_REFERENCE = LazyPattern(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<bare>[A-Za-z_]\w*))")
"""A variable as a shell would replace it."""
_ADDRESS = LazyPattern(
    r"[a-z][a-z0-9+.-]{1,30}://\S+|(?:[A-Za-z][\w ]{0,40}=[^;=]{0,200};\s*){2}.*"
)
"""A URL, or the connection string of a database: nobody puts quotes around one on purpose."""
_UNREADABLE = LazyPattern(
    r"""
    \b(?:
          format | initiali[sz]ation\ string | pars(?:e|ing) | invalid | malformed
        | scheme | ur[il] | dsn | connection\ ?string | protocol | driver | unsupported
        | must\ start\ with
      )\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Errors of a program about an address that it cannot read."""
_OPTIONS = LazyPattern(r"(?<!\w)(?:-e|--env)[ =]([A-Z][A-Z0-9_]{1,60})=")
"""Variables in an example of `docker run` that a program prints."""
_NAME = LazyPattern(r"\b[A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,6}\b")
_LIST = LazyPattern(
    r"\b[A-Z][A-Z0-9_]{2,60}\b['\"`]?(?:(?:, ?(?:and )?"
    r"| and | & )['\"`]?[A-Z][A-Z0-9_]{2,60}\b['\"`]?){1,20}"
)
"""Several variables in one sentence: "DB_HOST, DB_USER and DB_PASSWORD"."""
_ONE_ASKED = LazyPattern(
    r"\bpath\"?: \[ ?['\"](?P<issue>[A-Z][A-Z0-9_]{2,60})['\"] ?\]"
    r"|^(?!.*\b(?:defaults?|falling|instead|optional|using)\b).{0,120}?(?<![\w.$-])(?P<asked>[A-Z][A-Z0-9]{0,40}"
    r"(?:_[A-Z0-9]{1,40}){1,6})\b.{0,40}\b(?:(?:is|are) (?:missing|not (?:defined|set)|required|undefined)|Required)\b"
)
"""A line of its own for each variable: an issue of Zod, or a sentence."""
_ALTERNATIVES = LazyPattern(r"(?:one|any) of|either")
"""Words of a program about a list of variables of which one is enough."""
_SHELLS = frozenset({"ash", "bash", "dash", "sh", "zsh"})


class Unreplaced(msgspec.Struct, frozen=True):
    """A reference to a variable that reached the program unreplaced."""

    reference: str
    """`$PORT` or `${PORT}`."""
    name: str
    """The variable that it refers to."""
    holder: str
    """The variable whose value has the reference; "" for the command."""
    line: str


def asked_together(lines: Sequence[str], container: Container, first: str) -> tuple[str, ...]:
    """The variables that a program asks for beside one, and that the container lacks.

    They are options of one command or in one list. Of a list of alternatives one is enough.
    """
    wanting = [line for line in lines if not _ALTERNATIVES.search(line)]
    lists = [listed for line in wanting for listed in (_OPTIONS.findall(line), _listed_names(line))]
    lists.append(
        [match["issue"] or match["asked"] for match in map(_ONE_ASKED.search, wanting) if match]
    )
    listed_together = next((names for names in lists if first in names and len(names) > 1), [])
    other_names = [name for name in dict.fromkeys(listed_together) if name != first]
    return tuple(name for name in other_names if not container.config.sets(name))


def first_unset(line: str, container: Container, fallback: str) -> str:
    """The missing variable of a list, where the container has the first one.

    Of a list of alternatives one is enough.
    """
    if not container.config.sets(fallback) or _ALTERNATIVES.search(line):
        return fallback
    names_in_line = _listed_names(line)
    unset_names = (
        name
        for name in names_in_line
        if fallback in names_in_line and not container.config.sets(name)
    )
    return next(unset_names, fallback)


def _listed_names(line: str) -> list[str]:
    """The names of a list with commas, or with "and"; in their order."""
    match = _LIST.search(line)
    return _NAME.findall(match[0]) if match is not None else []


def near_name(container: Container, missing_names: Sequence[str]) -> str:
    """A variable with almost a wanted name: with `export` before it, or misspelt."""
    import difflib  # only where a variable is missing

    names = [name for name, _ in container.config.environment]
    for want in missing_names:
        similar_names = (
            name
            for name in names
            if name != want and _comparable_name(name) == _comparable_name(want)
        )
        if name_with_case := next(similar_names, ""):
            return name_with_case
        if close := difflib.get_close_matches(want, set(names) - {want}, 1, _ALMOST):
            return close[0]
    return ""


def _comparable_name(name: str) -> str:
    """A name without common mistakes: `export`, spaces, case, dashes."""
    letters = re.sub(r"[^A-Z0-9]", "", name.upper())
    return letters.removeprefix("EXPORT")


class ValueFault(msgspec.Struct, frozen=True):
    """The wrong part of a variable's value."""

    what: str
    """The fault of the value, as a predicate: `contains quotes`."""
    line: str = ""
    """The line of the log that repeats it; "" where none is needed."""


def value_fault(value: str, tail: LogTail) -> ValueFault | None:
    """The wrong part of a value; None for a value that may be intended."""
    if value.endswith("\r"):
        return ValueFault("ends with a carriage return")
    has_comment = COMMENT.search(value) is not None
    has_quotes = is_quoted(value)
    if not has_comment and not has_quotes:
        return None
    line = next((line for line in (*tail.earlier, *tail.lines) if value in line), "")
    if line and has_comment:
        return ValueFault("contains the comment that follows it", line)
    if line and has_quotes and _shows_own_quotes(line, value):
        return ValueFault("contains quotes", line)
    if has_quotes and (unread := _line_of_an_unread_address(value, tail)):
        return ValueFault("contains quotes", unread)
    return None


def is_quoted(value: str) -> bool:
    """Whether a value begins and ends with the same quote."""
    return len(value) >= _SHORTEST and value[0] == value[-1] and value[0] in "\"'"


def _line_of_an_unread_address(value: str, tail: LogTail) -> str:
    """The line that shows that a program does not accept a URL in quotes; "" for none.

    The line says that the value is not a URL, or calls its own container, as by default, where the
    URL names another host.
    """
    host = _QUOTED_URL.match(value)
    telling = tail.telling if tail.explains else None
    if telling is None:
        return ""
    if _ADDRESS.fullmatch(value[1:-1]) and _UNREADABLE.search(telling.whole):
        return telling.whole
    if host is None:
        return ""
    called, port = place_in(telling.whole)
    is_default = bool(port) and is_itself(called) and not is_itself(host["host"])
    is_no_url = _NO_URL.search(telling.whole) is not None
    return telling.whole if is_default or is_no_url else ""


def _shows_own_quotes(line: str, value: str) -> bool:
    """Whether a line shows that a quoted value has its quotes itself.

    A log puts quotes around values: only quotes within quotes show it.
    """
    quote = value[0]
    in_quotes = (f'"{value}"', f"'{value}'", f"={value}", f" {quote}{quote}")
    return any(text in line for text in in_quotes)


def unreplaced(container: Container, tail: LogTail) -> Unreplaced | None:
    """The reference to a variable that the program complains of, where nothing replaces it.

    The command in its exec form, or a value that `docker run --env-file` takes literally, has it as
    the line repeats it. A command of a shell may have any.
    """
    line = tail.telling.whole if tail.telling is not None and tail.explains else ""
    if "$" not in line:
        return None
    words = container.config.words
    holders = [(name, value) for name, value in container.config.environment]
    has_shell = any(posixpath.basename(word) in _SHELLS for word in words[:-1])
    if not has_shell:
        holders = [("", word) for word in words] + holders
    for holder, text in holders:
        for match in _REFERENCE.finditer(text):
            name = match["braced"] or match["bare"]
            if re.search(rf"{re.escape(match[0])}(?!\w)", line):
                return Unreplaced(match[0], name, holder, line)
    return None
