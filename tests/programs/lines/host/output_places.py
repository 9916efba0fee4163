"""Lines of real logs for the rows of `diagnose/programs/failures/host/output_places.py`."""

from __future__ import annotations

LINES = {"output-closed": ("FATAL: Cannot open '/proc/self/fd/1' for writing.")}
