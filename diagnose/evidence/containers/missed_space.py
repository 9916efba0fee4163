"""Containers that miss space which is not missing on a disk."""

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.registry import evidence

FULL_PCT = 95.0
"""From here on a program may miss space on a disk."""


class MissedSpace(msgspec.Struct, frozen=True):
    """The ids of containers that repeat that no space is left; none where a disk is full."""

    ids: frozenset[str] = frozenset()


@evidence
def missed_space(errors: RepeatedErrors | None, disks: Filesystems | None) -> MissedSpace:
    """The containers whose lines report that no space is left, by the class of the lines.

    Logs that cannot be read are left out.
    """
    if any(disk.usage.used_pct >= FULL_PCT for disk in disks or ()):
        return MissedSpace()
    return MissedSpace(
        frozenset(
            error.container.id
            for error in errors or ()
            if "no-space" in signs(error.line.whole, *error.lines)
        )
    )
