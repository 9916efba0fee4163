"""storage.backup-series-broken: backups have begun to be empty, or no new ones come."""

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.backup_series import AllBackupSeries, BackupSeries
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, duration, size
from diagnose.registry import check

_TURNS = 30
_LONG_S = 14 * 86400.0
"""A series that ended this many turns, or seconds, ago may have been given up."""


@check(
    "storage.backup-series-broken",
    severity=Severity.warning,
    aloud=("has backups that are empty or overdue", "have backups that are empty or overdue"),
)
def backup_series_broken(all_backup_series: AllBackupSeries, clock: Clock) -> CheckResult:
    """Backups in a mounted folder are empty, or no new ones come.

    Files that differ by the numbers of their names are a series, where five or more lie in a
    mounted folder that is called like backups. The last ones count that hold 64 bytes or less,
    or less than a hundredth of the usual: `pg_dump | gzip` leaves 20 bytes where the dump fails,
    and succeeds. A series that came at regular times, and has missed more than a turn, is advice:
    its job may rest on purpose. It is not said aloud where it ended long ago, for another backup
    may have taken its place, nor for the length of a weekend where it is shorter than a week. Files
    that one run makes, a database each, are not series; increments and logs are none either.
    """
    for series in all_backup_series:
        if series.empty:
            yield _empty_finding(series, clock)
        else:
            long_s = max(_TURNS * series.step_s, _LONG_S)
            is_given_up = clock.has_passed(series.newest_at, long_s)
            yield _overdue_finding(series, clock, is_given_up=is_given_up)


def _empty_finding(series: BackupSeries, clock: Clock) -> Finding:
    container = series.container
    backups = (
        "the last backup" if series.empty == 1 else f"the last {count(series.empty, 'backup')}"
    )
    return Finding.about(
        container,
        f"{backups} in {series.folder}, which {container} mounts, {_verb(series)} next to "
        f"nothing: {series.newest} has {size(series.size)}, and {size(series.usual)} is usual",
        {
            series.path: f"{size(series.size)}, written {clock.ago(series.newest_at)}",
            "usual size before": size(series.usual),
            "empty ones at the end": series.empty,
        },
        discriminator=series.folder,
        variables={"folder": series.folder, "newest": series.path},
    )


def _verb(series: BackupSeries) -> str:
    return "holds" if series.empty == 1 else "hold"


def _overdue_finding(series: BackupSeries, clock: Clock, *, is_given_up: bool) -> Finding:
    container = series.container
    return Finding.about(
        container,
        f"no new backup has arrived in {series.folder}, which {container} mounts, for "
        f"{duration(clock.wall - series.newest_at)}: one came every {duration(series.step_s)} "
        "before",
        {
            series.path: f"the last one, written {clock.ago(series.newest_at)}",
            "usual step between two": duration(series.step_s),
            f'State of "{container.name}"': str(container.state),
        },
        severity=Severity.advice,
        discriminator=series.folder,
        variables={"folder": series.folder},
        is_quiet=is_given_up or series.may_rest,
    )
