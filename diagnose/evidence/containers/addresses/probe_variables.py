"""A probe's command with the addresses and ports of its container's variables in it. Pure."""

import re

from diagnose.evidence.containers.inspect import ContainerConfig
from diagnose.evidence.containers.variables.shell_references import REFERENCE
from diagnose.lazy_pattern import LazyPattern

_ADDRESS_OR_PORT = LazyPattern(r"\d{1,5}|localhost|\d{1,3}(?:\.\d{1,3}){3}|[\da-f:]{2,39}")
"""Any other value stays in its variable: it may be a secret."""


_SILENCED = LazyPattern(r"[ \t]?(?:[12]|&)?>{1,2}[ \t]?/dev/null(?:[ \t]2>&1)?")


def heard_command(command: str) -> str:
    """The command without the redirections that throw its output away."""
    return _SILENCED.sub("", command)


def expanded_command(command: str, config: ContainerConfig) -> str:
    """The command as the shell runs it, as far as its variables hold addresses and ports.

    command: of a health check in shell form, which sees the variables of the container.
    """

    def value(reference: re.Match[str]) -> str:
        name = reference["plain"] or reference["braced"]
        text = config.value_of(name) or reference["default"] or ""
        return text if _ADDRESS_OR_PORT.fullmatch(text) else reference[0]

    return REFERENCE.sub(value, command)
