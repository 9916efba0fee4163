"""Times as engines write them."""

from __future__ import annotations

from datetime import UTC, datetime


def unix(text: str | None) -> float | None:
    """The Unix time of an RFC 3339 text; None for nothing, nonsense, or Go's zero time (0001-01-01T00:00:00Z)."""
    if not text or text.startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def ago(seconds: float) -> str:
    """A duration in words, two digits at most: 40 s, 12 min, 3 h, 5 days."""
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "day" else 1):
            count = round(seconds / size)
            return f"{count} {unit}{'s' if unit == 'day' and count != 1 else ''}"
    return f"{max(0, round(seconds))} s"


def size(count: float) -> str:
    """A number of bytes in binary units, three digits at most: 512 B, 21.4 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1000 or unit == "TiB":
            return f"{count:.0f} {unit}" if unit == "B" or abs(count) >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")
