"""The sets of addresses that iptables rules name (`ipset`)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from diagnose.firewall.iptables.values import address_range, network
from diagnose.firewall.values import Interval, Several


def named_sets(text: str) -> frozenset[str]:
    """The sets that rules of the text name."""
    return frozenset(re.findall(r"--match-set (\S+)", text))


def members(sets: Mapping[str, Sequence[str]]) -> Mapping[str, Several]:
    """The addresses of each ipset, joined to intervals.

    A set with a member that is not an address is left out, and stays unknown.
    """
    parsed = {}
    for name, texts in sets.items():
        with suppress(ValueError):
            parsed[name] = _joined_intervals(
                interval for text in texts for interval in _intervals(text)
            )
    return parsed


def _intervals(member: str) -> list[Interval]:
    values = address_range(member) if "-" in member else network(member)
    return [value for value in values if isinstance(value, Interval)]


def _joined_intervals(intervals: Iterable[Interval]) -> Several:
    """The intervals as one value; those that touch or overlap are joined."""
    lows: list[int] = []
    highs: list[int] = []
    for interval in sorted(intervals, key=lambda interval: interval.low):
        if highs and interval.low <= highs[-1] + 1:
            highs[-1] = max(highs[-1], interval.high)
        else:
            lows.append(interval.low)
            highs.append(interval.high)
    return Several(tuple(lows), tuple(highs))
