"""The functions that the checks of resources share."""

MOST_NAMED = 5
"""Containers that a finding about the host names."""


def reaches(percent: float, count: int | None, limit: int | None) -> bool:
    """Whether a count is at this percent of its limit or above.

    False where either is not known, or there is no limit.
    """
    return bool(count and limit and limit > 0) and 100 * (count or 0) >= percent * (limit or 0)
