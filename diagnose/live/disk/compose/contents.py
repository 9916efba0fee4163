"""Files that compose writes into a container from `content:` or a variable. Pure.

Compose copies them when it makes the container, into the container's writable layer.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diagnose.live.disk.compose.parts import document

_REFERENCE = re.compile(
    r"\$(?:\$|\{(?P<braced>[A-Za-z_]\w{0,99})(?::?-(?P<default>[^${}]{0,999}))?\}"
    r"|(?P<bare>[A-Za-z_]\w{0,99}))"
)
"""A variable in a compose file: $NAME, ${NAME}, ${NAME:-default}; $$ is a dollar sign."""
_FOLDERS = {"configs": "/", "secrets": "/run/secrets/"}
"""Where each kind lies in a container if nothing else is said."""
_MOST = 50


def written_contents(
    texts: Mapping[str, str], service: str, variables: Mapping[str, str]
) -> dict[str, str]:
    """The contents that the files give a service, by their paths in its containers.

    texts: the compose files of the project in their order. variables: those of `.env`. What has a
    variable that is not among these is left out: a shell may set it. Empty where a service extends
    another one.
    """
    written_by_kind: dict[str, dict[str, str]] = {kind: {} for kind in _FOLDERS}
    uses_by_kind: dict[str, list[Any]] = {kind: [] for kind in _FOLDERS}
    for text in texts.values():
        whole = document(text) or {}
        part = _mapping(_mapping(whole.get("services")).get(service))
        if "extends" in part:
            return {}
        for kind in _FOLDERS:
            written_by_kind[kind] |= dict(_given_contents(_mapping(whole.get(kind)), variables))
            entries_of_service = part.get(kind)
            uses_by_kind[kind] += entries_of_service if isinstance(entries_of_service, list) else []
    contents: dict[str, str] = {}
    for kind, folder in _FOLDERS.items():
        for name, target in map(_source_and_target, uses_by_kind[kind]):
            path = target if target.startswith("/") else f"{folder}{target or name}"
            if name in written_by_kind[kind]:
                contents[path] = written_by_kind[kind][name]
    return dict(list(contents.items())[:_MOST])


def _given_contents(
    section: Mapping[str, Any], variables: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The contents of a section by name, as far as they are known here."""
    for name, part in section.items():
        written = _mapping(part)
        variable = written.get("environment")
        if isinstance(variable, str) and variable in variables:
            yield str(name), variables[variable]
        content = written.get("content")
        if isinstance(content, str) and (whole := _filled_content(content, variables)) is not None:
            yield str(name), whole


def _filled_content(content: str, variables: Mapping[str, str]) -> str | None:
    """The content with its variables; None where one of them is not known."""
    unknown = [
        match
        for match in _REFERENCE.finditer(content)
        if match[0] != "$$" and (match["braced"] or match["bare"]) not in variables
    ]
    if unknown or "${" in _REFERENCE.sub("", content):
        return None

    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["bare"]
        # an empty value takes the default of `:-`, and keeps itself with `-`
        if not name:
            return "$"
        has_default = match["default"] and ":-" in match[0]
        return match["default"] if has_default and not variables[name] else variables[name]

    return _REFERENCE.sub(value, content)


def _source_and_target(entry: object) -> tuple[str, str]:
    """The name of an entry and the path that it asks for; "" for the usual one."""
    parts = _mapping(entry)
    if parts:
        return str(parts.get("source", "")), str(parts.get("target") or "")
    return str(entry), ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
