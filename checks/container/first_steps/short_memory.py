"""First steps where a line says that the system gives the program no memory."""

from __future__ import annotations

import re

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_OF_THE_RUNTIME = LazyPattern(r"\bheap\b|\bmaxmemory\b|\bmemory_limit\b", re.IGNORECASE)
"""Limits that a runtime or a server sets itself."""


def memory_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that compares the container's limit with the host's memory."""
    is_short = "oom" in signs(text) and not _OF_THE_RUNTIME.search(text)
    return {"memory_of": container.name} if is_short else {}
