"""The speed at which the data root's file system fills, where it is full soon."""

import msgspec

from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.filesystems import SampleFreeSpace
from diagnose.registry import evidence

WORTH_PCT = 85.0
"""Percent in use below which a second of watching proves nothing."""
NOISE = 32 << 10
"""Bytes a second that journals and clocks write on any host."""


class FillRate(msgspec.Struct, frozen=True):
    """The bytes a second by mount point, seen over `seconds`.

    A file system that fills no faster than noise is left out.
    """

    by_point: dict[str, float]
    seconds: float = 0.0


@evidence
def fill_rate(host: Host, filesystems: Filesystems) -> FillRate:
    """The growth of nearly full file systems between two samples; unreadable ones are left out."""
    points = [
        filesystem.point for filesystem in filesystems if filesystem.usage.used_pct >= WORTH_PCT
    ]
    rates = {}
    seconds = 0.0
    for point, sample in host.ask_about(points, SampleFreeSpace):
        if isinstance(sample, Failed):
            continue
        rate = (
            (sample.free_before - sample.free_after) / sample.seconds if sample.seconds > 0 else 0.0
        )
        if rate > NOISE:
            rates[point] = rate
            seconds = sample.seconds
    return FillRate(rates, seconds)
