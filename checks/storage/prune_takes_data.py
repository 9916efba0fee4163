"""storage.prune-takes-data: a job of the host removes volumes that somebody still needs."""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.cron_calls import (
    PruneCall,
    PruneCalls,
    jobs_of_another_engine,
    unread_jobs,
)
from diagnose.evidence.storage.volumes.threatened_volumes import (
    ThreatenedVolumes,
    ThreatenedVolumesByJob,
)
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Subject, Unavailable
from diagnose.phrases import and_more, named
from diagnose.registry import check

_UNIT = ".service"


@check("storage.prune-takes-data", severity=Severity.warning)
def prune_takes_data(
    prune_calls: PruneCalls | Unavailable,
    threatened: ThreatenedVolumesByJob | Unavailable,
    clock: Clock,
    daemon: Daemon | None,
) -> CheckResult:
    """A job of the host removes volumes with data while no container has them.

    A project that is down for maintenance has no containers, and `docker volume prune -a` in cron
    takes its data the next night. Engines before 23 take volumes with a name without `-a`, and with
    `docker system prune --volumes` too. The check reads crontabs, and ExecStart= of units in
    /etc/systemd/system, not the scripts that they call. A volume counts that has a name and data
    and no container, or that was removed before its container was made, as far back as the engine
    remembers. Calls that choose by a label are left out. Where no volume is of a compose project it
    is advice: on a machine of CI such a job is meant.
    """
    if (other_engine := jobs_of_another_engine(daemon)) is not None:
        return other_engine
    if isinstance(prune_calls, Unavailable):
        return unread_jobs(prune_calls)
    if isinstance(threatened, Unavailable):
        return threatened
    for volumes in threatened:
        if volumes.removed:
            yield _removed_finding(volumes, clock)
        if volumes.next:
            yield _next_finding(volumes)
    yield from prune_calls.unexamined


def _job(job: PruneCall) -> str:
    kind = "unit" if job.path.endswith(_UNIT) else "cron job"
    return f"the {kind} in line {job.line} of {job.path}"


def _next_finding(volumes: ThreatenedVolumes) -> Finding:
    job = volumes.job
    return Finding(
        subject=HOST,
        summary=f"{_job(job)} removes volumes that no container has: "
        f"{named('volume', volumes.next)} with data would go at its next run",
        evidence={f"{job.path}, line {job.line}": job.text, "volumes": and_more(volumes.next, 20)},
        discriminator=f"{job.path}:{job.line}",
        severity=Severity.warning if volumes.is_of_project else Severity.advice,
        variables=_variables(job),
        touches=tuple(Subject("volume", name) for name in volumes.next),
    )


def _removed_finding(volumes: ThreatenedVolumes, clock: Clock) -> Finding:
    job = volumes.job
    first, *others = volumes.removed
    name = first.name
    container = first.container
    at = first.at
    return Finding.about(
        container,
        f'volume "{name}" was removed {clock.ago(at)}, and {container} began with an empty one; '
        f"{_job(job)} removes volumes that no container has",
        {
            f"{job.path}, line {job.line}": job.text,
            "events": f"volume destroy {name}, {clock.ago(at)}",
            **present({"further volumes": [other.name for other in others]}),
        },
        discriminator=f"removed {job.path}:{job.line}",
        onset=at,
        touches=(Subject("volume", name),),
        variables={**_variables(job), "lost": name},
    )


def _variables(job: PruneCall) -> PageVariables:
    """The page variables that turn the line into a comment; a person edits a unit."""
    if job.path.endswith(_UNIT):
        return {"file": job.path, "line": str(job.line)}
    return {"crontab": job.path, "edit": f"{job.line}s/^/# /"}
