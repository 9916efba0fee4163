"""What the last words of a start that failed mean, where that is known."""

from __future__ import annotations

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.programs.failures import ENGINE_ERRORS, Recognised, recognise

ENGINE = "docker"
"""The unit, for a page whose command starts the engine again."""


def meaning(text: str) -> Recognised | None:
    """The known cause of a failed start, by the line with which the engine gave up."""
    return recognise([text], None, ENGINE_ERRORS) if text else None


def page_variables(known: Recognised, root: DataRoot | None) -> dict[str, str]:
    """What the page's commands need to heal that cause."""
    return known.page_variables({"root": root.path if root is not None else ""})
