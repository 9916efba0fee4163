"""A real text for each row about a start that the engine refused, and what the page gets from it.

A module here is named like the module of `diagnose/programs/failures/` that has the rows.
"""

from __future__ import annotations

import importlib
import pkgutil

STARTS: dict[str, tuple[str, dict[str, str]]] = {}
for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    STARTS.update(importlib.import_module(_module.name).STARTS)
