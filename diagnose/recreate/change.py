"""The change that a script makes to a container when it replaces it."""

from collections.abc import Iterator, Sequence

import msgspec


class ContainerChange(msgspec.Struct, frozen=True):
    """The change of a container."""

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

    @property
    def mounted(self) -> frozenset[str]:
        """Paths inside at which the options mount something, in the place of what is there now."""
        return frozenset(_targets(self.options))

    @property
    def variables(self) -> frozenset[str]:
        """The variables that the options set, as `NAME=VALUE`, or as `NAME` where the shell that
        runs the script has the value."""
        return frozenset(_values(self.options, ("--env", "-e")))


def _targets(options: Sequence[str]) -> Iterator[str]:
    """The targets of `--volume`, `--mount` and `--tmpfs`."""
    for value in _values(options, ("--mount",)):
        yield from _target_of_mount(value)
    for value in _values(options, ("--tmpfs",)):
        yield value.partition(":")[0]
    for value in _values(options, ("--volume", "-v")):
        yield value.split(":")[1] if ":" in value else value


def _values(options: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """The values of the options with these names. A value may be a word of its own."""
    words = iter(options)
    for word in words:
        name, has_value, value = word.partition("=")
        if name in names:
            yield value if has_value else next(words, "")


def _target_of_mount(value: str) -> Iterator[str]:
    for part in value.split(","):
        key, _, path = part.partition("=")
        if key in ("target", "dst", "destination"):
            yield path
