"""The shell in which the commands of a report are typed.

A page writes `diagnose` for this tool. A reader may have started it by a path, in a container, or
over ssh, where no program of that name exists.
"""

from __future__ import annotations

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
    """Who types, and by which words the tool is started there."""

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
            command = _PIPED.sub(self._over_ssh, command)
        return _TOOL.sub(lambda _: self.tool, command)

    def _over_ssh(self, script: re.Match[str]) -> str:
        host = shlex.quote(self.target)
        sudo = "sudo " if self.with_sudo else ""
        command, options, shell = script.groups()
        return f"diagnose {command} --on {host} {options} | ssh {host} {sudo}{shell}"

    def needs_root(self, command: str) -> bool:
        """Whether this user may not run a command that root may."""
        return not self.is_root and needs_root(command)


def needs_root(command: str) -> bool:
    """Whether some part of a command asks for more than the right to use the engine."""
    plain = _QUOTED.sub("''", command)
    parts = [part.strip() for part in _SEPARATORS.split(plain)]
    if "diagnose repair" in plain or "diagnose follow" in plain:
        return True
    return any(part and not _FOR_ANYBODY.match(part) for part in parts)
