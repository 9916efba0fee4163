"""Errors of the machine itself in the kernel log: power, memory, processors. Pure."""

from itertools import pairwise
from typing import Literal

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.registry import evidence

HardwareFault = Literal["power", "memory", "processor", "stall"]

WITHIN_S = 3600.0
"""Seconds after which an error without a new line in the kernel log is over."""
_PATTERN = LazyPattern(
    r"(?P<power>\b[Uu]nder-?voltage detected!)"
    r"|(?P<memory>\bEDAC \S+: \d+ UE |\bMemory failure: 0x[0-9a-f]{1,16}: )"
    r"|(?P<processor>\[Hardware Error\]: Uncorrected|\[Hardware Error\]: event severity: (?:fatal|recoverable)"
    r"|Machine [Cc]heck: Processor context corrupt)"
    r"|(?P<stall>\bsoft lockup - CPU#\d{1,4} stuck for \d{1,5}s!|\bself-detected stall on CPU"
    r"|\brcu_\w{2,10} detected stalls on CPUs)"
)
"""power: Raspberry Pi (drivers/hwmon/raspberrypi-hwmon.c, firmware driver before Linux 4.18).
memory, processor: EDAC, mm/memory-failure.c, arch/x86/kernel/cpu/mce, GHES; what was corrected is
left out. stall: kernel/watchdog.c, kernel/rcu/tree_stall.h."""
_SIGNS = (
    "oltage",
    " UE ",
    "Memory failure",
    "[Hardware Error]",
    "context corrupt",
    "stall",
    "lockup",
)
_LEAST: dict[HardwareFault, int] = {"power": 3, "memory": 1, "processor": 1, "stall": 3}
"""Minimum number of events within the hour. A short dip and a virtual machine that was suspended
cause one or two."""
_ONE_EVENT_S = 15.0
"""Lines of a stall this close together are one event: after a pause of the whole virtual machine
each of its processors has a line. A stall that lasts is said again after 20 s and more."""


class HardwareError(msgspec.Struct, frozen=True):
    """A kind of hardware fault, and its lines in the kernel log of the last hour."""

    kind: HardwareFault
    lines: tuple[Record, ...]
    """Oldest first."""

    @property
    def times(self) -> int:
        """The number of times: one for each line, except for processors that stall together."""
        if self.kind != "stall":
            return len(self.lines)
        pauses = (later.at - line.at for line, later in pairwise(self.lines))
        return bool(self.lines) + sum(pause > _ONE_EVENT_S for pause in pauses)


class HardwareErrors(Items[HardwareError], frozen=True):
    """The hardware errors, at most one of each kind."""


@evidence
def hardware_errors(kernel_log: KernelLog, clock: Clock) -> HardwareErrors:
    """The faults that the kernel has reported often enough, and lately."""
    recent = (
        (match.lastgroup, record)
        for record, match in kernel_log.matching(_PATTERN, _SIGNS)
        if clock.wall - record.at <= WITHIN_S
    )
    by_kind = by_key(recent)
    errors = (HardwareError(kind, tuple(by_kind.get(kind, ()))) for kind in _LEAST)
    return HardwareErrors(tuple(error for error in errors if error.times >= _LEAST[error.kind]))
