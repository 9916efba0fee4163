"""The checks and pages that the laws are about."""

from __future__ import annotations

from pathlib import Path

from diagnose import registry, runbooks

ROOT = Path(__file__).parents[2]
CHECKS = registry.load()
PAGES = runbooks.paths()
