"""First steps where the kernel refuses a program what the line does not call by a path."""

from __future__ import annotations

import re

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_REFUSED = LazyPattern(
    r"operation not permitted|\bEPERM\b|\b(?:must be|are you|run as|be run as) root\b"
    r"|\bmust be suid\b|not supposed to be run as root|\bonly run as pid 1\b",
    re.IGNORECASE,
)


def right_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that shows the rights of the container."""
    return {"rights_of": container.name} if _REFUSED.search(text) else {}
