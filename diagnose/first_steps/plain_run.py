"""First steps where nothing says why a program ends: the same program, and nothing around it."""

import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables

_NOT_TYPED = ("\n", "'", "redacted")
"""What xargs takes for the end of a word, what no reader can follow in quotes within quotes, and
what nobody knows."""


def plain_run_steps(container: Container) -> PageVariables:
    """The variables of a page that runs the image without mounts, variables and network.

    What it does then tells the image's own fault from one of the container's settings.
    """
    command = shlex.join(container.config.words)
    if not command or any(part in command for part in _NOT_TYPED):
        return {}
    return {"plain_image": container.config.image, "plain_command": command}
