"""What is to be different about a container that a script replaces."""

from __future__ import annotations

import msgspec


class ContainerChange(msgspec.Struct, frozen=True):
    """What is to be different."""

    options: tuple[str, ...] = ()
    """Of `docker create`, behind those that the container has; the last one counts."""
    without: frozenset[str] = frozenset()
    """Long names of options to leave out, without their dashes; `security-opt=seccomp` leaves out
    those whose value begins so."""
    unmounted: frozenset[str] = frozenset()
    """Paths inside at which nothing is to be mounted."""
    unset: frozenset[str] = frozenset()
    """Variables that are not given to the new container; those of its image stay."""
    image: str = ""
    command: tuple[str, ...] | None = None
    """The words to run, None for those of now."""
    options_from_command: bool = False
    """Whether options of `docker run` at the begin of the command become options."""
