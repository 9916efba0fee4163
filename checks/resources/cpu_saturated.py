"""resources.cpu-saturated: one container keeps the CPUs of the host busy, and work waits."""

from checks.resources.helpers import MOST_NAMED
from diagnose.evidence.containers.cgroups import Cgroups
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.busy_containers import BusyContainers
from diagnose.evidence.machine.pressure import Pressure
from diagnose.mappings import first_of
from diagnose.model import CheckResult, Finding, Percent, Severity, Skipped
from diagnose.registry import check

WAITS_PCT = 10.0
"""From this percentage of the last minute on, another container is slowed down."""


@check(
    "resources.cpu-saturated",
    severity=Severity.advice,
    aloud=("keeps the CPUs of the host busy", "keep the CPUs of the host busy"),
)
def cpu_saturated(
    pressure: Pressure,
    busy_containers: BusyContainers,
    cgroups: Cgroups | None,
    *,
    share: Percent = Percent(70),
) -> CheckResult:
    """A container uses nearly all CPUs of the host, and work waits for a CPU.

    Pressure stall information says that work waited for a CPU for most of the last minute (`cpu
    some avg60`), and two samples of the control groups half a second apart say who uses the CPUs.
    It is advice: a build or a conversion of videos does the same on purpose. A program that is slow
    or fails health checks meanwhile may only wait for its turn. With version 2 of control groups
    the kernel says who waits: where no other container does, the busy one disturbs only itself.
    """
    waited = pressure.waited("cpu", "some")
    if waited is None:
        return Skipped("this kernel keeps no pressure figures")
    busiest = first_of(busy_containers, None)
    if busiest is None or busiest.cpus < pressure.cpus * share / 100:
        return None
    container = busiest.container
    if _disturbs_nobody(container, busy_containers, cgroups):
        return None
    used = {busy.container.name: busy.cpus for busy in busy_containers.items[:MOST_NAMED]}
    yield Finding.about(
        container,
        f"{container} uses {busiest.cpus:.1f} of the host's {pressure.cpus} CPUs, and work waited "
        f"for a CPU {waited:.0f} % of the last minute",
        {
            "/proc/pressure/cpu some avg60": f"{waited:.1f} %",
            "load": pressure.shown_load,
            "CPUs in use, by container": [f"{name} {cpus:.1f}" for name, cpus in used.items()],
        },
        recheck=(container.run,),
        variables={"half": f"{pressure.cpus / 2:g}"},
    )


def _disturbs_nobody(
    container: Container, busy_containers: BusyContainers, cgroups: Cgroups | None
) -> bool:
    """Whether no other container that uses a CPU waits for one."""
    if cgroups is None:
        return False
    groups = [
        cgroups.of(busy.container) for busy in busy_containers if busy.container.id != container.id
    ]
    waited = [group.waited("cpu") if group is not None else None for group in groups]
    return bool(waited) and all(share is not None and share < WAITS_PCT for share in waited)
