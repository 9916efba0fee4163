"""Calls of `docker run` with a fixed name that can succeed only once, in lines and units. Pure."""

from collections.abc import Mapping, Sequence

from diagnose.live.disk.jobs.cron_lines import docker_commands
from diagnose.live.disk.jobs.host_calls import NAME, is_elsewhere, started_name

_REMOVES = ("--rm", "--rm=true", "--replace")
_HARMLESS = frozenset({"docker", "echo", "false", "mkdir", "sleep", "sync", "test", "true"})
"""Programs that remove no container; any other one before or behind the run may do that."""
_UNIT_COMMANDS = ("ExecStartPre", "ExecStart", "ExecStop", "ExecStopPost")
_WORD_ENDS = str.maketrans("\"';", "   ")


def name_of_run(line: str) -> str:
    """The name of the container that a line runs and never removes; "" for any other line.

    A line with `||`, a condition, or another call for that name may have made room for it.
    """
    words = line.split()
    if line.lstrip().startswith("#") or "||" in line or is_elsewhere(line, words):
        return ""
    return _kept_name([line])


def name_of_unit_run(unit: str, settings: Mapping[str, Sequence[str]]) -> str:
    """The name of the container that a unit runs and never removes; "" for any other unit.

    unit: its file name. settings: those of its section [Service].
    """
    commands = [command for key in _UNIT_COMMANDS for command in settings.get(key, ())]
    around = [
        command for key in _UNIT_COMMANDS if key != "ExecStart" for command in settings.get(key, ())
    ]
    if any(is_elsewhere(command, command.split()) for command in commands):
        return ""
    if any(_program(command) not in _HARMLESS for command in around):
        return ""
    plain_name = unit.removesuffix(".service")
    filled = [
        command.replace("%n", unit).replace("%N", plain_name).replace("%p", plain_name)
        for command in commands
    ]
    return _kept_name(filled)


def _program(command: str) -> str:
    """The program of a command of a unit, without its folder."""
    words = command.lstrip("-+!@:").split()
    return words[0].rpartition("/")[2] if words else ""


def _kept_name(commands: Sequence[str]) -> str:
    """The name in the only call that makes a container, where no other call removes it."""
    calls = [call for command in commands for call in docker_commands(_words(command))]
    runs = [rest for verb, rest in calls if verb in ("run", "create")]
    starts = [verb for verb, _ in calls if verb == "start"]
    if len(runs) != 1 or starts or any(word in _REMOVES for word in runs[0]):
        return ""
    name = started_name(" ".join(("docker run", *runs[0])))
    may_be_free = any(makes_room(command, name) for command in commands)
    return name if NAME.fullmatch(name) and not may_be_free else ""


def makes_room(command: str, name: str) -> bool:
    """Whether a command removes or renames the container of this name, or may do so.

    A prune takes each container that has ended.
    """
    return any(_frees(verb, rest, name) for verb, rest in docker_commands(_words(command)))


def _frees(verb: str, rest: Sequence[str], name: str) -> bool:
    """Whether a call of docker makes a name free; rest: the words behind its verb."""
    if verb in ("rm", "rename"):
        return _may_name(rest, name)
    return verb == "prune" or (verb == "system" and rest[:1] == ["prune"])


def _may_name(words: Sequence[str], name: str) -> bool:
    """Whether the words after a verb have this name, or no name that can be read."""
    names = [word for word in words if not word.startswith("-")]
    return not names or name in names or any("$" in word for word in names)


def _words(command: str) -> list[str]:
    return command.lstrip("-+!@:").translate(_WORD_ENDS).split()
