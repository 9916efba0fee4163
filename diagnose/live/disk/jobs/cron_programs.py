"""Programs that jobs of the host's cron call by their bare names. Pure.

Cron knows few folders. docker-compose lies in /usr/local/bin as a rule, and newer hosts have
`docker compose` in its place.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

PATH_OF_CRON = "/usr/bin:/bin"
"""Where Debian's cron and cronie look, unless a line `PATH=` says otherwise."""
_SYSTEM = ("/etc/crontab", "/etc/cron.d/")
"""Crontabs whose lines name a user before the command."""
_FIELDS = re.compile(
    r"[ \t]*(?:@\w{4,9}|[\d*/,-]\S{0,60}(?:[ \t]+[\w*/,-]{1,60}){4})[ \t]+(?P<rest>\S.*)"
)
_PATH = re.compile(r"[ \t]*(?:export[ \t]+)?PATH[ \t]*=[ \t]*[\"']?(?P<path>[^\s\"']+)")
_SETS_PATH = re.compile(r"\bPATH[ \t]*=")
_CALL = re.compile(
    r"(?:^|[;&|({`]|\b(?:do|else|exec|if|nice|sudo|then|time|timeout[ \t]+\S{1,9})[ \t])[ \t]*"
    r"(?:[A-Za-z_]\w{0,60}=\S{0,200}[ \t]+)*(?P<program>docker(?:-compose)?)[ \t]"
)
"""A call of docker by its bare name, at the beginning of a command."""
_LOOKS_FIRST = re.compile(
    r"\|\||\bcommand[ \t]+-v\b|\bwhich\b|\bPATH=|(?:^|[;&|][ \t]*)(?:\.|source)[ \t]"
    r"|\b(?:ba|z)?sh[ \t]+-\w*l|\bssh\b|\bsu[ \t]"
)
"""A line that takes a failure, sets its own path, or runs elsewhere or by a login."""
_SCRIPT = re.compile(r"(?:^|[ \t])(?P<path>/[\w.@-]{1,80}(?:/[\w.@-]{1,80}){1,10})(?=$|[ \t;>&|])")
_IS_SHELL = re.compile(r"#![ \t]*\S{0,80}/(?:env[ \t]+)?(?:ba|da|a)?sh\b")


class Lost(NamedTuple):
    """A call of a program by its bare name, and the folders in which cron looks."""

    line: int
    program: str
    folders: str


def calls_in_crontab(path: str, text: str) -> Iterator[Lost]:
    """The calls of docker in the lines of a crontab."""
    folders = PATH_OF_CRON
    if "BASH_ENV" in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = _PATH.match(line)
        if match is not None:
            folders = match["path"]
            continue
        command = _command(path, line)
        if command and not _LOOKS_FIRST.search(command):
            yield from (Lost(number, program, folders) for program in _programs(command))


def scripts_in_crontab(path: str, text: str) -> Iterator[tuple[str, str]]:
    """The files that lines of a crontab run, each with the folders in which cron looks."""
    folders = PATH_OF_CRON
    for line in text.splitlines():
        match = _PATH.match(line)
        if match is not None:
            folders = match["path"]
        command = _command(path, line)
        if command and not _LOOKS_FIRST.search(command):
            script = _SCRIPT.search(command)
            if script is not None:
                yield script["path"], folders


def calls_in_script(text: str, folders: str) -> Iterator[Lost]:
    """The calls of docker in a script of a shell that sets no path of its own."""
    if (
        not _IS_SHELL.match(text)
        or _SETS_PATH.search(text)
        or re.search(r"(?m)^[ \t]*(?:\.|source)[ \t]", text)
    ):
        return
    for number, line in enumerate(text.splitlines(), 1):
        code = line.strip()
        if not code.startswith("#") and not _LOOKS_FIRST.search(code):
            yield from (Lost(number, program, folders) for program in _programs(code))


def _command(path: str, line: str) -> str:
    """The command of a line of a crontab; "" for a comment and for what is not a job."""
    match = _FIELDS.fullmatch(line)
    if match is None:
        return ""
    rest = match["rest"]
    return rest.partition(" ")[2].lstrip() if path.startswith(_SYSTEM) else rest


def _programs(command: str) -> list[str]:
    """The programs of docker that a command calls, each once."""
    return list(dict.fromkeys(match["program"] for match in _CALL.finditer(f"{command} ")))
