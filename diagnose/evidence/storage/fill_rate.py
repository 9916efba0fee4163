"""How fast the data root's file system fills, where that is soon of interest."""

from __future__ import annotations

import msgspec

from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.model import Failed
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

WORTH_PCT = 85.0
"""Below, a second of watching tells nobody anything."""
NOISE = 32 << 10
"""Bytes a second that journals and clocks write on any host."""


class _Answer(msgspec.Struct):
    seconds: float
    free_before: int
    free_after: int


class FillRate(msgspec.Struct, frozen=True):
    """Bytes a second by mount point, seen over `seconds`; only of file systems that fill faster than
    noise."""

    by_point: dict[str, float]
    seconds: float = 0.0


@evidence
def fill_rate(host: Host, filesystems: Filesystems) -> FillRate:
    """Two samples of the file systems that are nearly full; what cannot be had is left out."""
    asked = {
        question("fs.rate", path=each.point): each.point for each in filesystems if each.usage.used_pct >= WORTH_PCT
    }
    found = {}
    seconds = 0.0
    for each, answer in host.ask_many(asked):
        if isinstance(answer, Failed):
            continue
        seen = msgspec.convert(answer, _Answer)
        rate = (seen.free_before - seen.free_after) / seen.seconds if seen.seconds > 0 else 0.0
        if rate > NOISE:
            found[asked[each]] = rate
            seconds = seen.seconds
    return FillRate(found, seconds)
