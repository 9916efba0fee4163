"""Notes on what undoes the change of a container, since something else has made the container.
Pure."""

import re

from diagnose.recreate import compose_keys
from diagnose.recreate.change import ContainerChange
from diagnose.recreate.options import Inspect

_COMPOSE = "com.docker.compose."

_UNIT = "PODMAN_SYSTEMD_UNIT"


def is_of_compose(container: Inspect) -> bool:
    """Whether a compose file describes the container."""
    return f"{_COMPOSE}service" in (container["Config"].get("Labels") or {})


def notes_about(container: Inspect, change: ContainerChange, *, is_podman: bool) -> list[str]:
    """Notes on what undoes the change, line by line: whoever pipes the script reads no comment.

    Labels may hold any text, and an image can set them.
    """
    labels = container["Config"].get("Labels") or {}
    unit = labels.get(_UNIT)
    notes = _compose_notes(container, change) if is_of_compose(container) else []
    if unit and is_podman:
        notes.append(
            f"Unit {unit} made it: change the unit too, or its next start undoes the change."
        )
    return [re.sub(r"\s*\n\s*", " ", note) for note in notes]


def _compose_notes(container: Inspect, change: ContainerChange) -> list[str]:
    """The lines that the compose file needs, so that the change lasts."""
    labels = container["Config"]["Labels"]
    folder = labels.get(f"{_COMPOSE}project.working_dir") or "its project's folder"
    files = labels.get(f"{_COMPOSE}project.config_files") or f"the compose file in {folder}"
    lines = compose_keys.lines_of(change.options, change.image, change.command)
    mounted = {mount["Destination"] for mount in container.get("Mounts") or ()}
    replaced = change.unmounted | (change.mounted & mounted)
    lost_parts = [
        *(f"what was mounted at {path}" for path in sorted(replaced)),
        *(f"the variable {name}" for name in sorted(change.unset)),
        *(f"the option {name}" for name in sorted(change.without)),
    ]
    begin = f"Compose made it: change {files} too, or `docker compose up` may undo the change."
    if lines:
        begin += f" Below `{labels[f'{_COMPOSE}service']}:` write:"
    return [
        begin,
        *(f"    {line}" for line in lines),
        *(f"Leave out there: {option}" for option in lost_parts),
    ]
