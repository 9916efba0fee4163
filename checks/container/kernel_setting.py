"""container.kernel-setting-low: a kernel setting of the host is below what a program needs."""

from __future__ import annotations

from checks.container.confirmed import claims
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_settings import KernelSettings
from diagnose.model import CheckResult, Severity
from diagnose.registry import check

ID = "container.kernel-setting-low"


@check(ID, severity=Severity.critical)
def kernel_setting_low(
    containers: Containers, clock: Clock, log_tails: LogTails, kernel_settings: KernelSettings
) -> CheckResult:
    """A kernel setting of the host is below what a container's program needs.

    The program's log names the setting, and the kernel's own value is compared with what the log or
    the program's documentation asks for. These settings belong to the whole host; a container
    cannot change them.
    """
    for claim in claims(ID, containers, log_tails, clock):
        setting, usual = claim.failure.failure.needs
        least = int(claim.value("least") or usual)
        value = kernel_settings.by_name.get(setting)
        if value is None or value >= least:
            continue
        yield claim.finding(
            f"needs {setting} of at least {least}, and the host has {value}",
            {f"/proc/sys {setting}": value, "needed": least},
            assignment=f"{setting}={least}",
            setting=setting,
            least=str(least),
        )
    return None
