"""container.stopped-by-unit: systemd stops a container as soon as its unit has started it."""

import posixpath
from typing import Final

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.machine.cron_calls import (
    DockerUnit,
    DockerUnits,
    jobs_of_another_engine,
    unread_jobs,
)
from diagnose.model import HOST, CheckResult, Finding, Severity, Unavailable
from diagnose.registry import check

AT_ONCE_S: Final = 60.0
"""A container that ran for longer was not stopped by this unit."""


@check("container.stopped-by-unit", severity=Severity.warning)
def stopped_by_unit(
    docker_units: DockerUnits | Unavailable, containers: Containers, daemon: Daemon | None
) -> CheckResult:
    """A unit stops its container at once: the client that starts it does not stay.

    `docker start` without `-a`, `docker run -d` and `docker compose up -d` end when the container
    has begun to run. systemd takes that for the end of the service, and runs ExecStop=, unless the
    unit has RemainAfterExit=yes. The check finds it in units of /etc/systemd/system whose ExecStop=
    stops or removes the same container, which does not run and lasted a minute at most. A unit
    whose container is gone counts if it is enabled; one of a project of compose, if no container of
    compose runs besides.
    """
    if (other_engine := jobs_of_another_engine(daemon)) is not None:
        return other_engine
    if isinstance(docker_units, Unavailable):
        return unread_jobs(docker_units)
    for unit in docker_units:
        container = containers.by_name.get(unit.target)
        if container is None:
            has_project = any(member.compose_project for member in containers.running)
            is_stopped = unit.is_enabled and (bool(unit.target) or not has_project)
        else:
            is_stopped = not container.is_running and _ended_at_once(container)
        if is_stopped:
            yield _finding(unit, container)


def _ended_at_once(container: Container) -> bool:
    lasted = container.ran_for
    return lasted is not None and lasted < AT_ONCE_S


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
