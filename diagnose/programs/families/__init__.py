"""Complaints that many programs share, each in the words of many.

They are looked for in the line that explains, and only where no row of the table of known failures
is in the log: a row knows its program, a family knows only what kind of complaint it is.
"""

from diagnose.programs.failures.recognition import LateTable

FAMILIES = LateTable("diagnose.programs.families.table", "FAMILIES")
LAST_RESORTS = LateTable("diagnose.programs.families.last_resorts", "LAST_RESORTS")
"""Families that count in any line where no line explains."""

__all__ = ["FAMILIES", "LAST_RESORTS"]
