"""Commands of failed containers in which compose has replaced a variable by nothing.

Compose replaces `${NAME}` when it reads its file, from its own environment and `.env`. Variables of
the container itself, by `environment` or `env_file`, are set later: the program gets a command
without the value. The words that compose derives from the file, without the value, are those of the
container.
"""

from collections.abc import Sequence

from diagnose.evidence.containers.compose.compose_files import project_files
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import suspicious
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.compose_variables import BlankReference, FindBlankReferences
from diagnose.registry import evidence

__all__ = ["BlankReference", "BlankReferences", "blank_references"]


class BlankReferences(ByContainer[BlankReference], frozen=True):
    """The command of a failed container in which a variable was replaced by nothing."""


@evidence
def blank_references(
    host: Host, containers: Containers, clock: Clock, options: Options
) -> BlankReferences:
    """The files of a project are read only where a container of it failed.

    A variable that the container does not have either may be empty on purpose.
    """
    by_id: dict[str, BlankReference] = {}
    for container in containers:
        files = project_files(container)
        if not files or not suspicious(container, clock.wall, options.since_s):
            continue
        answer = host.ask(FindBlankReferences(list(files)))
        blanks = [] if isinstance(answer, Failed) else answer
        for blank in blanks:
            is_own = blank.service == container.compose_service
            has_it = any(map(container.config.value_of, blank.names))
            if is_own and has_it and blank.words == list(_words_of(container, blank.key)):
                by_id[container.id] = blank
    return BlankReferences(by_id)


def _words_of(container: Container, key: str) -> Sequence[str]:
    """The words of the container's command or entrypoint, by the key of its compose file."""
    config = container.config
    return (config.cmd if key == "command" else config.entrypoint) or ()
