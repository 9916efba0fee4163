"""The shell in which the commands of a report are typed.

A page writes `diagnose` for this tool. A reader may have started it by a path, in a container, or
over ssh, where no program of that name exists.
"""

import re
import shlex

import msgspec

from diagnose.lazy_pattern import LazyPattern

_TOOL = LazyPattern(
    r"(?<![\w./-])diagnose(?= (?:all|ask|check|explain|follow|list|path|recreate|repair)\b)"
)
_PIPED = LazyPattern(
    r"^diagnose (?P<command>recreate|repair)\b ?(?P<options>[^|\n]*?) ?\| (?P<shell>sh(?: -e)?)(?=$| &&)",
    re.MULTILINE,
)
"""A script of this tool that a shell runs at once."""
_QUOTED = LazyPattern(r"'[^']*'|\"[^\"]*\"")
_SEPARATORS = LazyPattern(r"\|\|?|&&|;|\n|\bdo\b|\bthen\b|\{ |\$\(")
ASKS = "This shows each command, and asks before it runs one."
"""What `diagnose follow` does, for whoever has not met it."""
_GOES_ON = " \\"
_CONTINUED = "  "
_BEFORE_A_COMMENT = ("", " ", ";")
_SINGLE_SPACE = LazyPattern(r"\S \S")
_FOR_ANYBODY = LazyPattern(
    r"""(?:(?:for|while|if|else|fi|done|true|false|read|export|cd|\[|test|printf|echo|sleep)\b
      | (?:grep|head|tail|sort|cut|tr|awk|cat|ls|mktemp|getent|id|newgrp|curl|dig|openssl|sh)\b(?!.*>)
      | (?:docker|podman)\b
      | newgrp\b
      | (?:systemctl|journalctl)\ --user\ (?!--machine)
      | diagnose\ (?:recreate|explain|list|all|ask|check|path)\b
      | xargs\ (?:-\S+\ )*(?:docker|podman)\b
      | sudo\b
      | \w+=$ | \w+=\S*$
      | [)}]*$)""",
    re.VERBOSE,
)
"""The begin of commands that need no more than the right to use the engine."""


class Shell(msgspec.Struct, frozen=True):
    """The shell in which the reader types, and the words that start the tool there."""

    tool: str = "diagnose"
    is_root: bool = True
    target: str = ""
    """ssh://HOST where the report was made over ssh: the tool is at the reader's side only."""
    with_sudo: bool = False
    """Whether the tool was made root by sudo over there."""
    can_follow: bool = True
    """Whether `diagnose follow` finds a terminal and the host's own tools."""

    def typed(self, command: str) -> str:
        """A page's command as it works in this shell."""
        if self.target:
            command = _PIPED.sub(self._ssh_command, command)
        return _TOOL.sub(lambda _: self.tool, command)

    def _ssh_command(self, script: re.Match[str]) -> str:
        host = shlex.quote(self.target)
        sudo = "sudo " if self.with_sudo else ""
        command, options, shell = script.groups()
        return f"diagnose {command} --on {host} {options} | ssh {host} {sudo}{shell}"

    def needs_root(self, command: str) -> bool:
        """Whether this user may not run a command that root may."""
        return not self.is_root and needs_root(command)


def folded(command: str, width: int) -> str:
    """The command in rows that fit the width, as far as a backslash may end a row: between words.

    What is copied from a terminal or a pager that breaks lines is not always what was written. Text
    in quotes and a document of its own stay as they are.
    """
    if "<<" in command or '"$(' in command:
        return command
    rows: list[str] = []
    quote = ""
    for line in command.splitlines():
        breaks, quote = _word_ends(line, quote)
        rows += _rows_of(line, breaks, width)
    return "\n".join(rows)


MOST_ROWS = 5


def is_wall(command: str, width: int) -> bool:
    """Whether nobody reads a command before typing it: many rows, or one that does not end."""
    rows = folded(command, width).splitlines()
    return len(rows) > MOST_ROWS or max(map(len, rows), default=0) > 2 * width


def _rows_of(line: str, breaks: list[int], width: int) -> list[str]:
    """A line, cut at the last of its breaks that fits, or else at the next one."""
    rows = []
    start = 0
    indent = ""
    while len(indent) + len(line) - start > width:
        room = start + width - len(indent) - len(_GOES_ON)
        later = [place for place in breaks if place > start]
        end = max((place for place in later if place <= room), default=0) or min(later, default=0)
        if not end:
            break
        rows.append(f"{indent}{line[start:end]}{_GOES_ON}")
        start = end + 1
        indent = _CONTINUED
    return [*rows, f"{indent}{line[start:]}"]


def _word_ends(line: str, quote: str) -> tuple[list[int], str]:
    """The single spaces between words, and the quote that is open behind the line.

    quote: the one that is open before it. A comment has no words.
    """
    ends = []
    for place, letter in enumerate(line):
        if place and line[place - 1] == "\\" and quote != "'":
            continue
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and line[place - 1 : place] in _BEFORE_A_COMMENT:
            break
        elif _SINGLE_SPACE.match(line, place - 1):
            ends.append(place)
    return ends, quote


def needs_root(command: str) -> bool:
    """Whether some part of a command asks for more than the right to use the engine."""
    plain = _QUOTED.sub("''", command)
    parts = [part.strip() for part in _SEPARATORS.split(plain)]
    if "diagnose repair" in plain or "diagnose follow" in plain:
        return True
    return any(part and not _FOR_ANYBODY.match(part) for part in parts)
