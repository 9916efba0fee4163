"""The memory of a worker of the helper processes."""

from __future__ import annotations

import resource

_MOST = 512 << 20
"""Bytes that a worker may have for its own: what others wrote into a file does not fill the memory
of the host."""
FULL = "to read it takes more memory than one file may have"


def limit_memory() -> None:
    """Let this process have so much memory at most; a lower limit of the user stays."""
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    is_lower = hardest != resource.RLIM_INFINITY and hardest < _MOST
    resource.setrlimit(resource.RLIMIT_DATA, (hardest if is_lower else _MOST, hardest))
