"""The time that a program writes into a line of its own log file."""

import re
from datetime import datetime

from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import MONTHS, unix

LOOKED_AT = 400
"""Characters of a line in which its time may stand: a JSON line has fields before it."""
_DATED = LazyPattern(
    r"(?<!\d)(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ](?P<time>\d\d:\d\d:\d\d)"
)
_NAMED = LazyPattern(
    r"(?<!\d)(?P<day>\d{1,2})[-/ ](?P<month>[A-Z][a-z]{2})[-/ ](?P<year>\d{4})[: ](?P<time>\d\d:\d\d:\d\d)"
)
"""30/Nov/2026:10:11:12"""
_MONTH_FIRST = LazyPattern(
    r"\b(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}),? (?P<year>\d{4} )?(?P<time>\d\d:\d\d:\d\d)"
    r"(?:\.\d{1,9})?(?: (?P<last>\d{4})\b)?"
)
"""Nov 30 2026 10:11:12.123, or Nov 30 10:11:12 2026"""
_CLOCK = LazyPattern(r"^\W{0,3}(?P<time>\d\d:\d\d:\d\d)\b")
_EPOCH = LazyPattern(r"(?:^|\"(?:ts|time|timestamp)\": ?)\[?(?P<seconds>1\d{9})(?:\d{3})?\b")


def written_at(line: str) -> float | None:
    """The time of a line in seconds, to compare lines of one file; None where a line has no time.

    A time without a zone counts as UTC, one without a date or a year as of a fixed one.
    """
    text = line[:LOOKED_AT]
    match = _DATED.search(text) or _NAMED.search(text) or _MONTH_FIRST.search(text)
    if match is not None:
        return _time_of_date(match)
    if (clock := _CLOCK.search(text)) is not None:
        return unix(f"1970-01-01T{clock['time']}")
    epoch = _EPOCH.search(text)
    return float(epoch["seconds"]) if epoch is not None else None


def _time_of_date(match: re.Match[str]) -> float | None:
    """The Unix time of a date in a line; None where it is not a date."""
    parts = match.groupdict()
    year = (parts.get("year") or parts.get("last") or "2000").strip()
    month = parts["month"]
    if not month.isdigit():
        if month not in MONTHS:
            return None
        month = str(MONTHS.index(month) + 1)
    try:
        moment = datetime.fromisoformat(
            f"{year}-{month:0>2}-{parts['day']:0>2}T{parts['time']}+00:00"
        )
    except ValueError:
        return None
    return moment.timestamp()
