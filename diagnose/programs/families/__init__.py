"""Complaints that many programs share, each in the words of many.

They are looked for in the line that explains, and only where no row of the table of known failures
is in the log: a row knows its program, a family knows only what kind of complaint it is.
"""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.families.calls import CERTIFICATES, PEERS
from diagnose.programs.families.data import DATA
from diagnose.programs.families.images import DEPENDENCIES, DEVICES
from diagnose.programs.families.settings import CONFIGURATION, FILES, SETTINGS
from diagnose.programs.families.surroundings import LOGINS, SURROUNDINGS

FAMILIES: tuple[Failure, ...] = (
    *CERTIFICATES,
    *DEVICES,
    *DEPENDENCIES,
    *DATA,
    *SETTINGS,
    *PEERS,
    *SURROUNDINGS,
    *CONFIGURATION,
    *FILES,
    *LOGINS,
)
"""In the order in which a line is compared with them: the more telling ones first."""

__all__ = ["FAMILIES"]
