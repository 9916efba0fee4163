"""A real line for each known failure of a program, by the name of its row.

A module here is named like the module of `diagnose/programs/failures/` that has the rows.
"""

from __future__ import annotations

import importlib
import pkgutil

LINES: dict[str, str] = {}
for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    LINES.update(importlib.import_module(_module.name).LINES)
