"""The limits of a container's processes (`--ulimit`), its own or the engine's default. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.wanted_parts import UlimitEntry
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.lazy_pattern import LazyPattern

_REFUSED = LazyPattern(r"error setting rlimit type (?P<number>\d{1,2})\b")
"""The runtime's error where the engine may not raise a limit that far."""
_BY_NUMBER = [
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "rttime",
]
"""The names of limits in the order of their numbers (asm-generic/resource.h)."""


class Ulimit(msgspec.Struct, frozen=True):
    """A limit that is in force."""

    soft: int
    """-1 for no limit."""
    source: str
    """The source of the limit: HostConfig.Ulimits, or the engine's file or flag."""


def refused_ulimit(container: Container) -> UlimitEntry | None:
    """The limit of a container's own that the runtime could not set; None where there is none."""
    match = _REFUSED.search(container.state.error)
    number = int(match["number"]) if match is not None else len(_BY_NUMBER)
    if number >= len(_BY_NUMBER):
        return None
    limits = container.host_config.ulimits or ()
    return next((entry for entry in limits if entry.name == _BY_NUMBER[number]), None)


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
