"""Defects of a crontab that keep cron from running a job, without the commands themselves. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from diagnose.word_sets import vocabulary

_JOB = re.compile(
    r"[ \t]*(?:@\w{4,9}|[\d*/,-]{1,60}(?:[ \t]+[\w*/,-]{1,60}){4})[ \t]+(?P<command>[^\s#].*)"
)
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_OF_PACKAGES = re.compile(r"run-parts|^(?:[a-z_][a-z0-9_-]*[ \t]+)?(?:test|\[|command|if)[ \t]")
"""Jobs that come with packages first look whether their program is there."""
_PERCENT = re.compile(r"(?<!\\)%")
_PROGRAMS = vocabulary(
    "[ backup bash bundle cd curl docker echo find flock git gzip mail mysqldump nice node perl"
    " pg_dump php php8 python python3 rsync ruby sh sleep sync tar test touch wget"
)
"""Words that begin a command; an image may have a user of that name (`node`, `backup`)."""


def _begins_command(word: str) -> bool:
    return word in _PROGRAMS or word.startswith(("/", "./")) or "=" in word


def _may_be_user(word: str, after: str) -> bool:
    """Whether a word is one for whom cron should run what follows; `mysql -e` is a program."""
    return word == "root" or _begins_command(after)


class _Beginning(NamedTuple):
    """The kind and the first word of the text after the times of a job."""

    kind: Literal["command", "user"]
    word: str = ""


def _beginning(words: Sequence[str]) -> _Beginning | None:
    """The beginning of a job; None where it may be either of both."""
    first = words[0] if words else ""
    if first in _PROGRAMS:
        return _Beginning("command", first)
    if _begins_command(first):
        return _Beginning("command")
    if len(words) > 1 and _USER.fullmatch(first) and _may_be_user(first, words[1]):
        return _Beginning("user", first)
    return None


def crontab_defects(text: str) -> Iterator[str]:
    """A word for each defect, the number of its line, and what the line has in that place.

    `command` and `user` say what stands after the times: which of them is a defect depends on the
    table. `jobs` counts them, without those of packages. `percent` is a percent
    sign that cron takes for the end of the command, `return` the line end of Windows, and `open` a
    last line without an end.
    """
    lines = text.split("\n")
    jobs = [(at, job["command"]) for at, line in enumerate(lines, 1) if (job := _JOB.match(line))]
    own_jobs = sum(_OF_PACKAGES.search(command) is None for _, command in jobs)
    if own_jobs:
        yield f"jobs {own_jobs}"
    for at, command in jobs:
        beginning = _beginning(command.split())
        if beginning is not None:
            yield f"{beginning.kind} {at} {beginning.word}".rstrip()
        if _PERCENT.search(command):
            yield f"percent {at}"
        if command.endswith("\r"):
            yield f"return {at}"
    if lines[-1] and any(at == len(lines) for at, _ in jobs):
        yield f"open {len(lines)}"
