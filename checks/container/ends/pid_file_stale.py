"""container.pid-file-stale: a pid file of a former run keeps a program from starting."""

from checks.container.claims import claims
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.data.data_files import DataFiles
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Severity
from diagnose.registry import check

ID = "container.pid-file-stale"


@check(ID, severity=Severity.critical)
def pid_file_stale(
    containers: Containers, clock: Clock, log_tails: LogTails, data_files: DataFiles
) -> CheckResult:
    """A pid file of a former run keeps a container's program from starting.

    The program says that a server is running already, or objects to a lock or a socket, no process
    of the container lives, and the file that it names is still there: in the container's writable
    layer, which a restart keeps, or on a mount.
    """
    for claim in claims(ID, containers, log_tails, clock):
        pid_file = data_files.pid_files.get(claim.container.id)
        if pid_file is None:
            continue
        container = claim.container
        if pid_file.source:
            place = {"source": pid_file.source}
        else:
            in_layer = {"file": f"{container.name}:{pid_file.path}"}
            place = claim.failure.page_variables({"container": container.name}) or in_layer
        yield claim.finding(
            f"does not start because the file {pid_file.path} of an earlier run is still there",
            {
                "in the container": f"{pid_file.path} exists",
                "on the host": pid_file.source or "the container's writable layer",
                "State": str(container.state),
            },
            variables=place,
        )
