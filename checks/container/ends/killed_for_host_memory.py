"""container.killed-for-host-memory: systemd-oomd or earlyoom has killed a container."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.oom_daemons import EarlyKills
from diagnose.evidence.run.options import Options
from diagnose.model import HOST, CheckResult, Finding, Severity
from diagnose.phrases import quoted, size
from diagnose.registry import check


@check("container.killed-for-host-memory", severity=Severity.critical)
def killed_for_host_memory(
    containers: Containers, kills: EarlyKills, clock: Clock, options: Options
) -> CheckResult:
    """systemd-oomd or earlyoom killed a container because memory was short.

    systemd-oomd and earlyoom end what uses most when the host is short of memory. The container
    shows exit code 137 or 143 and no OOM kill, and the kernel log is silent: only their journal has
    it. A container that runs again is a warning.
    """
    for container in containers:
        kill = kills.of(container)
        if kill is None or not clock.is_within(kill.at, options.since_s):
            continue
        limit = container.host_config.memory
        yield Finding.about(
            container,
            f"{container} was killed {clock.ago(kill.at)} by {kill.daemon}, "
            f"because the host was short of memory",
            {
                f"journal of {kill.daemon}": quoted(kill.line),
                "State": str(container.state),
                "HostConfig.Memory": size(limit) if limit else "no limit",
            },
            severity=Severity.warning if container.is_running else Severity.critical,
            touches=(HOST,),
            onset=kill.at,
        )
