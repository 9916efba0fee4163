"""container.runtime-state-lost: the runtime does not know a container that runs."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.runtime_states import FOLDER, RuntimeStates
from diagnose.evidence.engine.daemon import Daemon
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check


@check("container.runtime-state-lost", severity=Severity.warning, causes=("container.unhealthy",))
def runtime_state_lost(
    containers: Containers, states: RuntimeStates, daemon: Daemon
) -> CheckResult:
    """The runtime has lost its record of a container that runs.

    runc keeps a folder below /run for each container. Something that cleans /run has removed it:
    the program still runs, and can be neither entered nor stopped. `docker exec` and health checks
    fail, and `docker stop` hangs.
    """
    if daemon.is_podman:
        return Skipped("Podman's runtime keeps its records elsewhere")
    for container in containers.running:
        if container.id in states.lost:
            yield Finding.about(
                container,
                f"{container} runs, but the runtime has lost its record of it, as happens when "
                "/run is cleaned up: docker exec and health checks fail, and docker stop "
                "hangs",
                {f"{FOLDER}/{container.id[:12]}...": "no such folder"},
                recheck_later=(container.run,),
                variables={"pid": str(container.state.pid)},
            )
