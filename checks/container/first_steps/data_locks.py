"""First steps where a line says that another program holds the data."""

from __future__ import annotations

import re

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables

_LOCKED = LazyPattern(
    r"\b(?:another|other) (?:instance|process|server)\b|\balready running\b|\bin use by\b"
    r"|\bwhile lock file\b|\block(?: is)? held by\b|\bunable to (?:lock|acquire (?:the )?lock)"
    r"|\b(?:failed|cannot|can't|could not) (?:to )?(?:obtain|acquire|get|lock)\b.{0,40}\block"
    r"|\block file\b.{0,40}\b(?:exists|empty|held)",
    re.IGNORECASE,
)


def lock_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that shows who has the same data: a volume, or a folder of the host.

    Nothing where the container has several places to which it writes.
    """
    if not _LOCKED.search(text):
        return {}
    mount = only([mount for mount in container.mounts if mount.rw and mount.has_host_path])
    return {"locked_data": mount.name or mount.source} if mount is not None else {}
