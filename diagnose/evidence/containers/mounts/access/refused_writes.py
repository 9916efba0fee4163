"""Running containers that cannot write to a mount which they have read-only. Pure."""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath, refused_in
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

READ_ONLY = LazyPattern(r"read-only file ?system|\bEROFS\b", re.IGNORECASE)


class RefusedWrite(msgspec.Struct, frozen=True):
    """The path that a program names in an error that it repeats."""

    container: Container
    named: NamedPath


class RefusedWrites(Items[RefusedWrite], frozen=True):
    """The refused writes, at most one for each container."""


@evidence
def refused_writes(repeated_errors: RepeatedErrors) -> RefusedWrites:
    """The log says "read-only file system" of a path below a mount with that option."""
    return RefusedWrites(tuple(_refused_writes(repeated_errors)))


def _refused_writes(repeated_errors: RepeatedErrors) -> Iterator[RefusedWrite]:
    for error in repeated_errors:
        place = refused_in(error.container, LogTail(error.lines))
        if place is not None and READ_ONLY.search(place.line) and not place.mount.rw:
            yield RefusedWrite(error.container, place)
