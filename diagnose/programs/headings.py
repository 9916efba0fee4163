"""Levels that programs write above the lines that they are for."""

import re
from collections.abc import Sequence

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.log_message import ERROR, FATAL, INFO, WARNING, Message

_HEADING = LazyPattern(r"^\s{0,8}errors?:\s*$", re.IGNORECASE)
"""Headings of Django's system check and Airlift (Trino), with the errors below."""
_SPRING_HEADING = LazyPattern(r"^Description:\s*$")
"""A heading of Spring Boot. Below it, behind an empty line, is the reason why the application does
not start. Below that of a usage text is an indented line."""
_DOTNET_HEADING = LazyPattern(
    r"^(?P<level>trce|dbug|info|warn|fail|crit): [^\s\[]{1,300}\[\d{1,9}\]\s*$"
)
"""A level, a category and an event, as .NET's console has them above each message."""
_DOTNET_LEVELS = {
    "trce": INFO,
    "dbug": INFO,
    "info": INFO,
    "warn": WARNING,
    "fail": ERROR,
    "crit": FATAL,
}
"""The level of the lines below a heading of .NET, by its word."""


def with_levels_of_headings(messages: Sequence[Message]) -> list[Message]:
    """The lines, where those below a heading that is a level have that level.

    Below `Errors:` that is the first line, below `Description:` of Spring Boot the one behind an
    empty line, and below a heading of .NET each indented one: the heading itself explains nothing.
    """
    with_levels: list[Message] = []
    below: int | None = None
    for place, line in enumerate(messages):
        heading = _DOTNET_HEADING.match(line.text)
        if heading or not line.text.startswith("  "):
            below = _DOTNET_LEVELS[heading["level"]] if heading else None
        above = messages[max(0, place - 2) : place]
        level = ERROR if _is_first_error(line, above) else below
        if heading:
            with_levels.append(Message(line.text, INFO))
        else:
            with_levels.append(Message(line.text, level) if line.level is None else line)
    return with_levels


def _is_first_error(line: Message, above: Sequence[Message]) -> bool:
    """Whether a line is the first one below `Errors:`, or below Spring Boot's `Description:`.

    above: the two lines above it.
    """
    if above and _HEADING.match(above[-1].text):
        return True
    return not line.text.startswith(" ") and _is_below_spring(above)


def _is_below_spring(before: Sequence[Message]) -> bool:
    """Whether the last of these lines that is not empty is Spring Boot's heading."""
    written = [line.text for line in before if line.text.strip()]
    return bool(written) and _SPRING_HEADING.match(written[-1]) is not None
