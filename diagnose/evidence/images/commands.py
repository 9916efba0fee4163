"""The commands that images bring, of containers whose own command is not in the image."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

MISSING = "command-missing"
"""The family of complaints whose containers are asked about."""


def calls_a_mount(container: Container) -> bool:
    """Whether the engine refused to run a mounted path that was given as the command."""
    is_argument = not container.config.entrypoint and container.start_failed
    return is_argument and container.mount_at(container.path.rstrip("/")) is not None


class ImageCommands(ByContainer[list[str]], frozen=True):
    """The image's own commands of containers that were given another one, by container id.

    An image that cannot be inspected has none: the report then offers other steps.
    """


@evidence
def image_commands(host: Host, containers: Containers, log_tails: LogTails) -> ImageCommands:
    """The image's own commands of containers whose command is not found there.

    Each of these images takes one question.
    """
    commands: dict[str, list[str]] = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        is_missing = failure is not None and failure.name == MISSING
        if not container.image or not (is_missing or calls_a_mount(container)):
            continue
        detail = host.ask(InspectImage(container.image))
        if isinstance(detail, Failed) or detail.config is None:
            continue
        image_command = detail.config.cmd
        if image_command and image_command != container.config.cmd:
            commands[container.id] = image_command
    return ImageCommands(commands)
