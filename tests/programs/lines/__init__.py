"""A real line for each known failure of a program, by the name of its row.

A room and a module here are named like those of `diagnose/programs/failures/` that have the rows.
"""

from __future__ import annotations

import importlib
import pkgutil

LINES: dict[str, str] = {}
for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    if not _module.ispkg:
        LINES.update(importlib.import_module(_module.name).LINES)
