"""container.job-names-nobody: cron or systemd of the host calls a container by a former name."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.machine.cron_calls import (
    JobCall,
    JobCalls,
    jobs_of_another_engine,
    unread_jobs,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.registry import check

_SIGNS = LazyPattern(r"[-_.]")
_UNIT = ".service"
_HARMLESS = ("kill", "stop")
"""Commands that may fail without harm where their container does not exist."""


@check("container.job-names-nobody", severity=Severity.warning)
def job_names_nobody(
    job_calls: JobCalls | Unavailable, containers: Containers, daemon: Daemon | None
) -> CheckResult:
    """A job of the host calls a container by a name that none has.

    Compose from 2.0 on writes hyphens where it wrote underscores (shop_web_1 became shop-web-1),
    and a service is not a container. The command fails with "No such container", and nobody reads
    what cron says. The check reads /etc/crontab, /etc/cron.d, the crontabs of users, and ExecStart=
    of units in /etc/systemd/system, not the scripts that they call. It counts where one container
    has the name with other signs between its words, or is the only one of a service that is called
    so. Lines that look whether the container is there are left out.
    """
    if (other_engine := jobs_of_another_engine(daemon)) is not None:
        return other_engine
    if isinstance(job_calls, Unavailable):
        return unread_jobs(job_calls)
    names = {container.name for container in containers}
    for call in job_calls:
        if call.verb in _HARMLESS:
            continue
        meant_container = (
            _meant_container(call.target, containers) if call.target not in names else None
        )
        is_id = any(container.id.startswith(call.target) for container in containers)
        if meant_container is not None and not is_id:
            yield _finding(call, meant_container)


def _meant_container(name: str, containers: Containers) -> Container | None:
    """The only container with almost this name, or of the service of this name."""
    plain = _SIGNS.sub("", name).lower()
    alike = [
        container for container in containers if _SIGNS.sub("", container.name).lower() == plain
    ]
    of_service = [container for container in containers if container.compose_service == name]
    return only(alike) or (only(of_service) if not alike else None)


def _finding(call: JobCall, meant_container: Container) -> Finding:
    kind = "unit" if call.path.endswith(_UNIT) else "cron job"
    return Finding.about(
        meant_container,
        f'the {kind} in line {call.line} of {call.path} calls docker {call.verb} "{call.target}", '
        f"and no container has that name: {meant_container} is probably meant",
        {
            f"{call.path}, line {call.line}": f"docker {call.verb} {call.target}",
            "names of containers like it": meant_container.name,
        },
        discriminator=f"{call.path}:{call.line}",
        variables=_edit(call, meant_container),
    )


def _edit(call: JobCall, meant_container: Container) -> PageVariables:
    """The page variables with the edit of that line of the file.

    Names of containers have no signs that a pattern or a shell reads.
    """
    escaped = call.target.replace(".", "\\.")
    before = "(^|[^[:alnum:]_.-])"
    after = "([^[:alnum:]_.-]|$)"
    edit = rf"{call.line}s/{before}{escaped}{after}/\1{meant_container.name}\2/"
    return {"file": call.path, "edit": edit, "line": str(call.line)}
