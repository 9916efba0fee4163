"""The subject of the checks of a run: everything."""

from diagnose.model import ON_ALL, Focus
from diagnose.registry import evidence

__all__ = ["Focus", "focus"]


@evidence
def focus() -> Focus:
    """All subjects. A proof asks about one subject at a time instead (`judgement.proof`)."""
    return ON_ALL
