"""Runtimes that containers ask for and the engine does not list."""

from collections.abc import Collection

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key

ALWAYS_THERE = LazyPattern(r"io\.containerd\.|/")
"""Names of runtimes that need no entry: shims by their containerd name, and programs by their path
(from engine 23.0)."""


class MissingRuntime(msgspec.Struct, frozen=True):
    """A runtime that containers ask for and the engine does not list."""

    name: str
    users: list[Container]
    refusal: str
    """The engine's error about a start that lacks it; "" without one."""

    @property
    def down(self) -> list[Container]:
        """The containers with the setting whose last start was refused."""
        if not self.refusal:
            return []
        return [user for user in self.users if not user.is_running]

    @property
    def affected(self) -> list[Container]:
        """The containers that are down for the setting; else those whose next start it refuses."""
        return self.down or [user for user in self.users if user.is_running]

    @property
    def blocked(self) -> list[Container]:
        """The containers that fail for nothing else, as far as the engine says."""
        errors = ((user.state.error, user) for user in self.users)
        return [user for error, user in errors if not error or self.name in error]


def users_of_unknown_runtimes(
    containers: Containers, registered: Collection[str]
) -> dict[str, list[Container]]:
    """The containers that ask for a runtime which the engine does not list, by its name."""
    by_runtime = by_key((container.host_config.runtime, container) for container in containers)
    return {
        name: users
        for name, users in by_runtime.items()
        if _needs_entry(name) and name not in registered
    }


def _needs_entry(runtime: str) -> bool:
    return bool(runtime) and not ALWAYS_THERE.match(runtime)
