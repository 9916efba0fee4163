"""container.cron-lacks-program: a cron job of the host does not find docker or docker-compose."""

from diagnose.evidence.machine.cron_calls import LostProgram, LostPrograms, unread_jobs
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.registry import check


@check("container.cron-lacks-program", severity=Severity.warning)
def cron_lacks_program(lost_programs: LostPrograms | Unavailable) -> CheckResult:
    """A cron job of the host calls docker, and cron does not find that program.

    Cron looks in /usr/bin and /bin unless a line PATH= of the crontab says otherwise, and
    docker-compose lies in /usr/local/bin, or is no longer there: newer hosts have `docker compose`.
    The job ends with "command not found", in a mail that nobody reads. The check reads crontabs,
    and shell scripts that they run by their path. A line that looks for the program first, or sets
    a path, is left out. Alpine's cron has the path of the system, and so has one with the option
    -P, as Ubuntu starts it.
    """
    if isinstance(lost_programs, Unavailable):
        return unread_jobs(lost_programs)
    for call in lost_programs:
        if call.found_at or call.program != "docker":
            yield _finding(call)
    yield from lost_programs.unexamined


def _finding(call: LostProgram) -> Finding:
    place_clause = f"it is {call.found_at}" if call.found_at else "this host has no such program"
    plugin = ", and has `docker compose`" if call.has_plugin and not call.found_at else ""
    return Finding(
        subject=HOST,
        summary=(
            f"line {call.line} of {call.path} calls {call.program}, which cron cannot find in "
            f"{call.folders}: {place_clause}{plugin}"
        ),
        evidence={f"{call.path}, line {call.line}": call.program, "PATH of cron": call.folders},
        discriminator=f"{call.path}:{call.line}",
        variables=_steps(call),
    )


def _steps(call: LostProgram) -> PageVariables:
    """The edit of the line; none where the host has nothing in the program's place."""
    program_path = call.found_at or ("docker compose" if call.has_plugin else "")
    places = {"crontab": call.path}
    if not program_path:
        return places
    edit = (
        rf"{call.line}s#\(^\|[^[:alnum:]_/.-]\){call.program}\([[:space:]]\)#\1{program_path}\2#g"
    )
    return {**places, "edit": edit}
