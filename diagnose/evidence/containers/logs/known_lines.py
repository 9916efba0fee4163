"""Lines of running programs that count by their known meaning, and not by their level."""

import functools
from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.options.lacking_options import lacks
from diagnose.programs.failures import FAILURES, Failure, Recognised, recognise
from diagnose.programs.families import FAMILIES
from diagnose.programs.log_message import DOES_WITHOUT, ERROR, INFO, message, plain
from diagnose.programs.telling_line import TellingLine

_OPTION = "container.option-missing"
"""The check of what a container was not given; its configuration shows that."""


def limit_in(lines: Sequence[str]) -> Recognised | None:
    """The limit that any of these lines reports as reached: a program may say it only once."""
    return recognise(lines, None, _limits(), has_ended=False)


def line_about_an_option(container: Container, lines: Sequence[str]) -> TellingLine | None:
    """The line about a missing option of the container, although its level is not an error.

    Uptime Kuma warns of each monitor that fails, and the container has no docker.sock.
    """
    candidates = [
        line
        for line in lines
        if (message(line).level or ERROR) > INFO and not DOES_WITHOUT.search(line)
    ]
    if not candidates:
        return None
    failure = recognise(candidates, None, _rows_about_options(), has_ended=False)
    if failure is None:
        return None
    path = failure.values.get("path", "")
    if not any(lacks(container, failure.filled(option), path) for option in failure.needs):
        return None
    return _last_line_of(failure, lines)


def line_that_turns_away(lines: Sequence[str]) -> TellingLine | None:
    """The line that says why a running program refuses its callers, although its level is low.

    The line is a warning, or has no level. PHP continues after a login that its database has
    refused, Nextcloud after a host name that it does not trust. OpenLDAP and Zabbix write no
    levels. A few rows count in any line, such as a refused origin, which Django's settings often
    have as INFO.
    """
    informing = []
    warnings = []
    without_level = []
    for line in lines:
        level = message(line).level
        if level is None:
            without_level.append(line)
        elif level > INFO:
            warnings.append(line)
        else:
            informing.append(line)
    failure = None
    if without_level:
        failure = recognise(without_level, None, _programs_that_turn_away(), has_ended=False)
    if failure is None and warnings:
        failure = recognise(warnings, None, _rows_that_turn_away(), has_ended=False)
    if failure is None and informing:
        failure = recognise(informing, None, _rows_at_any_level(), has_ended=False)
    return _last_line_of(failure, lines) if failure is not None else None


def _last_line_of(failure: Recognised, lines: Sequence[str]) -> TellingLine:
    """The newest of the lines that reports a recognised failure."""
    index = max(at for at, line in enumerate(lines) if plain(line).strip() == failure.line)
    return TellingLine(failure.line, index)


@functools.cache
def _rows_that_turn_away() -> tuple[Failure, ...]:
    return tuple(row for row in (*FAILURES, *FAMILIES) if row.turns_away)


@functools.cache
def _rows_at_any_level() -> tuple[Failure, ...]:
    return tuple(row for row in _rows_that_turn_away() if row.at_any_level)


@functools.cache
def _limits() -> tuple[Failure, ...]:
    """Rows about something of which all is in use."""
    return tuple(row for row in FAILURES if row.is_limit)


@functools.cache
def _programs_that_turn_away() -> tuple[Failure, ...]:
    """The rows of single programs: words that many share mean little in a line without a level."""
    return tuple(row for row in FAILURES if row.turns_away)


@functools.cache
def _rows_about_options() -> tuple[Failure, ...]:
    """Chosen once: many containers repeat a line that is not an error."""
    return tuple(row for row in (*FAILURES, *FAMILIES) if row.confirmed_by == _OPTION)
