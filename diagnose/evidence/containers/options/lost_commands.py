"""Commands of images that containers have lost to an entrypoint of their own.

`entrypoint:` in a compose file and `docker run --entrypoint` also clear the command of the image.
"""

import re
import shlex
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.ignored_commands import start_script
from diagnose.evidence.containers.service import is_somebodys_job
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

_RUNS_ITS_ARGUMENTS = LazyPattern(r"(?m)^[^#\n]{0,200}(?<![\w$])[\"']?\$(?:[@*]|\{[@*]\})")
_HAS_A_DEFAULT = LazyPattern(r"\$#|\$\{(?:[@*1]:?[-=]|#\})|-[nz] *\"?\$(?:1\b|\{1)")
"""The script looks whether there are arguments, or has others in their place."""
_USAGE = LazyPattern(
    r"^\W{0,4}usage\b|\btini \(tini version|missing (?:operand|command)", re.IGNORECASE
)
"""What programs print that were to run a command, and were given none."""


class LostCommand(msgspec.Struct, frozen=True):
    """A container that has ended because it had no command to run."""

    container: Container
    command: str
    """The command of its image, as a person types it."""
    script: str
    """The path of the start script that hands its arguments on."""


class LostCommands(Items[LostCommand], frozen=True):
    """The commands that ended containers have lost."""


@evidence
def lost_commands(host: Host, containers: Containers, log_tails: LogTails) -> LostCommands:
    """The commands that containers without a command of their own would have had from their image.

    Only a container counts that ended as one does that runs nothing, and whose entrypoint is
    another than that of its image: the start script has to hand its arguments on, and to have
    nothing in their place. Each takes two questions.
    """
    ended = (
        container
        for container in containers
        if container.state.status in ("exited", "restarting")
        or container.id in log_tails.begun_again
    )
    candidates = (
        _lost_command(host, container)
        for container in ended
        if _may_lack_command(container, log_tails.of(container))
    )
    return LostCommands(tuple(filter(None, candidates)))


def _may_lack_command(container: Container, tail: LogTail) -> bool:
    """Whether a container has an entrypoint alone, and ended as if that had nothing to do."""
    if container.config.cmd or not container.config.entrypoint or container.start_failed:
        return False
    if is_somebodys_job(container):
        return False
    if container.state.exit_code:
        return any(_USAGE.search(line) for line in tail.lines)
    is_to_stay = container.host_config.restart_policy.name in ("always", "unless-stopped")
    return is_to_stay or bool(container.wanted_ports)


def _lost_command(host: Host, container: Container) -> LostCommand | None:
    """The command that a container has lost.

    None where its image has no command, or the same entrypoint.
    """
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None or not image.config.cmd:
        return None
    if list(image.config.entrypoint or ()) == list(container.config.entrypoint or ()):
        return None
    script = start_script(host, container)
    text = "\n".join(_code_lines(script.text))
    if not _RUNS_ITS_ARGUMENTS.search(text) or _HAS_A_DEFAULT.search(text):
        return None
    return LostCommand(container, shlex.join(image.config.cmd), script.path)


def _code_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.lstrip().startswith("#"))
