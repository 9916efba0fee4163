"""Variables that files of the host set for whoever calls compose. Pure."""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping

from diagnose.live.disk.jobs.host_calls import unit_settings
from diagnose.model import Json

_ASSIGNED = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?P<value>[^\n]*)")
_LONGEST = 4096
"""Characters of a value."""


def shell_variables(texts: Mapping[str, str], names: Collection[str]) -> Iterator[Json]:
    """The variables of these names, as NAME=value, with the file and the line.

    texts: by path; of profiles and /etc/environment, and of units with `.service` at their end.
    """
    for path, text in texts.items():
        pairs = _unit_assignments(text) if path.endswith(".service") else _shell_assignments(text)
        for name, value in pairs:
            if name in names and "$" not in value and len(value) <= _LONGEST:
                yield {"path": path, "variable": f"{name}={value}"}


def _shell_assignments(text: str) -> Iterator[tuple[str, str]]:
    """The assignments that stand on a line of their own."""
    for match in filter(None, map(_ASSIGNED.fullmatch, text.splitlines())):
        words = _words(match["value"])
        if len(words) == 1:
            yield match["name"], words[0]


def _unit_assignments(text: str) -> Iterator[tuple[str, str]]:
    """The variables that `Environment=` sets in a unit that calls docker or an agent of it."""
    for line in unit_settings([text]).get("Environment", []):
        for word in _words(line):
            name, sign, value = word.partition("=")
            if sign:
                yield name, value


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return []


def paths_of_shells(folders: Iterable[str]) -> list[str]:
    """The files that a login reads; folders: the home folders."""
    files = (".profile", ".bash_profile", ".bashrc")
    return [
        "/etc/environment",
        "/etc/profile",
        *(f"{home}/{file}" for home in folders for file in files),
    ]
