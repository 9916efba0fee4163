"""container.cron-jobs-fail: cron in a container does not run its jobs as they are meant."""

from checks.container.settings.unpassed_variable import TO_CRON
from diagnose.evidence.containers.programs.cron_jobs import SPOOL, CronJobs
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more
from diagnose.registry import check


@check("container.cron-jobs-fail", severity=Severity.warning)
def cron_jobs_fail(cron_jobs: CronJobs) -> CheckResult:
    """Cron in a container does not run its jobs as they are meant.

    Cron of Debian gives jobs none of the container's variables: the crontab or a script that it
    names uses one which the container has, and sets it nowhere. Or a crontab in the spool belongs
    to a user whom the container does not have: cron leaves it out. What jobs print goes to a mail
    that nobody delivers, so that no log shows it. A script that sources a file is left alone.
    """
    for job in cron_jobs:
        names = and_more(job.variables)
        finding = Finding.about(
            job.container,
            f"cron in {job.container} runs jobs without the container's variables, and "
            f"{job.script} uses {names}",
            {"crontab": job.crontab, "used in": job.script, "Config.Env": f"{names}: set"},
            discriminator="variables",
            stable=(job.container.life,),
        )
        yield finding.with_variables({"scheduling": job.container.name, "hand_over": TO_CRON})
    for table in cron_jobs.ownerless:
        finding = Finding.about(
            table.container,
            f"cron in {table.container} runs no job of crontab {SPOOL}/{table.user}: the container "
            f'has no user "{table.user}"',
            {"/etc/passwd": f'no user "{table.user}"'},
            discriminator=table.user,
            stable=(table.container.life,),
        )
        yield finding.with_variables({"absent": table.user, "crontab": f"{SPOOL}/{table.user}"})
