"""container.logs-absent: a collector of logs has none of the files that it should read."""

from diagnose.evidence.containers.mounts.absent_logs import AbsentLogs, AbsentLogsList
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

SHOWN = 3


@check(
    "container.logs-absent",
    severity=Severity.advice,
    aloud=("has no log file to read", "have no log files to read"),
)
def logs_absent(absent_logs: AbsentLogsList) -> CheckResult:
    """A collector of logs has none of the files that its settings name.

    Promtail, Filebeat, Fluent Bit, Fluentd and CrowdSec wait for a file without a word. The paths
    in their mounted settings are looked for as the container sees them. It counts where not one of
    them has a file: a single file may come later. A collector that also reads the engine, the
    journal or a port is left out.
    """
    for absent in absent_logs:
        yield _finding(absent)


def _finding(absent: AbsentLogs) -> Finding:
    container = absent.container
    return Finding.about(
        container,
        f"{container} has no file at {and_more(absent.paths, SHOWN)}, which its settings name: it "
        "collects nothing",
        {"in the settings": absent.path, "mounts": [str(mount) for mount in container.mounts]},
        recheck=(container.run,),
        variables={"wanted": absent.paths[0], "path": absent.path},
    )
