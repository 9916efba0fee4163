"""The names of variables as programs say them in their messages. Pure."""

from __future__ import annotations

_SHORTEST = 4
"""Characters of a word that a message does not hold by chance."""


def spoken_names(name: str) -> tuple[str, ...]:
    """A variable's name in words, whole and by its last two: Airflow's sections stand before."""
    parts = [part for part in name.lower().split("_") if part]
    whole = " ".join(parts)
    last = " ".join(parts[-2:])
    return (whole, last) if "__" in name and len(last) > 2 * _SHORTEST else (whole,)
