"""First steps where a line names a program, a library or a module that the container lacks."""

import re

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_KINDS = (
    (
        LazyPattern(
            r"(?:^|[\s:'\"])(?P<name>[A-Za-z][\w.+-]{1,40})['\"]?: (?:command )?not found\.?$"
        ),
        "(^|/)s?bin/{name}$",
    ),
    (
        LazyPattern(r"exec: \"?(?P<name>[A-Za-z][\w.+-]{1,40})\"?: executable file not found"),
        "(^|/)s?bin/{name}$",
    ),
    (
        LazyPattern(
            r"(?P<name>lib[\w.+-]{1,60}\.so(?:\.\d+)*)\b.{0,20}: (?:cannot|can't) open shared"
        ),
        "/{name}$",
    ),
    (
        LazyPattern(r"Cannot find (?:module|package) '(?P<name>@?[A-Za-z][\w.-]*(?:/[\w.-]+)?)'"),
        "node_modules/{name}/package.json$",
    ),
    (
        LazyPattern(r"No module named '?(?P<name>[A-Za-z_]\w*)"),
        r"/{name}(/__init__\.py|\.py|\.[^/]*so)$",
    ),
)
"""Words of programs about a part that they miss, and the name by which the files of an image are
searched: an extended pattern, as grep takes it."""
_VERSION = LazyPattern(r"(?<=[A-Za-z])[-.]?\d+(?:\.\d+)*$")
"""At the end of a name: php-fpm7.0, libpq.so.5."""


def program_steps(container: Container, text: str) -> PageVariables:
    """The page variables that search the container's files for the part that the line misses."""
    for says, sought in _KINDS:
        match = says.search(text)
        if match is not None:
            name = sought_name(match["name"])
            return {"searched": container.name, "sought_file": sought.replace("{name}", name)}
    return {}


def sought_name(name: str) -> str:
    """An extended pattern for a name, with any version where the name ends with one."""
    stem = _VERSION.sub("", name)
    escaped = re.escape(stem).replace(r"\-", "-")
    return escaped if stem == name else f"{escaped}[-.0-9]*"
