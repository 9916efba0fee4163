"""Parts of compose files. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from diagnose.model import Json
from diagnose.yaml_text import read_values

_LONGEST = 4096
"""Characters of a command."""
_MOST = 100
"""Ports of a service, volumes of a project."""


def service_parts(texts: Iterable[str], name: str) -> dict[str, Json]:
    """A service as `ComposeService`; empty where no file has it, or one cannot be read."""
    sections = [_section(text, "services") for text in texts]
    if None in sections:
        return {}
    parts = [section.get(name) for section in sections if section is not None]
    answer: dict[str, Json] = {}
    ports: list[Json] = []
    for part in parts:
        if not isinstance(part, dict):
            continue
        if "command" in part:
            command = part["command"]
            is_line = isinstance(command, str) and len(command) <= _LONGEST
            answer["command"] = command if is_line else ""
        listed = part.get("ports")
        ports += [_port(entry) for entry in listed or ()] if isinstance(listed, list) else []
    return {**answer, "ports": ports[:_MOST]}


def volume_parts(texts: Mapping[str, str]) -> list[Json]:
    """The volumes as `ComposeVolume`, by the files that name them; none where one is not YAML."""
    sections = {path: _section(text, "volumes") for path, text in texts.items()}
    if None in sections.values():
        return []
    volumes: dict[str, dict[str, Any]] = {}
    for path, section in sections.items():
        for key, part in (section or {}).items():
            before = volumes.get(str(key), {})
            volume = _volume(part if isinstance(part, dict) else {})
            options = {**before.get("options", {}), **volume.get("options", {})}
            volumes[str(key)] = {**before, **volume, "options": options, "path": path}
    return [
        {"key": key, **volume}
        for key, volume in list(volumes.items())[:_MOST]
        if not volume.get("external") and "$" not in str(volume)
    ]


def _volume(part: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a volume in one file."""
    answer: dict[str, Any] = {key: str(part[key]) for key in ("name", "driver") if part.get(key)}
    options = part.get("driver_opts")
    if isinstance(options, dict):
        answer["options"] = {str(key): str(value) for key, value in options.items()}
    if part.get("external"):
        answer["external"] = True
    return answer


def document(text: str) -> dict[str, Any] | None:
    """A compose file; empty where it is not a mapping, None where it is not YAML."""
    try:
        whole = read_values(text)
    except ValueError:
        return None
    return whole if isinstance(whole, dict) else {}


def _section(text: str, name: str) -> dict[str, Any] | None:
    """A section of a compose file; empty where it has none, None where the file is not YAML.

    A file with tags of compose (`!override`, `!reset`) is not read either.
    """
    whole = document(text)
    if whole is None:
        return None
    section = whole.get(name)
    return section if isinstance(section, dict) else {}


def _port(entry: object) -> str:
    if isinstance(entry, dict):
        parts = (entry.get("published"), entry.get("target"))
        return ":".join(str(part) for part in parts if part)
    return str(entry)
