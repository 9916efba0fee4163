"""First steps where nothing says why a program ends: the same program, and nothing around it."""

import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables

_NOT_TYPED = ("\n", "'", "redacted")
"""Parts of a command that nobody can type: the end of a word for xargs, quotes within quotes, and
redacted values."""


def plain_run_steps(container: Container) -> PageVariables:
    """The page variables of a run of the image without mounts, variables and network.

    Its result separates the image's own fault from one of the container's settings.
    """
    command = shlex.join(container.config.words)
    if not command or any(part in command for part in _NOT_TYPED):
        return {}
    return {"plain_image": container.config.image, "plain_command": command}
