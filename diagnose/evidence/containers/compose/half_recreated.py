"""Containers that a recreate of compose left under a temporary name. Pure."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import unix

_TEMPORARY = LazyPattern(r"(?P<id>[0-9a-f]{12})_(?P<name>[a-zA-Z0-9][\w.-]*)")
"""A temporary name that compose gives during a recreate. Version 1 renames the old container and
puts the container's own id before its name; version 2 creates the new one so, with the old one's
id."""


class HalfRecreated(msgspec.Struct, frozen=True):
    """The container that an interrupted recreate left under a temporary name."""

    left: Container
    """Under the temporary name."""
    name: str
    """The name that the service should have."""
    twin: Container | None
    """The container of that name."""

    @property
    def is_up(self) -> bool:
        return self.left.is_running or (self.twin is not None and self.twin.is_running)

    @property
    def newest(self) -> float | None:
        """Unix time at which the newer one was created."""
        pair = (self.left, self.twin)
        times = [unix(container.created) for container in pair if container is not None]
        return max((time for time in times if time is not None), default=None)


def half_recreated(containers: Containers) -> Iterator[HalfRecreated]:
    """The containers of compose's projects that a recreate left under a temporary name."""
    for container in containers:
        temporary = _TEMPORARY.fullmatch(container.name)
        if temporary is not None and container.compose_project:
            name = temporary["name"]
            yield HalfRecreated(container, name, containers.by_name.get(name))
