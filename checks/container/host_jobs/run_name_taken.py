"""container.run-name-taken: a job of the host runs a container whose name the last one has."""

import posixpath

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.machine.cron_calls import (
    NamedRun,
    NamedRuns,
    jobs_of_another_engine,
    unread_jobs,
)
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.phrases import short_id
from diagnose.registry import check


@check(
    "container.run-name-taken",
    severity=Severity.warning,
    causes=("container.crashed", "container.lost-with-host", "container.stopped"),
    aloud=("cannot be run again by its unit", "cannot be run again by their units"),
)
def run_name_taken(
    named_runs: NamedRuns | Unavailable, containers: Containers, daemon: Daemon | None
) -> CheckResult:
    """A job runs a container under a name that its last container still has.

    `docker run --name` without `--rm` leaves the container behind when it ends. The next run fails
    with "Conflict. The container name is already in use". The check reads crontabs and the units of
    /etc/systemd/system. It leaves out those that remove, rename or start the container, and units
    that may not run again. A job that removes ended containers makes room too. It counts while that
    container does not run; it is advice for a unit that no target starts, and for a container that
    the engine starts itself.
    """
    if (other_engine := jobs_of_another_engine(daemon)) is not None:
        return other_engine
    if isinstance(named_runs, Unavailable):
        return unread_jobs(named_runs)
    for run in named_runs:
        container = containers.by_name.get(run.name)
        if container is not None and _is_left_behind(container):
            yield _finding(run, container)


def _is_left_behind(container: Container) -> bool:
    """Whether a container does not run, and is none that compose manages."""
    return not container.is_running and not container.compose_project


def _finding(run: NamedRun, container: Container) -> Finding:
    is_awaited = run.is_enabled and not container.restarts_always
    place = (
        f"unit {posixpath.basename(run.path)}" if run.is_unit else f"line {run.line} of {run.path}"
    )
    return Finding.about(
        container,
        f"{place} fails at each start: its docker run asks for the name of {container}, which its last "
        "run has left behind",
        {run.path: f"docker run --name {run.name}, without --rm", "State": container.state.status},
        severity=Severity.warning if is_awaited else Severity.advice,
        discriminator=run.path,
        variables=_steps(run, container),
    )


def _steps(run: NamedRun, container: Container) -> PageVariables:
    """The page variables with the unit or the crontab, and a name for the former container."""
    kept_name = f"{container.name}-{short_id(container.id)}"
    if run.is_unit:
        return {"unit": posixpath.basename(run.path), "name": run.name, "kept_name": kept_name}
    edit = rf"{run.line}s/docker \(container \)*run /&--rm /"
    return {"crontab": run.path, "edit": edit, "name": run.name, "kept_name": kept_name}
