"""container.maintenance-on: a web application answers with 503, as it is in maintenance."""

from diagnose.evidence.containers.programs.maintenance_flags import (
    MaintenanceFlag,
    MaintenanceFlags,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import sentence
from diagnose.registry import check


@check(
    "container.maintenance-on",
    severity=Severity.warning,
    causes=("container.answers-with-errors", "container.unhealthy"),
    aloud=("is in maintenance", "are in maintenance"),
)
def maintenance_on(
    maintenance_flags: MaintenanceFlags, clock: Clock, *, usual: Seconds = Seconds(300)
) -> CheckResult:
    """A web application is in maintenance mode: it answers its clients with 503.

    An update or a backup sets a flag before it begins, and leaves it where it ends early. It counts
    where the server answers with 503, and the program's own file has the flag: `artisan down` of
    Laravel, `maintenance` in Nextcloud's config.php, `.maintenance` of WordPress, and the like. It
    is advice for `usual` seconds after the file was written, for so long updates may take, and
    where the other one of a blue and a green container serves. A flag that no known program reads
    counts where the page itself mentions maintenance.
    """
    for flag in maintenance_flags:
        may_be_meant = flag.twin is not None or clock.is_within(flag.status.mtime, usual)
        yield _finding(flag, clock, Severity.advice if may_be_meant else None)


def _finding(flag: MaintenanceFlag, clock: Clock, severity: Severity | None) -> Finding:
    container = flag.container
    server = flag.served_by
    is_apart = server.id != container.id
    return Finding.about(
        container,
        sentence(
            f"{flag.mode.name} in {container} is in maintenance: {flag.path} was written "
            f"{clock.ago(flag.status.mtime)}, and clients get HTTP status 503",
            f"{server} passes them on" if is_apart else "",
            f"{flag.twin} runs without that flag" if flag.twin is not None else "",
        ),
        {flag.path: f"written {clock.ago(flag.status.mtime)}", "who answers with 503": server.name},
        severity=severity,
        discriminator=flag.path,
        touches=(server.subject,) if is_apart else (),
        onset=flag.status.mtime,
        recheck=(container.run,),
        is_quiet=flag.twin is not None,
        variables={"flag": flag.path, **_cure(flag)},
    )


def _cure(flag: MaintenanceFlag) -> PageVariables:
    """The program's own command, as the user to whom its files belong."""
    if not flag.mode.end:
        return {"edited": flag.path}
    return {"folder": flag.folder, "ended": flag.mode.end, "owner": str(flag.status.uid)}
