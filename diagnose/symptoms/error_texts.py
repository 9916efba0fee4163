"""What an error message means that somebody pastes, and which page is about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import (
    BUILD_ERRORS,
    ENGINE_ERRORS,
    ENGINE_REQUESTS,
    FAILURES,
    REFUSED_COMMANDS,
    START_ERRORS,
    Failure,
    Recognised,
    recognise,
)

MOST_LINES = 400
"""So many last lines of a pasted text are looked at."""
_WARNING = LazyPattern(r"\blevel=warning\b|^\s*(?:\[?WARN|warning:)", re.IGNORECASE)
_ERROR = LazyPattern(r"error|failed|fatal|denied|cannot|can't|not found|invalid", re.IGNORECASE)
_OF_RUNNING_ENGINE = LazyPattern(r"response from daemon|OCI runtime|create shim task")
"""The engine answered: it is not its own start that failed."""
_OF_ENGINE = LazyPattern(
    r"docker daemon|docker\.service|userland proxy|registry-1\.docker\.io", re.IGNORECASE
)
"""Docker itself says so, and no program in a container."""
_OF_START = LazyPattern(r"failed to start daemon|error starting daemon", re.IGNORECASE)
"""The engine gives up its own start: nobody's command is refused."""
_OF_BUILD = LazyPattern(
    r"failed to solve|failed to build|dockerfile|COPY failed|ADD failed|executor failed"
    r"|returned a non-zero code|did not complete successfully|buildkit",
    re.IGNORECASE,
)
_ID = LazyPattern(r"\b[0-9a-f]{64}\b")
_ESCAPED_QUOTE = LazyPattern(r'\\{1,4}"')


class KnownError(msgspec.Struct, frozen=True):
    """A known error, and the page that is about it; "" where no check judges it."""

    recognised: Recognised
    page: str

    def in_words(self) -> tuple[str, str]:
        """What the message means, and what fixes it; ids are shortened."""
        words = (
            f"the message means: {self.recognised.cause}",
            f"what fixes it: {self.recognised.cure}",
        )
        means, fixes = (_ID.sub(lambda match: match[0][:12], text) for text in words)
        return means, fixes


def without_warnings(text: str) -> str:
    """The lines of a pasted text that may say what is wrong.

    A command prints warnings above its error, such as compose of variables that are not set.
    """
    lines = text.splitlines()[-MOST_LINES:]
    graver = [line for line in lines if not _WARNING.search(line)]
    return "\n".join(graver if any(map(_ERROR.search, graver)) else lines)


def explained(text: str) -> KnownError | None:
    """The known error that a pasted message shows; None for none."""
    lines = [_as_engine_writes(line) for line in without_warnings(text).splitlines()]
    for table, page in _candidate_tables(text):
        recognised = recognise(lines, None, table, has_ended=False)
        if recognised is not None:
            return KnownError(recognised, recognised.confirmed_by or page)
    return _known_of_program(text, lines)


def _known_of_program(text: str, lines: Sequence[str]) -> KnownError | None:
    """What a program in a container says, as where its log is read."""
    if _OF_RUNNING_ENGINE.search(text) or _OF_ENGINE.search(text) or _OF_START.search(text):
        return None
    failure = LogTail(tuple(lines)).failure or recognise(lines, None, FAILURES, has_ended=False)
    if failure is None:
        return None
    return KnownError(failure, failure.confirmed_by or "container.exits-at-start")


def _candidate_tables(text: str) -> Iterator[tuple[Iterable[Failure], str]]:
    """The tables that such a message may be in, each with the page of what no other check has."""
    if _OF_START.search(text):
        yield ENGINE_ERRORS, "daemon.not-running"
        return
    yield REFUSED_COMMANDS, ""
    if _OF_BUILD.search(text):
        yield BUILD_ERRORS, "image.build-failed"
    yield START_ERRORS, "container.start-refused"
    yield ENGINE_REQUESTS, "daemon.errors-in-log"
    if not _OF_RUNNING_ENGINE.search(text):
        yield ENGINE_ERRORS, "daemon.not-running"


def _as_engine_writes(text: str) -> str:
    """A line as the engine writes it: older engines escape quotes, and clients add a full stop."""
    return _ESCAPED_QUOTE.sub('"', text).rstrip(". \t").removesuffix(": unknown")
