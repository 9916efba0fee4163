"""Kernel settings that programs in failed containers say are too low."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

CONFIRMED_BY = "container.kernel-setting-low"


class KernelSettings(msgspec.Struct, frozen=True):
    """By name, the values of the settings that logs name.

    A setting that this kernel does not have is missing.
    """

    by_name: dict[str, int]


@evidence
def kernel_settings(host: Host, log_tails: LogTails) -> KernelSettings | Unavailable:
    """One question, and none where no log names a setting."""
    names = {
        failure.needs[0]
        for failure in log_tails.failures.values()
        if failure.confirmed_by == CONFIRMED_BY
    }
    if not names:
        return KernelSettings({})
    answer = host.require(ReadSysctls(sorted(names)))
    numbers = (
        (name, value) for name, value in answer.items() if value and value.lstrip("-").isdigit()
    )
    return KernelSettings({name: int(value) for name, value in numbers})
