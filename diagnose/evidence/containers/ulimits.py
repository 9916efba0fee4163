"""The limits of a container's processes (`--ulimit`), its own or the engine's default. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.config import DaemonConfig


class Ulimit(msgspec.Struct, frozen=True):
    """A limit that is in force."""

    soft: int
    """-1 for no limit."""
    source: str
    """The source of the limit: HostConfig.Ulimits, or the engine's file or flag."""


def ulimit(container: Container, name: str, config: DaemonConfig | None) -> Ulimit | None:
    """The limit of that name, such as nproc; None where none was set, or it cannot be read."""
    for entry in container.host_config.ulimits or ():
        if entry.name == name:
            return Ulimit(entry.soft, "HostConfig.Ulimits")
    defaults = config.value("default-ulimits") if config is not None else None
    default = defaults.get(name) if isinstance(defaults, dict) else None
    if config is None or not isinstance(default, dict):
        return None
    soft = default.get("Soft")
    return Ulimit(soft, config.where("default-ulimits")) if isinstance(soft, int) else None
