"""What the server of `tests/command_line.py` imports: all checks, and what most commands need."""

import importlib

from diagnose import registry

MODULES = (
    "diagnose.cli.main",
    "diagnose.cli.reader",
    "diagnose.compare",
    "diagnose.document",
    "diagnose.live",
    "diagnose.reach.command_line",
    "diagnose.reach.tour",
    "diagnose.render.check_list",
    "diagnose.render.comparison",
    "diagnose.render.explain",
    "diagnose.render.json",
    "diagnose.render.terminal",
    "diagnose.runbooks",
    "diagnose.session",
    "diagnose.ticket.create",
    "diagnose.ticket.write",
)

registry.load()
for module in MODULES:
    importlib.import_module(module)
