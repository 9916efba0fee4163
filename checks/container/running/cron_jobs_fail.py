"""container.cron-jobs-fail: cron in a container does not run its jobs as they are meant."""

import posixpath

from diagnose.evidence.containers.programs.cron_jobs import SPOOL, CronJobs
from diagnose.evidence.containers.programs.crontab_defects import CrontabDefect, CrontabDefects
from diagnose.evidence.containers.variables.unpassed_variable import TO_CRON
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

_FIELDS = r"^([[:space:]]*(@[a-z]+|([^[:space:]]+[[:space:]]+){4}[^[:space:]]+)[[:space:]]+)"
_WHAT = {
    "daemon": "",
    "name": "does not read TABLE: it ignores names with a dot",
    "mode": "refuses crontab TABLE because of its mode {word}",
    "owner": "refuses crontab TABLE because it belongs to user {word}",
    "open": "refuses crontab TABLE: its last line has no newline at its end",
    "command": "refuses crontab TABLE: line {line} has no user before its command",
    "user": 'runs "{word}" as a program: line {line} of TABLE names a user, and that table has no '
    "user field",
    "percent": "ends the command in line {line} of TABLE at its first percent sign",
    "return": "takes the Windows line ending as part of the command in line {line} of TABLE",
}
"""The effect of a defect on cron, by the kind of the defect: `{word}` is the word that is wrong."""
_EDITS = {
    "command": "{line}s/" + _FIELDS + r"/\1root /",
    "user": "{line}s/" + _FIELDS + r"[a-z_][a-z0-9_-]*[[:space:]]+/\1/",
    "percent": r"{line}s/([^\\])%/\1\\%/g",
    "return": "s/\r$//",
}
"""Expressions of sed that correct a line."""


@check(
    "container.cron-jobs-fail",
    severity=Severity.warning,
    aloud=("has a crontab and runs no cron", "have crontabs and run no cron"),
)
def cron_jobs_fail(cron_jobs: CronJobs, crontab_defects: CrontabDefects) -> CheckResult:
    """Cron in a container does not run its jobs as they are meant.

    Debian's cron passes over a crontab with a dot in its name, with another owner or mode than it
    accepts, without an end of its last line, or without the user where one has to stand. It ends a
    command at the first percent sign. It logs the reason to syslog, which no container has. A
    mounted crontab may also be in a container that runs no cron; advice where only the image has
    it, which may have it from the image that it was built on.

    Cron of Debian gives jobs none of the container's variables: the crontab or a script that it
    names uses one which the container has, and sets it nowhere. Or a crontab in the spool belongs
    to a user whom the container does not have: cron leaves it out. The output of jobs goes to a
    mail that nobody delivers, so that no log shows it. A script that sources a file is left out.
    """
    for job in cron_jobs:
        names = and_more(job.variables)
        yield Finding.about(
            job.container,
            f"cron in {job.container} runs jobs without the container's variables, and "
            f"{job.script} uses {names}",
            {"crontab": job.crontab, "used in": job.script, "Config.Env": f"{names}: set"},
            discriminator="variables",
            recheck=(job.container.run,),
            variables={"scheduling": job.container.name, "hand_over": TO_CRON},
        )
    for table in cron_jobs.ownerless:
        yield Finding.about(
            table.container,
            f"cron in {table.container} runs no job of crontab {SPOOL}/{table.user}: the container "
            f'has no user "{table.user}"',
            {"/etc/passwd": f'no user "{table.user}"'},
            discriminator=table.user,
            recheck=(table.container.run,),
            variables={"absent": table.user, "crontab": f"{SPOOL}/{table.user}"},
        )
    for defect in crontab_defects:
        yield _defect_finding(defect)


def _defect_finding(defect: CrontabDefect) -> Finding:
    container = defect.container
    path = defect.path
    effect = _WHAT[defect.kind].format(line=defect.line, word=defect.word)
    if defect.kind == "daemon":
        summary = f"{container} has crontab {path}, and runs no cron that reads it"
    else:
        summary = f"cron in {container} {effect.replace('TABLE', path)}"
    defect_words = {
        "daemon": "no process is called cron",
        "percent": "%",
        "return": "Windows line ending",
    }
    place = f"{path}, line {defect.line}" if defect.line else path
    return Finding.about(
        container,
        summary,
        {place: defect_words.get(defect.kind) or defect.word or effect},
        discriminator=path,
        severity=None if defect.is_asked_for else Severity.advice,
        recheck=(container.run,),
        variables=_cure(defect),
    )


def _cure(defect: CrontabDefect) -> PageVariables:
    """The page variables that correct the crontab file in the container."""
    path = defect.path
    kind = defect.kind
    if edit := _EDITS.get(kind):
        return {"table": path, "edit": edit.replace("{line}", str(defect.line))}
    if kind == "mode":
        return {"table": path, "mode": "600" if path.startswith(SPOOL) else "644"}
    if kind == "owner":
        owner = path.rpartition("/")[2] if path.startswith(SPOOL) else "root"
        return {"table": path, "owner": owner}
    if kind == "open":
        return {"unended": path}
    if kind == "name" and defect.container.mount_at(path) is None:
        folder, name = posixpath.split(path)
        return {"unread": path, "readable": f"{folder}/{name.rpartition('.')[0].replace('.', '-')}"}
    return {}
