"""Where compose takes a part of a value for a variable. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from diagnose.model import Json

_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")
"""A line of an env file."""
_IN_YAML = re.compile(r"^\s*(?:-\s*[\"']?)?([A-Za-z_]\w*)\s*[:=]\s*(.*?)\s*$")
_REFERENCE = re.compile(r"(?<![\\$])(?:\$\$)*\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
"""One that a default value follows (`${NAME:-x}`) is meant."""
_OF_SHELLS = {"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TZ", "USER"}
_OF_SHELLS |= {"UID", "GID", "PUID", "PGID"}
"""What a shell has set for compose nearly always."""


def lost(texts: Mapping[str, str]) -> list[Json]:
    """The variables that lose a part of their value, by the texts of a project's files."""
    lines = [
        (path, number, match[1], match[2])
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := _pattern(path).match(line))
    ]
    known = {name for path, _, name, _ in lines if not _is_yaml(path)} | _OF_SHELLS
    found: list[Json] = []
    for path, number, name, value in lines:
        is_literal = value.startswith("'") and not _is_yaml(path)
        references = [match[1] or match[2] for match in _REFERENCE.finditer(value)]
        if not is_literal and any(reference not in known for reference in references):
            is_plain = all(reference not in known for reference in references)
            hindering = set() if _is_yaml(path) else {"'", "\\", "#"}
            is_plain = is_plain and not hindering & {*value} and "$$" not in value
            found.append({"path": path, "line": number, "name": name, "is_plain": is_plain})
    return found


def _is_yaml(path: str) -> bool:
    return path.endswith((".yml", ".yaml"))


def _pattern(path: str) -> re.Pattern[str]:
    return _IN_YAML if _is_yaml(path) else _ASSIGNED
