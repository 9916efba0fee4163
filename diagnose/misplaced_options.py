"""Options of `docker run` that were given after the image's name, as a part of a command. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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


def leading_options(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options at the begin of a command, and the words behind them.

    Each option is one word with a long name: `--publish=8080:80`. Without options where a word is
    not one of `docker run`.
    """
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
            return (), tuple(words)
        if option[0] != _NAME:
            options.append("=".join(option))
    return tuple(options), tuple(rest)


def _with_value(word: str, rest: list[str]) -> tuple[str, str] | None:
    """The long name and the value of an option, which takes its value from the rest if need be.

    None where it is no option of `docker run`.
    """
    given, equals, value = word.partition("=")
    name, shape = _SHORT.get(given, (given, ".*"))
    if name not in _WITH_VALUE and name != _NAME:
        return None
    if not equals and not rest:
        return None
    value = value if equals else rest.pop(0)
    return (name, value) if re.fullmatch(shape, value) else None
