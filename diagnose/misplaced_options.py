"""Options of `docker run` that were given after the image's name, as a part of a command. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_SHORT: Mapping[str, tuple[str, str]] = {
    "-e": ("--env", r"\w+=.*"),
    "-m": ("--memory", r"\d+[bkmgBKMG]"),
    "-p": ("--publish", r"(?:[\d.]+:)?\d+(?:-\d+)?:\d+(?:-\d+)?(?:/\w+)?"),
    "-v": ("--volume", r"[^:]+:/[^:]*(?::[\w,]+)?"),
    "-w": ("--workdir", r"/.*"),
}
"""The long name of a short option, and what its value looks like: programs have options of these
names too."""
_WITH_VALUE = frozenset(
    {"--cpus", "--entrypoint", "--env", "--env-file", "--label", "--link", "--memory", "--mount"}
    | {"--net", "--network", "--publish", "--restart", "--volume", "--workdir"}
)
_FLAGS = frozenset({"--init", "--privileged", "--publish-all", "--read-only"})
_FLAGS_LEFT_OUT = frozenset({"-d", "-i", "-it", "-t", "-ti", "-dit", "-itd", "--detach", "--rm"})
"""They say nothing of the container, or nothing that a service needs."""
_NAME = "--name"
"""The container has a name already, and keeps it."""


class CommandParts(NamedTuple):
    """A command that begins with options of `docker run`."""

    options: tuple[str, ...]
    """Each is one word with a long name: `--publish=8080:80`."""
    rest: tuple[str, ...]
    """The words behind them."""


def leading_options(words: Sequence[str]) -> CommandParts:
    """Without options where a word is not one of `docker run`."""
    options: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word in _FLAGS_LEFT_OUT:
            continue
        if word in _FLAGS:
            options.append(word)
            continue
        option = _with_value(word, rest)
        if option is None:
            return CommandParts((), tuple(words))
        if not option.startswith(f"{_NAME}="):
            options.append(option)
    return CommandParts(tuple(options), tuple(rest))


def _with_value(word: str, rest: list[str]) -> str | None:
    """An option by its long name with its value, which it takes from the rest if need be.

    None where it is not an option of `docker run`.
    """
    option, equals, value = word.partition("=")
    name, shape = _SHORT.get(option, (option, ".*"))
    if name not in _WITH_VALUE and name != _NAME:
        return None
    if not equals and not rest:
        return None
    value = value if equals else rest.pop(0)
    return f"{name}={value}" if re.fullmatch(shape, value) else None
