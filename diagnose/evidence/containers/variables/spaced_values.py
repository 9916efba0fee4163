"""Variables of running containers with a space before or behind a value that has none."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.variables.quoted_values import PLAIN_VALUE
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_NEVER_SPACED = LazyPattern(PLAIN_VALUE)


class SpacedValue(msgspec.Struct, frozen=True):
    """A variable with spaces around its value."""

    container: Container
    variable: str
    value: str

    @property
    def inner(self) -> str:
        """The value that was meant."""
        return self.value.strip(" ")

    @property
    def where(self) -> str:
        """The end at which the space is."""
        return "ends" if self.value.endswith(" ") else "begins"


class SpacedValues(Items[SpacedValue], frozen=True):
    """The first such value of each container."""


@evidence
def spaced_values(containers: Containers) -> SpacedValues:
    """The variables with spaces around a value of a kind that has none. Pure.

    `docker run --env-file` keeps the spaces at the end of a line, and compose those within quotes.
    """
    first_values: dict[str, SpacedValue] = {}
    for container in containers.running:
        for name, value in container.config.environment:
            inner = value.strip(" ")
            if inner != value and _NEVER_SPACED.fullmatch(inner) is not None:
                first_values.setdefault(container.id, SpacedValue(container, name, value))
    return SpacedValues(tuple(first_values.values()))
