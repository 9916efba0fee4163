"""Commands of running containers that the start script of their image does not look at.

Docker hands the command to the entrypoint as arguments. A script that never mentions its arguments,
and the shell form of ENTRYPOINT, start the same program whatever the command is.
"""

from __future__ import annotations

import posixpath
import shlex

import msgspec

from diagnose.evidence.containers.container import LONGEST_COMM
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

BYTES = 32 * 1024
"""A longer script is not judged."""
MOST = 12
"""Containers whose start script is read."""
TOO_MANY = f"its start script was not read: more than {MOST} run another program than their command"
_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "sh", "zsh"})
_WRAPPERS = _SHELLS | {"catatonit", "docker-init", "dumb-init", "env", "tini"}
_IS_SCRIPT = LazyPattern(r"#!\s{0,8}\S{0,80}/(?:(?:env\s{1,8})?(?:ba|da|a|z)?sh|busybox sh)\b")
_LOOKS = LazyPattern(r"\$(?:[@*#0-9]|\{[!#]?[@*#0-9])|\b(?:shift|getopts|BASH_ARGV)\b")
"""How a shell script looks at its arguments."""
_SOURCES = LazyPattern(r"(?m)(?:^|[;&|]|\b(?:then|do|else)\b)[ \t]{0,40}(?:\.|source)[ \t]")
"""A script that another one reads may look at the same arguments."""
_STARTS = LazyPattern(r"^\s{0,40}exec\s{1,8}(?P<words>\S.{0,200})$")


class IgnoredCommand(msgspec.Struct, frozen=True):
    """A container whose command nothing runs."""

    container: Container
    script: str
    """The path of the script in the container; "" for the shell form of ENTRYPOINT."""
    starts: str
    """What it starts instead; "" where that does not show."""

    @property
    def command(self) -> str:
        """The command as one types it."""
        return shlex.join(self.container.config.cmd or ())


class IgnoredCommands(Items[IgnoredCommand], frozen=True):
    """Those of running containers."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def ignored_commands(host: Host, containers: Containers, processes: Processes) -> IgnoredCommands:
    """A start script is read only where no process of the container has a name of its command.

    Of the few that are left the image is asked: its own command may be ignored on purpose.
    """
    silent = [container for container in containers.running if _runs_another(container, processes)]
    found = (_ignored(host, container) for container in silent[:MOST])
    left = tuple(Unexamined(container.subject, TOO_MANY) for container in silent[MOST:])
    return IgnoredCommands(tuple(item for item in found if item is not None), left)


def _runs_another(container: Container, processes: Processes) -> bool:
    """Whether the container has an entrypoint and a command, and no process called like a word.

    A command that begins with an option is meant for the start script itself.
    """
    config = container.config
    names = processes.names_inside(container.id)
    if not (config.entrypoint and config.cmd and names):
        return False
    if config.cmd[0].startswith("-"):
        return False
    words = {word for text in config.cmd for word in text.split()}
    return not any(posixpath.basename(word)[:LONGEST_COMM] in names for word in words)


def _ignored(host: Host, container: Container) -> IgnoredCommand | None:
    script = _start_script(host, container)
    if not script.text or _LOOKS.search(script.text) or _SOURCES.search(script.text):
        return None
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None:
        return None
    is_own = list(image.config.cmd or ()) == list(container.config.cmd or ())
    return None if is_own else IgnoredCommand(container, script.path, _started_by(script.text))


class _StartScript(msgspec.Struct, frozen=True):
    """The script of a container that gets its command."""

    path: str
    """"" for the shell form of ENTRYPOINT, whose text is its own."""
    text: str
    """"" where it is no shell script."""


def _start_script(host: Host, container: Container) -> _StartScript:
    entrypoint = container.config.entrypoint or []
    if posixpath.basename(entrypoint[0]) in _SHELLS and entrypoint[1:2] == ["-c"]:
        return _StartScript("", " ".join(entrypoint[2:]))
    words = (word for word in entrypoint if posixpath.basename(word) not in _WRAPPERS)
    named = next((word for word in words if "/" in word), "")
    if not named:
        return _StartScript("", "")
    path = posixpath.normpath(posixpath.join("/", container.config.working_dir, named))
    file = host.ask(ReadContainerFile(container.id, path, bytes=BYTES))
    if isinstance(file, Failed) or len(file.text) >= BYTES or not _IS_SCRIPT.match(file.text):
        return _StartScript(path, "")
    return _StartScript(path, file.text)


def _started_by(text: str) -> str:
    """What the script starts in the end, as far as its last line of that kind shows."""
    starts = [match["words"] for line in text.splitlines() if (match := _STARTS.match(line))]
    return starts[-1].strip() if starts else ""
