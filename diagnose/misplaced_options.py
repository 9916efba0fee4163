"""Options of `docker run` that were given behind the image's name, as a part of a command. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_LONG_NAMES = {
    "-P": "--publish-all",
    "-e": "--env",
    "-h": "--hostname",
    "-l": "--label",
    "-m": "--memory",
    "-p": "--publish",
    "-u": "--user",
    "-v": "--volume",
    "-w": "--workdir",
}
_WITH_VALUE = frozenset(
    {"--cpus", "--dns", "--entrypoint", "--env", "--env-file", "--hostname", "--label", "--link"}
    | {"--memory", "--mount", "--net", "--network", "--publish", "--restart", "--user"}
    | {"--volume", "--workdir"}
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
        given, equals, value = word.partition("=")
        name = _LONG_NAMES.get(given, given)
        has_value = name in _WITH_VALUE or name == _NAME
        if name in _FLAGS:
            options.append(name)
        elif has_value and (equals or rest):
            value = value if equals else rest.pop(0)
            options += [] if name == _NAME else [f"{name}={value}"]
        else:
            return (), tuple(words)
    return tuple(options), tuple(rest)
