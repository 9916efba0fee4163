"""Tasks of a service that swarm ends because their health check fails."""

from collections.abc import Mapping, Sequence

import msgspec

from diagnose.evidence.containers.health_check import TIMED_OUT, HealthCheck
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.mappings import present
from diagnose.model import Json, PageVariables
from diagnose.phrases import duration
from diagnose.programs.telling_line import telling_line

UNHEALTHY = "unhealthy container"
"""The engine's message when it ended a task for its health check."""
LONGEST_START_S = 300.0
"""A program that answered no probe for so long does not only start slowly."""
START_PERIOD = "5m"


class EndedForHealth(msgspec.Struct, frozen=True):
    """The failed health check that ends a service's tasks, by its last probe on this node."""

    summary: str
    evidence: Mapping[str, Json] = {}
    variables: Mapping[str, str] = {}


def ended_for_health(
    errors: Sequence[str], service: str, containers: Containers | None
) -> EndedForHealth | None:
    """The end of tasks for their health; None where the most frequent error is another one.

    Without a container of a task on this node the results of its probes are not known.
    """
    if not any(UNHEALTHY in error for error in errors[:1]):
        return None
    killed = "each task is ended because its health check fails"
    probes = [
        HealthCheck(task, task.state.health)
        for task in _unhealthy_tasks(service, containers)
        if task.state.health is not None
    ]
    newest = max(probes, key=lambda probe: probe.container.created_at or 0.0, default=None)
    if newest is None:
        return EndedForHealth(killed)
    lived = newest.container.ran_for
    never = newest.has_failed_since_its_start and lived is not None and lived < LONGEST_START_S
    when = f", {duration(lived)} after its start" if lived is not None and never else ""
    return EndedForHealth(
        f"{killed}{when}: {_probe_result(newest)}",
        {
            "probe": newest.text,
            "task": newest.container.name,
            **present({"start period": newest.start_period_s}),
        },
        _probe_variables(newest, service, is_starting=never),
    )


def _probe_variables(probe: HealthCheck, service: str, *, is_starting: bool) -> PageVariables:
    """The page variables of the change: no probe, a longer one, or a later one."""
    if probe.missing:
        return {"unprobed": service}
    if probe.longer_timeout:
        return {"slow": service, "longer": probe.longer_timeout}
    return {"starting": service, "start_period": START_PERIOD} if is_starting else {}


def _unhealthy_tasks(service: str, containers: Containers | None) -> list[Container]:
    """The ended containers of a service on this node that were unhealthy."""
    return [
        container
        for container in containers or ()
        if container.service == f"swarm {service}"
        and not container.is_running
        and container.is_unhealthy
    ]


def _probe_result(probe: HealthCheck) -> str:
    """The result of the last probe, in words."""
    if probe.missing:
        return f'its probe runs "{probe.missing}", which the container does not have'
    printed = telling_line(probe.output.splitlines())
    if probe.exit_code == TIMED_OUT:
        return f"its probe does not finish within {duration(probe.timeout_s)}"
    if printed:
        return printed.whole
    return f"its probe prints nothing and exits with code {probe.exit_code}"
