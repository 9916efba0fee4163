"""Limits of a compose service with which the engine of this host creates no container. Pure."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.numbers import BYTES_OF_UNIT
from diagnose.questions.compose import WrittenService

_LEAST_MEMORY = 6 << 20
"""Bytes of memory that the engine takes as a limit at least."""
_NUMBER = LazyPattern(r"\d{1,6}(?:\.\d{1,6})?")
_SIZE = LazyPattern(
    r"(?P<number>\d{1,15}(?:\.\d{1,6})?) ?(?P<unit>[bkmgt])?(?:i?b)?", re.IGNORECASE
)


def refused_limit(service: WrittenService, host_cpus: int) -> str:
    """The limit that the engine refuses, as a clause about the service; "" where it takes all.

    host_cpus: how many CPUs the host has, 0 where that is not known. A limit with a variable is not
    judged.
    """
    cpus = _NUMBER.fullmatch(service.cpus)
    if cpus is not None and 0 < host_cpus < float(cpus[0]):
        return f"it asks for {service.cpus} CPUs, and this host has {host_cpus}"
    size = _SIZE.fullmatch(service.memory)
    if size is not None:
        size_bytes = float(size["number"]) * BYTES_OF_UNIT[(size["unit"] or "").lower()]
        if 0 < size_bytes < _LEAST_MEMORY:
            return f"its memory limit is {service.memory}, and the engine takes 6 MB at least"
    return ""
