"""Kernel settings that programs in containers say are too low."""

import msgspec

from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.model import Unavailable
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.host.kernel_settings import PORT_START
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

CONFIRMED_BY = "container.kernel-setting-low"


class KernelSettings(msgspec.Struct, frozen=True):
    """The values of the kernel settings that logs name, by name.

    A setting that this kernel does not have is missing.
    """

    by_name: dict[str, int]


def setting_of_running(failure: Recognised) -> str:
    """The setting that an error of a program which runs on is about; "" for none.

    One that may not open a port does not run on, or opens another.
    """
    if failure.confirmed_by != CONFIRMED_BY or failure.needs[0] == PORT_START:
        return ""
    return failure.needs[0]


@evidence
def kernel_settings(
    host: Host, log_tails: LogTails, repeated: RepeatedErrors | None
) -> KernelSettings | Unavailable:
    """The kernel settings that logs name, in one question; no setting, no question."""
    names = {
        failure.needs[0]
        for failure in log_tails.failures.values()
        if failure.confirmed_by == CONFIRMED_BY
    }
    repeats = (error.failure for error in repeated or () if error.failure is not None)
    names |= set(filter(None, map(setting_of_running, repeats)))
    if not names:
        return KernelSettings({})
    answer = host.require(ReadSysctls(sorted(names)))
    numbers = (
        (name, value) for name, value in answer.items() if value and value.lstrip("-").isdigit()
    )
    return KernelSettings({name: int(value) for name, value in numbers})
