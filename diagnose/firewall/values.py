"""Values that a condition of a rule compares a field with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec


class Nets:
    """Networks that an address left open is certainly not in.

    It remembers which conditions lie within them.
    """

    def __init__(self, spans: Iterable[Interval] = ()) -> None:
        self.spans = tuple(spans)
        self._covered: dict[Value, bool] = {}

    def __bool__(self) -> bool:
        return bool(self.spans)

    def covers(self, value: Value) -> bool:
        """Whether all numbers of a condition are in these networks."""
        answer = self._covered.get(value)
        if answer is None:
            answer = self._covered[value] = self._look(value)
        return answer

    def _look(self, value: Value) -> bool:
        if isinstance(value, Interval):
            return self._holds(value.low, value.high)
        if isinstance(value, Several):
            return all(
                self._holds(low, high) for low, high in zip(value.lows, value.highs, strict=True)
            )
        return False

    def _holds(self, low: int, high: int) -> bool:
        return any(span.low <= low and high <= span.high for span in self.spans)


class Interval(msgspec.Struct, frozen=True):
    """Numbers from `low` to `high`, both included."""

    low: int
    high: int


class Masked(msgspec.Struct, frozen=True):
    """Numbers whose bits under `mask` equal `value`.

    `any_bit`: numbers that share a bit with `mask` count.
    """

    mask: int
    value: int = 0
    any_bit: bool = False


class Name(msgspec.Struct, frozen=True):
    """An interface name, or with `prefix` every name that begins so."""

    text: str
    prefix: bool = False


class Several(msgspec.Struct, frozen=True):
    """Numbers in one of many intervals, as a block list holds.

    They lie in order and apart, so that a look is quick.
    """

    lows: tuple[int, ...]
    highs: tuple[int, ...]

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_right(self.lows, number) - 1
        return at >= 0 and number <= self.highs[at]


Value = Interval | Masked | Name | Several
