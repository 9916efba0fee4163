"""`python -m tests.lab`: sweep up after killed runs, fetch the engines, and say what there is and
what is missing."""

from __future__ import annotations

import sys

from .engines import discover
from .sweep import sweep

for box in sweep():
    print(f"lab: removed what was left of box {box}")
engines, missing = discover()
for engine in engines:
    print(f"lab: engine {engine}")
for gap in missing:
    print(f"lab: engine SKIPPED, {gap}", file=sys.stderr)
