"""The pace at which the engine runs health checks. Pure."""

from diagnose.evidence.containers.container import Container
from diagnose.phrases import unix


def probes_per_second(container: Container) -> float:
    """The runs of the container's health check per second, by the probes that the engine keeps.

    0 without a health check, or after a single run.
    """
    health = container.state.health
    probes = (health.log or []) if health is not None else []
    begun = sorted(at for probe in probes if (at := unix(probe.start)) is not None)
    if len(begun) < 2 or begun[-1] <= begun[0]:
        return 0.0
    return (len(begun) - 1) / (begun[-1] - begun[0])
