"""The functions that the checks of networks share."""

from diagnose.error_signatures import NO_WAY_OUT, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Network


def running_members(network: Network, containers: Containers | None) -> tuple[Container, ...]:
    """The running containers on a network; none where they are not known."""
    return () if containers is None else containers.running_on(network.name)


def calls_fail(
    container: Container, logs: RecentLogs | None, calls: UnansweredCalls | None
) -> bool:
    """Whether a container waits for an answer, or its log shows a call without one."""
    if any(call.container.id == container.id for call in calls or ()):
        return True
    lines = logs.of_this_run(container) if logs is not None else ()
    return any(signs(line.text) & NO_WAY_OUT for line in lines)
