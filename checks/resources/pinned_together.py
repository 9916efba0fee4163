"""resources.pinned-together: containers compete for the CPUs that they are kept to."""

from checks.resources.helpers import MOST_NAMED
from diagnose.evidence.machine.pinned_containers import PinnedContainers, PinnedSets
from diagnose.evidence.machine.pressure import Pressure
from diagnose.model import CheckResult, Finding, Percent, Severity, Unavailable
from diagnose.phrases import agree, joined, named, numbered
from diagnose.registry import check


@check(
    "resources.pinned-together",
    severity=Severity.advice,
    aloud=("competes for a CPU while others are idle", "compete for a CPU while others are idle"),
)
def pinned_together(
    pinned_sets: PinnedSets | Unavailable,
    pressure: Pressure,
    *,
    used_pct: Percent = Percent(50),
    spare_pct: Percent = Percent(10),
    idle_pct: Percent = Percent(60),
) -> CheckResult:
    """Containers compete for the CPUs that they are kept to, while others are idle.

    `cpuset: "0"` was copied from service to service: each may run only on that CPU, and the host's
    load does not show it. The check reports it where two containers or more have one list of CPUs
    and use `used_pct` of them in half a second, these have nothing to do for `spare_pct` of it at
    most, and other CPUs for `idle_pct`. It is advice: somebody may keep batch work away from the
    other CPUs on purpose.
    """
    if isinstance(pinned_sets, Unavailable):
        return pinned_sets
    for pinned in pinned_sets:
        idle = pinned.idle_cpus(idle_pct)
        competes = pinned.used_pct >= used_pct and pinned.own_idle <= spare_pct
        if competes and idle:
            yield _finding(pinned, idle, pressure.cpus)


def _finding(pinned: PinnedContainers, idle: list[int], cpus: int) -> Finding:
    busiest = pinned.used[0][0]
    users = [container for container, _ in pinned.used]
    names = named("container", [container.name for container in users])
    has = agree(pinned.cpus, "has", "have")
    have = agree(idle, "has", "have")
    return Finding.about(
        busiest,
        f"{names} are pinned to {numbered('CPU', sorted(pinned.cpus))}, which {has} no time to "
        f"spare, while {numbered('CPU', idle)} of the host's {cpus} {have} little to do",
        {
            "HostConfig.CpusetCpus": pinned.cpuset,
            "CPUs in use, by container": [
                f"{container.name} {used:.2f}" for container, used in pinned.used[:MOST_NAMED]
            ],
            "idle, percent": joined([f"CPU {cpu} {share:.0f}" for cpu, share in pinned.idle[:8]]),
        },
        discriminator=pinned.cpuset,
        touches=tuple(container.subject for container in users[1:]),
        recheck=tuple(container.run for container in users),
        variables={"cpuset": pinned.cpuset, "every": f"0-{cpus - 1}"},
    )
