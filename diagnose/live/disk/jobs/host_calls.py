"""Calls of docker that name a container, in lines of crontabs and in units of systemd. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from diagnose.live.disk.jobs.cron_lines import docker_commands
from diagnose.model import Json

_VERBS = frozenset({"cp", "exec", "kill", "restart", "start", "stop"})
"""What is done to a container by its name; a removal leaves none."""
_WITH_VALUE = frozenset(
    {"-e", "--env", "-u", "--user", "-w", "--workdir", "-t", "--time", "--env-file"}
)
"""Options of these verbs that take the next word; -t only of those that wait."""
_WAITING = frozenset({"restart", "stop"})
NAME = re.compile(r"[A-Za-z0-9][\w.-]{1,127}")
_FORGIVING = ("||", "docker ps", "docker inspect", "if ")
"""Signs of a line that looks first, or takes a failure."""
_INTO_ANOTHER_HOST = frozenset(
    {"chroot", "incus", "kubectl", "limactl", "lxc", "lxc-attach", "machinectl", "multipass"}
    | {"nsenter", "pct", "podman", "ssh", "vagrant", "wsl"}
)
"""Programs that run a command on another host, or where another engine may be."""
_NAMES_ENGINE = re.compile(r"\bDOCKER_(?:HOST|CONTEXT)=")
"""A variable that leads the client to another engine; the options for it stand before the verb."""
_SETS_ENGINE = re.compile(r"\s*(?:Environment=.*)?\bDOCKER_(?:HOST|CONTEXT)=")
"""The same as a line of its own, for all commands of the file."""
_SECTION = re.compile(r"\[(?P<name>\w+)\]\s*$")
_ENDS = ("docker stop", "docker kill", "docker rm", "docker compose down", "docker compose stop")


class NamedCall(NamedTuple):
    """A call, and the container that it is about."""

    verb: str
    target: str


def named_calls(line: str) -> Iterator[NamedCall]:
    """The calls of one line that are about a container by its name; none of a comment."""
    words = line.split()
    is_comment = line.lstrip().startswith("#")
    if is_comment or any(sign in line for sign in _FORGIVING) or is_elsewhere(line, words):
        return
    for verb, rest in docker_commands(words):
        target = _target(verb, rest) if verb in _VERBS else ""
        if NAME.fullmatch(target):
            yield NamedCall(verb, target)


def is_elsewhere(line: str, words: Sequence[str]) -> bool:
    """Whether a line may speak to another engine than the system's."""
    programs = {word.rpartition("/")[2] for word in words}
    return bool(_INTO_ANOTHER_HOST & programs) or _NAMES_ENGINE.search(line) is not None


def names_engine(text: str) -> bool:
    """Whether a crontab or a unit gives its commands a variable that leads to another engine."""
    lines = text.splitlines()
    return any(_SETS_ENGINE.match(line) for line in lines)


def _target(verb: str, words: Sequence[str]) -> str:
    """The container that a call names; "" where it names none in plain words."""
    place = 0
    while place < len(words) and words[place].startswith("-"):
        takes_next = words[place] in _WITH_VALUE and (words[place] != "-t" or verb in _WAITING)
        place += 2 if takes_next else 1
    arguments = [word.strip("\"';") for word in words[place : place + 2]]
    if verb == "cp":
        inside = [word.partition(":")[0] for word in arguments if ":" in word]
        return inside[0] if inside else ""
    return arguments[0] if arguments else ""


def unit_settings(texts: Sequence[str]) -> dict[str, list[str]]:
    """The settings of [Service] in a unit and its drop-ins; an empty value forgets those before."""
    settings: dict[str, list[str]] = {}
    for text in texts:
        section = ""
        for line in text.replace("\\\n", " ").splitlines():
            if match := _SECTION.match(line.strip()):
                section = match["name"]
            key, sign, value = line.partition("=")
            if section != "Service" or not sign or line.lstrip().startswith(("#", ";")):
                continue
            name = key.strip()
            settings[name] = [*settings.get(name, []), value.strip()] if value.strip() else []
    return settings


def short_lived_unit(settings: Mapping[str, list[str]]) -> Json:
    """The call of a unit that starts a container with a client that ends at once, and then stops
    it. None for another unit.

    systemd runs ExecStop= as soon as the main process has ended, unless the unit should remain.
    """
    kind = _last_value(settings, "Type", "simple")
    remains = _last_value(settings, "RemainAfterExit", "no").lower() in ("yes", "true", "1", "on")
    if remains or kind not in ("simple", "exec", "oneshot"):
        return None
    started = map(_plain_command, settings.get("ExecStart", []))
    ended = map(_plain_command, [*settings.get("ExecStop", []), *settings.get("ExecStopPost", [])])
    start = next(filter(_returns, started), "")
    stop = next((command for command in ended if command.startswith(_ENDS)), "")
    if not start or not stop:
        return None
    target = started_name(start)
    has_variables = "%" in target or "$" in target
    stops_another = bool(target) and target not in stop.split()
    if has_variables or stops_another:
        return None
    return {"start": start[:200], "stop": stop[:200], "target": target}


def _last_value(settings: Mapping[str, list[str]], key: str, default: str) -> str:
    """The value of a setting that counts once: the last one."""
    return (settings.get(key) or [default])[-1]


def _plain_command(command: str) -> str:
    """A command of a unit without the signs before it and the folder of docker."""
    words = command.lstrip("-+!@:").split()
    if words and words[0].rpartition("/")[2] == "docker-compose":
        words[:1] = ["docker", "compose"]
    elif words and words[0].rpartition("/")[2] == "docker":
        words[0] = "docker"
    if words[:2] == ["docker", "container"]:
        words[1:2] = []
    if words[:2] == ["docker", "compose"]:
        words[2:] = _without_options(words[2:])
    return " ".join(words)


def _without_options(words: Sequence[str]) -> list[str]:
    """The words of compose from its verb on."""
    verbs = ("up", "down", "stop", "start", "run")
    at = next((place for place, word in enumerate(words) if word in verbs), 0)
    return list(words[at:])


def _returns(command: str) -> bool:
    """Whether the client ends when the container has begun to run."""
    words = command.split()
    if command.startswith("docker start "):
        return not {"-a", "-i", "-ai", "-ia", "--attach", "--interactive"} & set(words)
    detached = any(re.fullmatch(r"--detach|-[a-z]*d[a-z]*", word) for word in words)
    return command.startswith(("docker run ", "docker compose up")) and detached


def started_name(command: str) -> str:
    """The container that a start or a run names; "" for a project of compose."""
    words = command.split()
    if command.startswith("docker start "):
        return words[-1]
    names = [word.partition("=")[2] for word in words if word.startswith("--name=")]
    if "--name" in words[:-1]:
        names.append(words[words.index("--name") + 1])
    return names[0] if names else ""
