"""Variables whose value ends with a carriage return, which the errors of a running program name."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.items import Items
from diagnose.registry import evidence

_SHORTEST = 3
"""Characters of a value that a line can name without chance."""


class CarriageReturn(msgspec.Struct, frozen=True):
    """A variable that took the end of its line along, from a file with DOS line ends."""

    container: Container
    variable: str
    value: str
    line: str
    """The repeated error that names the value."""


class CarriageReturns(Items[CarriageReturn], frozen=True):
    """The carriage returns in settings of running programs that complain."""


@evidence
def carriage_returns(repeated_errors: RepeatedErrors) -> CarriageReturns:
    """The carriage returns in settings of running programs that complain.

    An unread log names nothing.
    """
    return CarriageReturns(
        tuple(
            CarriageReturn(error.container, name, value, error.line.whole)
            for error in repeated_errors
            for name, value in error.container.config.environment
            if _is_named(value, (error.line.whole, *error.lines))
        )
    )


def _is_named(value: str, lines: tuple[str, ...]) -> bool:
    bare = value.rstrip("\r")
    return bare != value and len(bare) >= _SHORTEST and any(bare in line for line in lines)
