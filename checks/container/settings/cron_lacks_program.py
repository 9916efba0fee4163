"""container.cron-lacks-program: a cron job of the host does not find docker or docker-compose."""

from diagnose.evidence.machine.cron_calls import LostProgram, LostPrograms, unread_jobs
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.registry import check


@check("container.cron-lacks-program", severity=Severity.warning)
def cron_lacks_program(lost_programs: LostPrograms | Unavailable) -> CheckResult:
    """A cron job of the host calls docker, and cron does not find that program.

    Cron looks in /usr/bin and /bin unless a line PATH= of the crontab says otherwise, and
    docker-compose lies in /usr/local/bin, or is no longer there: newer hosts have `docker compose`.
    The job ends with "command not found", in a mail that nobody reads. Read are crontabs, and shell
    scripts that they run by their path. A line that looks for the program first, or sets a path, is
    left out. Alpine's cron has the path of the system, and so has one with the option -P, as Ubuntu
    starts it.
    """
    if isinstance(lost_programs, Unavailable):
        return unread_jobs(lost_programs)
    for lost in lost_programs:
        if lost.found_at or lost.program != "docker":
            yield _finding(lost)
    yield from lost_programs.unexamined


def _finding(lost: LostProgram) -> Finding:
    where = f"it is {lost.found_at}" if lost.found_at else "this host has no such program"
    plugin = ", and has `docker compose`" if lost.has_plugin and not lost.found_at else ""
    return Finding(
        subject=HOST,
        summary=(
            f"line {lost.line} of {lost.path} calls {lost.program}, which cron does not find in "
            f"{lost.folders}: {where}{plugin}"
        ),
        evidence={f"{lost.path}, line {lost.line}": lost.program, "path of cron": lost.folders},
        discriminator=f"{lost.path}:{lost.line}",
        variables=_steps(lost),
    )


def _steps(lost: LostProgram) -> PageVariables:
    """The edit of the line; none where the host has nothing in the program's place."""
    given = lost.found_at or ("docker compose" if lost.has_plugin else "")
    places = {"crontab": lost.path}
    if not given:
        return places
    edit = rf"{lost.line}s#\(^\|[^[:alnum:]_/.-]\){lost.program}\([[:space:]]\)#\1{given}\2#g"
    return {**places, "edit": edit}
