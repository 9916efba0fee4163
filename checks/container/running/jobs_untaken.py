"""container.jobs-untaken: a scheduler sends jobs, and no worker takes them."""

from diagnose.evidence.containers.logs.untaken_jobs import UntakenJobList, UntakenJobs
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import agree, and_more, duration, how_often, joined, named, quoted
from diagnose.registry import check

SHOWN = 3
DEFAULT_QUEUE = "celery"
"""The queue of Celery for tasks for which no other one is set."""


@check("container.jobs-untaken", severity=Severity.warning)
def jobs_untaken(untaken_jobs: UntakenJobList, clock: Clock) -> CheckResult:
    """A scheduler sends jobs that none of its workers takes.

    Celery's beat writes down each task that it sends, and a worker each task that it receives. A
    task that was sent twice or more, while the logs of all workers of the project reach, and that
    none of them has received, lies in a queue that nobody reads. Workers that log only warnings say
    nothing about it. A worker that is busy receives tasks later: nothing is said while a task of it
    has not ended and no other one came. What would fool it: workers on other hosts.
    """
    for jobs in untaken_jobs:
        yield _finding(jobs, clock)
    yield from untaken_jobs.unexamined


def _finding(jobs: UntakenJobs, clock: Clock) -> Finding:
    tasks = and_more([jobs.task, *jobs.others], SHOWN)
    return Finding.about(
        jobs.scheduler,
        f"no worker of this host has taken {tasks}, which {jobs.scheduler} has sent "
        f"{how_often(jobs.times)} in the last {duration(clock.wall - jobs.since)}: {_reason(jobs)}",
        {
            "log": quoted(jobs.line),
            "workers of the project": joined([worker.name for worker in jobs.workers]),
            "command of the worker": jobs.workers[0].shown_command,
        },
        recheck=(jobs.scheduler.run, *(worker.run for worker in jobs.workers)),
        touches=tuple(worker.subject for worker in jobs.workers),
        variables=_steps(jobs),
    )


def _reason(jobs: UntakenJobs) -> str:
    """The reason why the workers get none of the tasks, as far as their settings show it."""
    workers = named("container", [worker.name for worker in jobs.workers])
    read = agree(jobs.workers, "reads", "read")
    run = agree(jobs.workers, "runs", "run")
    if jobs.sent_to:
        return f"it sends to {jobs.sent_to}, and {workers} reads {jobs.taken_from}"
    if jobs.queues:
        queues = joined([f'"{queue}"' for queue in jobs.queues.split(",")])
        return (
            f"{workers} {read} no other queue than {queues} (-Q), and the tasks go to another one"
        )
    return f"{workers} {run}, and received none of them"


def _steps(jobs: UntakenJobs) -> PageVariables:
    worker = jobs.workers[0]
    if jobs.sent_to:
        return {"apart": worker.name, "sent_to": jobs.sent_to}
    worker_variables = {"asked": worker.name, "app": jobs.app} if jobs.app else {}
    if not jobs.queues:
        return worker_variables
    lacks_default = worker_variables and DEFAULT_QUEUE not in jobs.queues.split(",")
    default = {"default_queue": DEFAULT_QUEUE} if lacks_default else {}
    return {**worker_variables, "read": jobs.queues, **default}
