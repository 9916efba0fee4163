"""The containers of which runc has lost its record, though they run."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.log import DaemonLog
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

FOLDER = "/run/docker/runtime-runc/moby"
"""The folder in which runc keeps a folder for each container of an engine with the usual
`--exec-root`."""
_UNKNOWN = "exec failed: container does not exist"
"""The error of runc in the engine's log and in the output of a probe."""


class RuntimeStates(msgspec.Struct, frozen=True):
    """Running containers that runc does not know."""

    lost: frozenset[str] = frozenset()
    """The ids of containers that runc does not know."""


@evidence
def runtime_states(
    host: Host, containers: Containers, log: DaemonLog | None
) -> RuntimeStates | Unavailable:
    """The running containers that runc does not know.

    The collector asks only where a program could not be run in a container, by the engine's log or
    a probe. An engine with another `--exec-root` (rootless, snap) has its records elsewhere: a
    folder that is missing, or has none of the containers, proves nothing.
    """
    running = {
        container.id for container in containers.running if container.host_config.runtime == "runc"
    }
    if not running or not _has_refused_programs(containers, log):
        return RuntimeStates()
    listing = host.ask(ListFolder(FOLDER))
    if isinstance(listing, Failed) and listing.reason == "missing":
        return RuntimeStates()
    if isinstance(listing, Failed):
        return Unavailable.of(listing)
    running_here = running.intersection(listing.names)
    return RuntimeStates(frozenset(running - running_here) if running_here else frozenset())


def _has_refused_programs(containers: Containers, log: DaemonLog | None) -> bool:
    """Whether the runtime did not run a program in a container, because it does not know that."""
    if any(_UNKNOWN in line.text for line in log or ()):
        return True
    return any(
        _UNKNOWN in (probe.output or "")
        for container in containers.running
        if container.state.health is not None
        for probe in container.state.health.log or ()
    )
