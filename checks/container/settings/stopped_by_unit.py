"""container.stopped-by-unit: systemd stops a container as soon as its unit has started it."""

from __future__ import annotations

import posixpath

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.cron_calls import DockerUnit, DockerUnits
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.registry import check


@check("container.stopped-by-unit", severity=Severity.warning)
def stopped_by_unit(docker_units: DockerUnits | Unavailable, containers: Containers) -> CheckResult:
    """A unit stops its container at once: the client that starts it does not stay.

    `docker start` without `-a`, `docker run -d` and `docker compose up -d` end when the container
    has begun to run. systemd takes that for the end of the service, and runs ExecStop=, unless the
    unit has RemainAfterExit=yes. Found in units of /etc/systemd/system whose ExecStop= stops or
    removes the same container, while it does not run; of a project of compose, while no container
    of compose runs.
    """
    if isinstance(docker_units, Unavailable):
        return Skipped(f"the units of the host: {docker_units}")
    for unit in docker_units:
        container = containers.by_name.get(unit.target)
        is_up = container is not None and container.is_running
        has_project = any(container.compose_project for container in containers.running)
        if not is_up and (unit.target or not has_project):
            yield _finding(unit, container)
    return None


def _finding(unit: DockerUnit, container: Container | None) -> Finding:
    name = posixpath.basename(unit.path)
    started = str(container) if container is not None else f'"{unit.target or unit.start}"'
    return Finding(
        subject=container.subject if container is not None else HOST,
        summary=(
            f"unit {name} stops {started} as soon as it has started it: the client ends at once, "
            "and systemd then runs ExecStop="
        ),
        evidence={f"{unit.path} ExecStart=": unit.start, "ExecStop=": unit.stop},
        discriminator=unit.path,
        variables={"unit": name},
    )
