"""container.jobs-untaken: a scheduler sends jobs, and no worker takes them."""

from __future__ import annotations

from diagnose.evidence.containers.logs.untaken_jobs import UntakenJobList, UntakenJobs
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more, how_often, joined, quoted
from diagnose.registry import check

SHOWN = 3
DEFAULT_QUEUE = "celery"
"""Where Celery puts a task for which no other queue is set."""


@check("container.jobs-untaken", severity=Severity.warning)
def jobs_untaken(untaken_jobs: UntakenJobList, clock: Clock) -> CheckResult:
    """A scheduler sends jobs that none of its workers takes.

    Celery's beat writes down each task that it sends, and a worker each task that it receives. A
    task that was sent twice or more, while the logs of all workers of the project reach, and that
    none of them has received, lies in a queue that nobody reads. Workers that log only warnings say
    nothing about it. A worker that is busy receives tasks later: nothing is said while a task of it
    has not ended and no other one came. What would fool it: workers on other hosts.
    """
    for item in untaken_jobs:
        yield _finding(item, clock)
    yield from untaken_jobs.unexamined
    return None


def _finding(item: UntakenJobs, clock: Clock) -> Finding:
    tasks = and_more([item.task, *item.others], SHOWN)
    workers = joined([str(worker) for worker in item.workers])
    return Finding.about(
        item.scheduler,
        f"no worker of this host has taken {tasks}, which {item.scheduler} has sent {how_often(item.times)} since "
        f"{clock.ago(item.since)}: {_why(item, workers)}",
        {
            "log": quoted(item.line),
            "workers of the project": joined([worker.name for worker in item.workers]),
            "command of the worker": item.workers[0].shown_command,
        },
        stable=(item.scheduler.life, *(worker.life for worker in item.workers)),
        touches=tuple(worker.subject for worker in item.workers),
    ).with_variables(_steps(item))


def _why(item: UntakenJobs, workers: str) -> str:
    if item.sent_to:
        return f"it sends to {item.sent_to}, and {workers} reads {item.taken_from}"
    if item.queues:
        return f"{workers} reads the queues {item.queues} alone (-Q), and they go to another one"
    return f"{workers} runs, and has received none of them"


def _steps(item: UntakenJobs) -> PageVariables:
    worker = item.workers[0]
    if item.sent_to:
        return {"apart": worker.name, "sent_to": item.sent_to}
    asked = {"asked": worker.name, "app": item.app} if item.app else {}
    if not item.queues:
        return asked
    lacks_default = asked and DEFAULT_QUEUE not in item.queues.split(",")
    default = {"default_queue": DEFAULT_QUEUE} if lacks_default else {}
    return {**asked, "read": item.queues, **default}
