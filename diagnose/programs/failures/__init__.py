"""The world's commonest failures of programs in containers, as data.

What a log says, what it means, what heals.

Each row is one failure of one program, or of many. `recognise` finds the row that a log shows. A
row alone proves nothing about the host: it is what the program says. Where the host can confirm it,
`confirmed_by` names the check that compares.
"""

from diagnose.programs.failures.engine_errors import ENGINE_ERRORS
from diagnose.programs.failures.recognition import (
    Failure,
    Recognised,
    recognise,
    recognise_family,
)
from diagnose.programs.failures.start_errors import START_ERRORS
from diagnose.programs.failures.table import FAILURES

__all__ = [
    "ENGINE_ERRORS",
    "FAILURES",
    "START_ERRORS",
    "Failure",
    "Recognised",
    "recognise",
    "recognise_family",
]
