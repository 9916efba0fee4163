"""What the server of `tests/command_line.py` imports: all checks, and what most commands need.

What a process builds when it first needs it, types and patterns, is built once here too: that is a
quarter of a run on a recorded host.
"""

import contextlib
import gc
import importlib

import msgspec

from diagnose import registry
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions.question import by_kind
from diagnose.shapes import convert

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
    "diagnose.render.formats.json",
    "diagnose.render.terminal",
    "diagnose.runbooks",
    "diagnose.session",
    "diagnose.ticket.create",
    "diagnose.ticket.write",
)

registry.load()
for module in MODULES:
    importlib.import_module(module)

for question in by_kind().values():
    with contextlib.suppress(msgspec.ValidationError, TypeError):
        convert(None, question.ANSWER)
for thing in gc.get_objects():
    if isinstance(thing, LazyPattern):
        thing.compiled  # noqa: B018 - it compiles
gc.freeze()
