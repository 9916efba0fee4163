"""Commands of compose files that compose has cut at a sign that only a shell knows.

Compose splits a command in one line as a shell would, and stops at the first `&&`, `;`, `|` or `>`.
The rest is nowhere in the container (2.40.3). A lost redirection (`> /log`) ends no program, and is
passed over.
"""

import shlex
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import suspicious
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.compose import ReadComposeService
from diagnose.registry import evidence

MOST = 20
"""Containers whose command is looked up."""
_SIGNS = ";&|<>"
_AFTER_SUCCESS = (";", "&&", "|", "&")
_AFTER_FAILURE = (";", "||", "|", "&")
"""Signs behind which a shell would have run another program, by how the first one ended."""


class CutCommand(msgspec.Struct, frozen=True):
    """A container that has the beginning of its command."""

    container: Container
    written: str
    """The whole command, as the file has it."""
    sign: str
    """The sign at which compose has cut the command."""
    rest: str
    """The rest of the command behind that sign."""


class CutCommands(Items[CutCommand], frozen=True):
    """The cut commands of containers that failed or ended."""


@evidence
def cut_commands(host: Host, containers: Containers, clock: Clock, options: Options) -> CutCommands:
    """Commands of failed compose services that the container has only in part.

    Each such container with a command of its own takes one question.
    """
    failed = [
        container
        for container in containers
        if container.compose_service
        and container.config.cmd
        and suspicious(container, clock.wall, options.since_s)
    ]
    items = []
    for container in host.first(failed, MOST, "commands of failed services"):
        paths = container.compose_files
        if not paths or not all(path.startswith("/") for path in paths):
            continue
        service = host.ask(ReadComposeService(paths, container.compose_service))
        if not isinstance(service, Failed) and (cut := _cut_command(container, service.command)):
            items.append(cut)
    return CutCommands(tuple(items))


def _cut_command(container: Container, written: str) -> CutCommand | None:
    """The cut command, where the container has all words before a sign and none behind it.

    None where the rest would not have run: behind `&&` nothing runs after a failure.
    """
    words = _words(written)
    at = next((at for at, word in enumerate(words) if word and set(word) <= set(_SIGNS)), 0)
    if not at or list(words[:at]) != list(container.config.cmd or ()):
        return None
    if words[at] not in (_AFTER_FAILURE if container.state.exit_code else _AFTER_SUCCESS):
        return None
    return CutCommand(container, written, words[at], " ".join(words[at + 1 :]))


def _words(written: str) -> Sequence[str]:
    """The words of a command, with signs of a shell apart; none where a quote is not closed."""
    reader = shlex.shlex(written, posix=True, punctuation_chars=_SIGNS)
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        return list(reader)
    except ValueError:
        return ()
