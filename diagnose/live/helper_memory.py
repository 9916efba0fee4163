"""The memory of a worker of the helper processes."""

import re
import resource
from pathlib import Path

_MOST = 512 << 20
"""Bytes that a worker may take beside those that it has when it begins: what others wrote into a
file does not fill the memory of the host."""
_DATA = re.compile(r"^VmData:[ \t]*(\d+) kB$", re.MULTILINE)
FULL = "to read it takes more memory than one file may have"


def limit_memory() -> None:
    """Let this process take so much memory at most; a lower limit of the user stays."""
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    most = _data_bytes() + _MOST
    is_lower = hardest != resource.RLIM_INFINITY and hardest < most
    resource.setrlimit(resource.RLIMIT_DATA, (hardest if is_lower else most, hardest))


def _data_bytes() -> int:
    """The bytes that count for the limit now; those of a long run's process count in its forks."""
    match = _DATA.search(Path("/proc/self/status").read_text())
    return int(match[1]) << 10 if match is not None else 0
