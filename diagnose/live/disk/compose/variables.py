"""The variables that compose gives a service, as the files of its project have them now. Pure.

What another file or a shell may set, or what cannot be read here, is left out.
"""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from diagnose.live.disk.compose.dollars import ASSIGNED, OF_SHELLS
from diagnose.live.disk.compose.env_files import names_of_entry, paths_of
from diagnose.live.disk.compose.parts import document
from diagnose.model import Json

_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-[^${}]*)?\}|([A-Za-z_]\w*))")
"""A value that is one variable, with or without a default value."""
_OF_DEPLOYMENTS = re.compile(
    r"(?i)(?:^|_)(?:BRANCH|BUILD|COMMIT|HASH|IMAGE|REF|RELEASE|REVISION|SHA\d?|TAG|VERSION)$"
)
"""Variables that a deployment sets when it calls compose, which counts before `.env`."""
_LONGEST = 4096
"""Characters of a value."""
_MOST = 200
"""Variables of one service."""


def variables(
    texts: Mapping[str, str], folder: str, service: str, read: Callable[[str], str]
) -> list[Json]:
    """The variables of a service as NAME=value, each with the file that gives its value.

    texts: the compose files of the project in their order. folder: where relative names begin.
    read: the text of another file, "" for none.
    """
    parts = {path: _service(text, service) for path, text in texts.items()}
    known_parts = {path: part for path, part in parts.items() if part is not None}
    if len(known_parts) < len(parts) or any("extends" in part for part in known_parts.values()):
        return []
    settings = _settings_in_env_files(known_parts.values(), folder, read)
    environment = _environment(known_parts)
    for name in environment:
        settings.pop(name, None)
    settings |= _settings_in_environment(environment, posixpath.join(folder, ".env"), read)
    short = [pair for pair in settings.items() if len(pair[1].value) <= _LONGEST]
    return [setting.answer(name) for name, setting in short[:_MOST]]


class _Setting(NamedTuple):
    """The value of a variable, and the file that has it."""

    path: str
    value: str
    is_reference: bool = False
    """Whether a compose file names a variable of `.env` in its place."""

    def answer(self, name: str) -> Json:
        return {
            "path": self.path,
            "variable": f"{name}={self.value}",
            "is_reference": self.is_reference,
        }


def _settings_in_env_files(
    parts: Iterable[Mapping[str, Any]], folder: str, read: Callable[[str], str]
) -> dict[str, _Setting]:
    """The variables in the env files that the parts of a service name; a later file overrides."""
    settings: dict[str, _Setting] = {}
    for part in parts:
        for path in paths_of(names_of_entry(part.get("env_file")), folder):
            values = assigned_values(read(path))
            settings |= {name: _Setting(path, value) for name, value in values.items()}
    return settings


def _environment(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str | None]]:
    """The variables in the compose files' own words, each with its file; a later file overrides."""
    return {
        name: (path, value)
        for path, part in parts.items()
        for name, value in _pairs(part.get("environment"))
    }


def _settings_in_environment(
    environment: Mapping[str, tuple[str, str | None]], dotenv: str, read: Callable[[str], str]
) -> dict[str, _Setting]:
    """The variables that the compose files set, or that `.env` sets in their place."""
    settings: dict[str, _Setting] = {}
    assigned = assigned_values(read(dotenv))
    for name, (path, value) in environment.items():
        source = _source(name, value)
        if source in assigned and _counts(assigned[source], source, value or ""):
            settings[name] = _Setting(dotenv, assigned[source], is_reference=True)
        elif value is not None and "$" not in value:
            settings[name] = _Setting(path, value)
    return settings


def _source(name: str, value: str | None) -> str:
    """The variable of `.env` that gives the value: the same one where a compose file has only the
    name, or the one that the value refers to; "" for none."""
    if value is None:
        return name
    reference = _REFERENCE.fullmatch(value)
    return (reference[1] or reference[2]) if reference is not None else ""


def _counts(value: str, source: str, reference: str) -> bool:
    """Whether compose takes this value of `.env`: no default replaces an empty one, and hardly a
    shell sets the variable."""
    is_replaced = not value and ":-" in reference
    return not is_replaced and source not in OF_SHELLS and not _OF_DEPLOYMENTS.search(source)


def assigned_values(text: str) -> dict[str, str]:
    """The variables of an env file as compose reads it; without those that need a second look.

    These are references, escapes, and quotes that another line closes. The lines in such quotes are
    left out too: the last line of a key in PEM ends like an assignment (`bXk=`).
    """
    values: dict[str, str] = {}
    open_quote = ""
    for line in text.splitlines():
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        match = ASSIGNED.match(line)
        if match is None:
            continue
        name = match[1]
        value = match[2]
        values.pop(name, None)
        quote = value[:1] if value[:1] in ("'", '"') else ""
        if quote and (len(value) == 1 or value[-1] != quote):
            open_quote = "" if quote in value[1:] else quote
            continue
        if "\\" in value or ("$" in value and quote != "'"):
            continue
        values[name] = value[1:-1] if quote else re.sub(r"(?<!\s)\s+#.*$", "", value)
    return values


def _service(text: str, name: str) -> dict[str, Any] | None:
    """A service of a compose file, empty where this file has none of it; None for no such file."""
    services = (document(text) or {}).get("services")
    part = services.get(name, {}) if isinstance(services, dict) else None
    return part if isinstance(part, dict) else None


def _pairs(environment: object) -> Iterator[tuple[str, str | None]]:
    """The variables of a mapping or a list; None for those that compose takes from elsewhere."""
    if isinstance(environment, dict):
        for name, value in environment.items():
            yield str(name), None if value is None else _scalar(value)
    items = environment if isinstance(environment, list) else ()
    for assignment in items:
        name, is_set, value = str(assignment).partition("=")
        yield name, value if is_set else None


def _scalar(value: object) -> str:
    """A value as compose writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
