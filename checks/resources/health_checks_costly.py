"""resources.health-checks-costly: so many health checks run that they take the CPUs of the host."""

from checks.resources.helpers import MOST_NAMED
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.probe_rate import probes_per_second
from diagnose.evidence.machine.busy_containers import WAITS_PCT
from diagnose.evidence.machine.pressure import Pressure
from diagnose.model import DAEMON, CheckResult, Finding, Percent, Seconds, Severity, Skipped
from diagnose.phrases import agree, count
from diagnose.registry import check


@check(
    "resources.health-checks-costly",
    severity=Severity.advice,
    aloud=("runs health checks too often", "run health checks too often"),
    aloud_of_engine="runs health checks so often that work waits for a CPU",
)
def health_checks_costly(
    containers: Containers,
    pressure: Pressure,
    *,
    cost: Seconds = Seconds(0.1),
    share: Percent = Percent(30),
) -> CheckResult:
    """So many health checks run that they take a good part of the host's CPUs.

    Each probe starts a process in the container, by the engine, containerd and runc: 0.12 s of a
    CPU for `true` on engine 28.5.2. How often they run is what the engine notes of the last ones,
    not what was configured: a busy host delays them. It counts where work waits for a CPU most of
    the time.
    """
    waited = pressure.waited("cpu", "some")
    if waited is None:
        return Skipped("this kernel keeps no pressure figures")
    rated = [(probes_per_second(container), container) for container in containers.running]
    most_often_first = sorted(
        ((rate, owner) for rate, owner in rated if rate), key=lambda rated: -rated[0]
    )
    total = sum(rate for rate, _ in most_often_first)
    if waited < WAITS_PCT or total * cost < pressure.cpus * share / 100:
        return None
    yield Finding(
        subject=DAEMON,
        summary=(
            f"{count(len(most_often_first), 'container')} {agree(most_often_first, 'runs', 'run')} "
            f"{total:.0f} health checks a second, which takes about {total * cost:.1f} of the "
            f"host's {pressure.cpus} CPUs; work waited for a CPU {waited:.0f} % of the last minute"
        ),
        evidence={
            "health checks a second": [
                f"{owner.name} {rate:.1f}" for rate, owner in most_often_first[:MOST_NAMED]
            ],
            "/proc/pressure/cpu some avg60": f"{waited:.1f} %",
            "load": pressure.shown_load,
        },
        variables={"container": most_often_first[0][1].name, "interval": "30s"},
    )
