"""Commands of running containers that the start script of their image does not look at.

Docker hands the command to the entrypoint as arguments. A script that never mentions its arguments,
and the shell form of ENTRYPOINT, start the same program whatever the command is.
"""

import posixpath
import shlex
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.container import LONGEST_COMM
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

BYTES = 32 * 1024
"""A longer script is not judged."""
MOST = 12
"""Start scripts that are read."""
TOO_MANY = f"its start script was not read: more than {MOST} run another program than their command"
SHELLS = frozenset({"ash", "bash", "busybox", "dash", "sh", "zsh"})
WRAPPERS = SHELLS | {"catatonit", "docker-init", "dumb-init", "env", "tini"}
IS_SCRIPT = LazyPattern(r"#!\s{0,8}\S{0,80}/(?:(?:env\s{1,8})?(?:ba|da|a|z)?sh|busybox sh)\b")
_LOOKS = LazyPattern(r"\$(?:[@*#0-9]|\{[!#]?[@*#0-9])|\b(?:shift|getopts|BASH_ARGV)\b")
"""Uses of its arguments in a shell script."""
_SOURCES = LazyPattern(r"(?m)(?:^|[;&|]|\b(?:then|do|else)\b)[ \t]{0,40}(?:\.|source)[ \t]")
"""A script that another one reads may look at the same arguments."""
_STARTS = LazyPattern(r"^\s{0,40}exec\s{1,8}(?P<words>\S.{0,200})$")


class IgnoredCommand(msgspec.Struct, frozen=True):
    """A container whose command nothing runs."""

    container: Container
    script: str
    """The path of the script in the container; "" for the shell form of ENTRYPOINT."""
    starts: str
    """The command that it starts instead; "" where that does not show."""

    @property
    def command(self) -> str:
        """The command as a person types it."""
        return shlex.join(self.container.config.cmd or ())


class IgnoredCommands(Items[IgnoredCommand], frozen=True):
    """The ignored commands of running containers."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def ignored_commands(host: Host, containers: Containers, processes: Processes) -> IgnoredCommands:
    """The commands that start scripts of running containers ignore.

    A start script is read only where no process of the container has a name of its command. For the
    few that are left the image is asked: its own command may be ignored on purpose. Files that
    containers of one image share are read once.
    """
    silent = [container for container in containers.running if _runs_another(container, processes)]
    alike = by_key((_shared_script(container), container) for container in silent)
    groups = [_with_own_command(host, group) for group in alike.values()]
    unlike = list(filter(None, groups))
    candidates = (
        ignored for members in unlike[:MOST] for ignored in _ignored_commands(host, members)
    )
    unread_images = tuple(
        Unexamined(member.subject, TOO_MANY) for members in unlike[MOST:] for member in members
    )
    return IgnoredCommands(tuple(candidates), unread_images)


def _runs_another(container: Container, processes: Processes) -> bool:
    """Whether a container has an entrypoint, and no process has the name of a word of its command.

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


def _shared_script(container: Container) -> tuple[str, ...]:
    """The key of containers with one start script: image, path, mount source and entrypoint."""
    path = script_path(container)
    mount = container.mount_at(path) if path else None
    place = mount.source if mount is not None else ""
    return (container.image, path, place, *(container.config.entrypoint or ()))


def _with_own_command(host: Host, alike: Sequence[Container]) -> list[Container]:
    """The containers of one image that have another command than the image."""
    image = host.ask(InspectImage(alike[0].image))
    if isinstance(image, Failed) or image.config is None:
        return []
    image_command = list(image.config.cmd or ())
    return [container for container in alike if list(container.config.cmd or ()) != image_command]


def _ignored_commands(host: Host, alike: Sequence[Container]) -> list[IgnoredCommand]:
    """The containers of one image and entrypoint whose start script ignores any command."""
    script = start_script(host, alike[0])
    if not script.text or _LOOKS.search(script.text) or _SOURCES.search(script.text):
        return []
    starts = _started_by(script.text)
    return [IgnoredCommand(container, script.path, starts) for container in alike]


class StartScript(msgspec.Struct, frozen=True):
    """The script of a container that gets its command."""

    path: str
    """The path of the script; "" for the shell form of ENTRYPOINT, whose text is its own."""
    text: str
    """"" where it is not a shell script."""


def start_script(host: Host, container: Container) -> StartScript:
    """The shell script that gets a container's command; its text is "" for any other program."""
    entrypoint = container.config.entrypoint or []
    if _is_shell_form(entrypoint):
        return StartScript("", " ".join(entrypoint[2:]))
    path = script_path(container)
    if not path:
        return StartScript("", "")
    file = host.ask(ReadContainerFile(container.id, path, bytes=BYTES))
    if isinstance(file, Failed) or len(file.text) >= BYTES or not IS_SCRIPT.match(file.text):
        return StartScript(path, "")
    return StartScript(path, file.text)


def _is_shell_form(entrypoint: Sequence[str]) -> bool:
    return posixpath.basename(entrypoint[0]) in SHELLS and entrypoint[1:2] == ["-c"]


def script_path(container: Container) -> str:
    """The path of the program that an entrypoint names; "" for the shell form, and a bare name."""
    entrypoint = container.config.entrypoint or []
    if not entrypoint or _is_shell_form(entrypoint):
        return ""
    words = (word for word in entrypoint if posixpath.basename(word) not in WRAPPERS)
    path = next((word for word in words if "/" in word), "")
    if not path:
        return ""
    return posixpath.normpath(posixpath.join("/", container.config.working_dir, path))


def _started_by(text: str) -> str:
    """The words behind the last `exec` of the script; "" without one."""
    starts = [match["words"] for match in filter(None, map(_STARTS.match, text.splitlines()))]
    return starts[-1].strip() if starts else ""
