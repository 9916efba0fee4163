"""container.worker-missing: nobody does the jobs that a program makes."""

from diagnose.evidence.containers.programs.absent_workers import AbsentWorker, AbsentWorkers
from diagnose.evidence.containers.programs.known_workers import KnownWorker, KnownWorkers
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_WHO = {
    "beat": "no beat of Celery, which calls them by the schedule in that file,",
    "celery": "no worker of Celery",
    "queue": "no worker of its queue",
    "schedule": "nothing that calls its schedule",
}
"""Who is missing, by the kind of the jobs."""
_SCHEDULES = ("beat", "schedule")
_COMMANDS = {"queue": "php artisan queue:work", "schedule": "php artisan schedule:work"}


@check(
    "container.worker-missing",
    severity=Severity.advice,
    aloud=("has jobs that nothing on this host runs", "have jobs that nothing on this host runs"),
)
def worker_missing(
    absent_workers: AbsentWorkers, known_workers: KnownWorkers | None
) -> CheckResult:
    """A program makes jobs, and nothing on this host does them.

    The code of Laravel has jobs and a queue outside of the request, or a schedule; or a variable
    names a broker of Celery that is a container of this host; or the code beside a worker of Celery
    has a schedule, and no beat runs. No process is the worker or the scheduler, no container is
    called like one, and no crontab or unit of the host mentions the program. Or the image is that
    of a program whose makers run a worker beside it, such as n8n with EXECUTIONS_MODE=queue, and no
    container of the host is one.

    It is advice: a worker may run on another host. The check says nothing about applications that
    run for their developers, nor where a cron runs beside the program. It is not said aloud of the
    image of a vendor whose settings are its own.
    """
    for absent in absent_workers:
        yield _finding(absent)
    for known in known_workers or ():
        yield _known_program_finding(known)


def _known_program_finding(known: KnownWorker) -> Finding:
    program = known.program
    setting_clause = f" ({known.asks})" if known.asks else ""
    worker = known.worker
    return Finding.about(
        program,
        f"{program} leaves its jobs to a worker{setting_clause}, and no container of this host is one "
        f"({worker.kind} {worker.text})",
        {known.asks or "image": "set" if known.asks else program.config.image},
        discriminator="known",
        recheck=(program.run,),
        variables=present({f"worker_{worker.kind}": worker.text, "alone": known.alone}),
    )


def _finding(absent: AbsentWorker) -> Finding:
    program = absent.program
    return Finding.about(
        program,
        f"{program} makes jobs ({absent.asks}), and {_WHO[absent.kind]} runs on this host",
        {
            absent.asks: "has entries" if absent.kind in _SCHEDULES else "set",
            "processes": _WHO[absent.kind],
        },
        discriminator=absent.kind,
        recheck=(program.run,),
        variables=_steps(absent),
        is_quiet=absent.kind != "beat" and not absent.is_of_user,
    )


def _steps(absent: AbsentWorker) -> PageVariables:
    if absent.kind == "celery":
        return {"broker": absent.asks}
    if absent.kind == "beat":
        return {"schedule": absent.asks}
    return {"work": _COMMANDS[absent.kind], "code": absent.folder}
