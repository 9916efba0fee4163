"""The kernel's own estimate of its clock's error, by adjtimex(2), which needs no privilege to
read."""

import struct

from diagnose.live import Live
from diagnose.model import Json
from diagnose.questions.machine import ReadClockState

_UNSYNCHRONISED = 0x40
_NANOSECONDS = 0x2000
_LAYOUT = struct.Struct("@IllllI")
"""The head of `struct timex` (uapi/linux/timex.h): modes, offset, freq, maxerror, esterror, status.
"""
_WHOLE_BYTES = 512
"""More than any `struct timex`: 208 bytes on 64 bit machines."""


def clock_state(_live: Live, _question: ReadClockState) -> Json:
    """How far the clock is from the time, by the kernel.

    OSError where the system call is not allowed.
    """
    import ctypes  # in a worker: 3 ms; Python has no other way to this call

    libc = ctypes.CDLL(None, use_errno=True)
    state = ctypes.create_string_buffer(_WHOLE_BYTES)  # modes 0: only read
    if libc.adjtimex(state) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    _, offset, _, max_error, _, status = _LAYOUT.unpack_from(state)
    return {
        "synchronised": not status & _UNSYNCHRONISED,
        "offset_s": offset / (1e9 if status & _NANOSECONDS else 1e6),
        "max_error_s": max_error / 1e6,
    }
